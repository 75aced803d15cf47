using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace SelectReactor.Web;

/// <summary>The sample Dashboard, as a process, in Chromium.</summary>
public sealed partial class DashboardTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);
    private Process _process = null!;
    private IPEndPoint _echo = null!;
    private Uri _page = null!;

    [SetUp]
    public async Task StartAsync()
    {
        string program = Path.Combine(
            AppContext.BaseDirectory.Replace(
                Path.Combine("tests", "SelectReactor.Web"),
                Path.Combine("samples", "Dashboard"),
                StringComparison.Ordinal),
            "Dashboard.dll");
        _process = Tool.Start($"exec dotnet {program} --urls http://127.0.0.1:0 --echo 127.0.0.1:0");
        var lines = new List<string>();
        (_echo, _page) = (null!, null!);
        while (_echo is null || _page is null)
        {
            string line = await _process.StandardOutput.ReadLineAsync().WaitAsync(_bound)
                ?? throw new EndOfStreamException($"The sample has ended: {string.Join('\n', lines)}");
            lines.Add(line);
            _echo = Echo().Match(line) is { Success: true } echo ? IPEndPoint.Parse(echo.Groups[1].Value) : _echo!;
            _page = Page().Match(line) is { Success: true } page ? new Uri(page.Groups[1].Value) : _page!;
        }

        _ = _process.StandardOutput.ReadToEndAsync();
    }

    [TearDown]
    public void Stop()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    [Test]
    public async Task ThePage_ShowsTheConnections_AndClosesOne()
    {
        using var bound = new CancellationTokenSource(_bound);
        using Socket quiet = Connect();
        using Socket talker = Connect();
        string name = $"{talker.LocalEndPoint}";
        await talker.SendAsync(new byte[900], bound.Token);
        await using Browser browser = await Browser.StartAsync();
        await browser.VisitAsync(_page, "document.title", bound.Token);

        string? shown = await browser.EvaluateAsync(
            Until("byId('connections').textContent === '2' && history.length > 2"
                + " && byId('rows').textContent.includes('900\u00a0B')", "byId('rows').innerText"),
            bound.Token);
        Assert.That(shown, Does.Contain($"{name}\tOpen"));
        Assert.That(shown, Does.Contain($"{quiet.LocalEndPoint}\tOpen"));
        Assert.That(
            await browser.EvaluateAsync(
                "[...document.querySelectorAll('svg')].filter(svg => svg.querySelector('polyline')"
                + "?.getAttribute('points').split(' ').length > 2).length",
                bound.Token),
            Is.EqualTo("3"), "charts with a line");

        await browser.EvaluateAsync(
            $"[...document.querySelectorAll('button')].find(button => button.title.endsWith('{name}'))"
            + ".click()",
            bound.Token);
        byte[] buffer = new byte[2000];
        int received;
        int all = 0;
        while ((received = await talker.ReceiveAsync(buffer, bound.Token)) > 0)
        {
            all += received;
        }

        talker.Close();
        Assert.That(all, Is.EqualTo(900), "the echo, before the end of the stream");
        shown = await browser.EvaluateAsync(
            Until("byId('connections').textContent === '1'", "byId('rows').innerText"), bound.Token);
        Assert.That(shown, Does.Contain($"{quiet.LocalEndPoint}").And.Not.Contain(name));
    }

    [Test]
    public async Task AConnectionThatDoesNotExist_IsNotFound()
    {
        using var client = new HttpClient { BaseAddress = _page };

        Assert.That((await client.DeleteAsync("/connections/0/42")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await client.DeleteAsync("/connections/9/1")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [TestCase("Host", "evil.example", HttpStatusCode.BadRequest)]
    [TestCase("Origin", "http://evil.example", HttpStatusCode.Forbidden)]
    public async Task AForeignSite_ClosesNothing(string header, string value, HttpStatusCode expected)
    {
        using var client = new HttpClient { BaseAddress = _page };
        client.DefaultRequestHeaders.TryAddWithoutValidation(header, value);

        Assert.That((await client.DeleteAsync("/connections/0/1")).StatusCode, Is.EqualTo(expected));
    }

    // Looks again after each change of the page.
    private static string Until(string condition, string value) => $$"""
        new Promise(done => {
            const look = () => { if ({{condition}}) { observer.disconnect(); done({{value}}); } };
            const observer = new MutationObserver(look);
            observer.observe(document.body, { childList: true, subtree: true, characterData: true });
            look();
        })
        """;

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(_echo);
        return socket;
    }

    [GeneratedRegex(@"The server ""echo"" listens on (\S+)\.$")]
    private static partial Regex Echo();

    [GeneratedRegex(@"Now listening on: (\S+)$")]
    private static partial Regex Page();
}

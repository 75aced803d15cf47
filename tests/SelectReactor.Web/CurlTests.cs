using System.Globalization;
using System.Security.Cryptography;

namespace SelectReactor.Web;

/// <summary>The program curl visits the site.</summary>
public sealed class CurlTests(Transport transport) : WebFixture(transport)
{
    private const int Large = 20_000_000;
    private string _folder = null!;

    private string Upload => Path.Combine(_folder, "upload");

    [OneTimeSetUp]
    public void WriteUpload()
    {
        _folder = Directory.CreateTempSubdirectory("reactor-curl-").FullName;
        File.WriteAllBytes(Upload, Pattern.Bytes(Large));
    }

    [OneTimeTearDown]
    public void DeleteUpload() => Directory.Delete(_folder, recursive: true);

    [TestCase("--http1.1", "http", "HTTP/1.1")]
    [TestCase("--http1.0", "http", "HTTP/1.0")]
    [TestCase("--http2", "http", "HTTP/1.1", Description = "Kestrel does not upgrade from HTTP/1.1.")]
    [TestCase("--http2-prior-knowledge", "h2c", "HTTP/2")]
    [TestCase("--http1.1", "https", "HTTP/1.1")]
    [TestCase("--http2", "https", "HTTP/2")]
    [TestCase("--tlsv1.2 --tls-max 1.2", "https", "HTTP/2")]
    [TestCase("--tlsv1.3", "https", "HTTP/2")]
    public async Task AProtocol_IsSpoken(string options, string scheme, string protocol) =>
        Assert.That(await CurlAsync($"{options} {UrlOf(scheme)}protocol"), Is.EqualTo(protocol));

    [TestCase("http", "--http1.1")]
    [TestCase("https", "--http1.1")]
    [TestCase("https", "--http2")]
    [TestCase("h2c", "--http2-prior-knowledge")]
    public async Task ALargeUpload_ArrivesWhole(string scheme, string options)
    {
        string digest = await CurlAsync($"{options} -T {Upload} {UrlOf(scheme)}digest");

        Assert.That(digest, Is.EqualTo(Convert.ToHexString(SHA256.HashData(Pattern.Bytes(Large)))));
    }

    [TestCase("http", "--http1.1")]
    [TestCase("https", "--http1.1")]
    [TestCase("https", "--http2")]
    [TestCase("h2c", "--http2-prior-knowledge")]
    public async Task ALargeEcho_ComesBackWhole(string scheme, string options)
    {
        string back = Path.Combine(_folder, "back");
        await CurlAsync($"{options} -T {Upload} -o {back} {UrlOf(scheme)}echo");

        Assert.That(Pattern.Is(await File.ReadAllBytesAsync(back), Large));
    }

    [Test]
    public async Task AChunkedUpload_ArrivesWhole()
    {
        string digest = await CurlAsync(
            $"--http1.1 -H 'Transfer-Encoding: chunked' -T - {Server.Http}digest < {Upload}");

        Assert.That(digest, Is.EqualTo(Convert.ToHexString(SHA256.HashData(Pattern.Bytes(Large)))));
    }

    // curl reads 2 MB a second: the response waits in the transport's buffers meanwhile.
    [TestCase("http", "--http1.1")]
    [TestCase("https", "--http2")]
    public async Task ASlowReader_GetsAllBytes(string scheme, string options)
    {
        string back = Path.Combine(_folder, "slow");
        await CurlAsync($"{options} --limit-rate 2M -o {back} {UrlOf(scheme)}bytes/3000000");

        Assert.That(Pattern.Is(await File.ReadAllBytesAsync(back), 3_000_000));
    }

    [Test]
    public async Task Expect100_IsAnsweredBeforeTheBodyIsSent()
    {
        ToolResult result = await Tool.RunAsync(
            Line($"-v --expect100-timeout 30 -H 'Expect: 100-continue' -T {Upload} {Server.Http}digest"));

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Contain("< HTTP/1.1 100 Continue"));
        Assert.That(result.Error, Does.Contain("< HTTP/1.1 200 OK"));
    }

    [Test]
    public async Task Expect100_RefusedUpload_IsNotSent()
    {
        string sent = await CurlAsync(
            $"-X POST -H 'Expect: 100-continue' --expect100-timeout 30 -T {Upload} -o {_folder}/refused"
            + $" -w '%{{http_code}} %{{size_upload}}' {Server.Http}refuse");

        Assert.That(sent, Is.EqualTo("413 0"));
    }

    [Test]
    public async Task Head_HasTheHeadersAlone()
    {
        string headers = await CurlAsync($"-I {Server.Http}hello {Server.Http}hello");

        Assert.That(headers.Split("HTTP/1.1 200 OK"), Has.Length.EqualTo(3), headers);
        Assert.That(headers, Does.Not.Contain("hello"));
    }

    [TestCase("--http2", "https")]
    [TestCase("--http2-prior-knowledge", "h2c")]
    public async Task Trailers_FollowTheBody(string options, string scheme)
    {
        ToolResult result = await Tool.RunAsync(Line($"-v {options} {UrlOf(scheme)}trailers"));

        Assert.That(result.Output, Is.EqualTo("body"));
        Assert.That(result.Error.ToUpperInvariant(), Does.Contain("< X-CHECKSUM: 42"));
    }

    [Test]
    public async Task KeepAlive_OneConnectionServesManyRequests()
    {
        string url = $"{Server.Http}connection";
        string ids = await CurlAsync($"-w '\\n' {string.Join(' ', Enumerable.Repeat(url, 50))}");

        string[] lines = ids.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(50));
        Assert.That(lines, Is.All.EqualTo(lines[0]));
    }

    [Test]
    public async Task ConnectionClose_EndsWithFin()
    {
        ToolResult result = await Tool.RunAsync(
            Line($"-v -H 'Connection: close' {Server.Http}hello {Server.Http}hello"));

        Assert.That(result.Output, Is.EqualTo("hellohello"), result.Error);
        Assert.That(result.Error, Does.Contain("* Closing connection 0"));
        Assert.That(result.Error, Does.Contain("(#1)"), "the second request has a connection of its own");
    }

    [TestCase("--http1.1", "http")]
    [TestCase("--http2", "https")]
    public async Task ParallelTransfers_Succeed(string options, string scheme)
    {
        string output = await CurlAsync(
            $"{options} --parallel --parallel-max 50 -w '%{{http_code}}\\n' -o /dev/null"
            + $" '{UrlOf(scheme)}bytes/100000?n=[1-200]'");

        string[] statuses = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(statuses, Has.Length.EqualTo(200).And.All.EqualTo("200"));
    }

    // The rest of the response has nowhere to go.
    [TestCase("--http1.1", "http")]
    [TestCase("--http2", "https")]
    public async Task AnEarlyHangUp_HarmsNobody(string options, string scheme)
    {
        await Tool.RunAsync(Line($"{options} {UrlOf(scheme)}bytes/1000000000 | head -c 100000 > /dev/null"));

        Assert.That(await CurlAsync($"{options} {UrlOf(scheme)}hello"), Is.EqualTo("hello"));
    }

    [Test]
    public async Task OverAUnixSocket_ItIsServed()
    {
        Assert.That(
            await CurlAsync($"--unix-socket {Server.UnixPath} http://localhost/hello"), Is.EqualTo("hello"));
        Assert.That(
            await CurlAsync($"--unix-socket {Server.UnixPath} -T {Upload} http://localhost/digest"),
            Is.EqualTo(Convert.ToHexString(SHA256.HashData(Pattern.Bytes(Large)))));
        Assert.That(
            await CurlAsync($"--unix-socket {Server.UnixPath} http://localhost/peer"),
            Is.EqualTo(":0 :0"), "a Unix socket has no IP address");
    }

    [Test]
    public async Task ServerSentEvents_AreStreamed()
    {
        string events = await CurlAsync($"-N {Server.Http}events?count=1000");

        Assert.That(events.Split("event: tick\n"), Has.Length.EqualTo(1001));
        Assert.That(events, Does.EndWith("event: tick\ndata: 1000\nid: 1000\n\n"));
    }

    [Test]
    public async Task ThePeersAddresses_AreKnown()
    {
        const string OfCurl = "|%{local_ip}:%{local_port} %{remote_ip}:%{remote_port}";
        string[] addresses = (await CurlAsync($"-w '{OfCurl}' {Server.Http}peer")).Split('|');

        Assert.That(addresses[0], Is.EqualTo(addresses[1]));
    }

    [Test]
    public async Task AnAbortedResponse_IsSeenAsOne()
    {
        ToolResult result = await Tool.RunAsync(Line($"{Server.Http}abort"));

        Assert.That(result.ExitCode, Is.AnyOf(18, 56), "a partial file or a reset, not a whole file");
        Assert.That(await CurlAsync($"{Server.Http}hello"), Is.EqualTo("hello"));
    }

    private Uri UrlOf(string scheme) => scheme switch
    {
        "http" => Server.Http,
        "h2c" => Server.Http2,
        "https" => Server.Https,
        _ => throw new ArgumentOutOfRangeException(nameof(scheme)),
    };

    private Task<string> CurlAsync(string arguments) => Tool.OutputAsync(Line(arguments));

    private string Line(string arguments) => string.Create(
        CultureInfo.InvariantCulture, $"curl -sS --max-time 50 --cacert {Server.CertificatePath} {arguments}");
}

using System.Globalization;
using System.Text.RegularExpressions;
using Match = System.Text.RegularExpressions.Match;

namespace SelectReactor.Web;

/// <summary>wrk and h2load load the site. No request fails.</summary>
public sealed partial class LoadToolTests(Transport transport) : WebFixture(transport)
{
    private const string PipelineScript = """
        init = function(args)
          local requests = {}
          for i = 1, 16 do requests[i] = wrk.format("GET", "/hello") end
          pipelined = table.concat(requests)
        end
        request = function() return pipelined end
        """;

    private const string UploadScript = """
        wrk.method = "POST"
        wrk.body = string.rep("0123456789", 20000)
        """;

    private string _folder = null!;

    [OneTimeSetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("reactor-load-").FullName;

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public Task Wrk_ShortResponses() => WrkAsync($"-c 64 {Server.Http}hello");

    [Test]
    public Task Wrk_OverTls() => WrkAsync($"-c 64 {Server.Https}hello");

    [Test]
    public Task Wrk_LongResponses() => WrkAsync($"-c 16 {Server.Http}bytes/300000");

    [Test]
    public Task Wrk_AConnectionForEachRequest() => WrkAsync($"-c 64 -H 'Connection: close' {Server.Http}hello");

    [Test]
    public async Task Wrk_PipelinedRequests() =>
        await WrkAsync($"-c 64 -s {await ScriptAsync(PipelineScript)} {Server.Http}hello");

    [Test]
    public async Task Wrk_Uploads() =>
        await WrkAsync($"-c 16 -s {await ScriptAsync(UploadScript)} {Server.Http}digest");

    [Test]
    public Task H2load_ManyStreams() => H2LoadAsync(20_000, $"-c 10 -m 100 {Server.Http2}hello");

    [Test]
    public Task H2load_ManyStreams_OverTls() => H2LoadAsync(20_000, $"-c 10 -m 100 {Server.Https}hello");

    [Test]
    public Task H2load_LongResponses_SmallWindows() =>
        H2LoadAsync(1000, $"-c 10 -m 100 -w 16 -W 18 {Server.Https}bytes/200000");

    [Test]
    public async Task H2load_Uploads()
    {
        string upload = Path.Combine(_folder, "upload");
        await File.WriteAllBytesAsync(upload, Pattern.Bytes(200_000));
        await H2LoadAsync(1000, $"-c 10 -m 100 -d {upload} {Server.Http2}echo");
    }

    [Test]
    public Task H2load_Http11() => H2LoadAsync(10_000, $"--h1 -c 50 -m 10 {Server.Http}hello");

    private async Task<string> ScriptAsync(string script)
    {
        string path = Path.Combine(_folder, "script.lua");
        await File.WriteAllTextAsync(path, script);
        return path;
    }

    private static async Task WrkAsync(string arguments)
    {
        string output = await Tool.OutputAsync($"wrk -t 2 -d 2s --timeout 30s {arguments}");

        Match requests = WrkRequests().Match(output);
        Assert.That(requests.Success, output);
        Assert.That(int.Parse(requests.Groups[1].Value, CultureInfo.InvariantCulture), Is.Positive, output);
        Assert.That(output, Does.Not.Contain("Socket errors").And.Not.Contain("Non-2xx"));
    }

    private static async Task H2LoadAsync(int count, string arguments)
    {
        string output = await Tool.OutputAsync($"h2load -n {count} -t 2 {arguments}");

        Assert.That(output, Does.Contain($" {count} done, {count} succeeded, 0 failed, 0 errored, 0 timeout"));
        Assert.That(output, Does.Contain($"status codes: {count} 2xx, 0 3xx, 0 4xx, 0 5xx"));
    }

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex WrkRequests();
}

using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Microsoft.AspNetCore.Builder;

namespace SelectReactor.Web;

/// <summary>An existing application is moved to the transport by one line. Every answer is then as before.</summary>
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
public sealed class ExistingAppTests(Transport transport)
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private string _webRoot = null!;

    [SetUp]
    public void MakeWebRoot()
    {
        _webRoot = Directory.CreateTempSubdirectory("reactor-root-").FullName;
        WriteFile("index.html", "<h1>Orders</h1>"u8.ToArray());
        WriteFile("large.bin", Pattern.Bytes(3_000_000));
    }

    [TearDown]
    public void DeleteWebRoot() => Directory.Delete(_webRoot, recursive: true);

    [Test]
    public async Task EveryAnswer_IsAsBefore()
    {
        string[] before = await VisitAsync(Transport.Sockets);
        string[] after = await VisitAsync(transport);

        Assert.That(after, Is.EqualTo(before).AsCollection);
        Assert.That(before.Select(answer => answer[..3]), Is.EqualTo(Visits.Select(visit => visit.Status)));
    }

    // The statuses show that the visits reach what they are meant to reach.
    private static (string Status, Func<HttpRequestMessage> Request)[] Visits =>
    [
        ("200", () => Get("/")),
        ("200", () => Get("/large.bin")),
        ("206", () => Get("/large.bin", request => request.Headers.Range = new RangeHeaderValue(1000, 1_999_999))),
        ("416", () => Get("/large.bin", request => request.Headers.Range = new RangeHeaderValue(3_000_000, null))),
        ("304", () => Get("/index.html", request =>
            request.Headers.IfModifiedSince = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero))),
        ("404", () => Get("/missing.html")),
        ("200", () => Get("/orders")),
        ("200", () => Get("/orders/2")),
        ("404", () => Get("/orders/77")),
        ("201", () => Post("/orders", JsonContent.Create(new OrdersApp.Order(3, "plum")))),
        ("200", () => Get("/orders/3")),
        ("400", () => Post("/orders", new StringContent("{ not JSON", Encoding.UTF8, "application/json"))),
        ("415", () => Post("/orders", new StringContent("3 plums"))),
        ("405", () => Post("/visit", new StringContent(""))),
        ("200", () => Post("/form", Form())),
        ("201", () => Post("/orders", Gzip("""{"id":4,"item":"fig"}"""))),
        ("200", () => Get("/orders/4")),
        ("200", () => Get("/visit")),
        ("500", () => Get("/fault")),
        ("200", () => Get("/long", request => request.Headers.AcceptEncoding.ParseAdd("gzip"))),
        ("200", () => Get("/long", request => request.Headers.AcceptEncoding.ParseAdd("br"))),
        ("200", () => Get("/long")),
        ("200", () => Get("/cached")),
        ("200", () => Get("/cached")),
        ("200", () => Get("/few")),
        ("200", () => Get("/few")),
        ("429", () => Get("/few")),
        ("200", () => Get("/scheme")),
        ("200", () => Get("/scheme", request =>
        {
            request.Headers.Add("X-Forwarded-For", "192.0.2.7");
            request.Headers.Add("X-Forwarded-Proto", "https");
        })),
        ("200", () => Get("/health")),
        ("503", () => Get("/health/all")),
    ];

    private static HttpRequestMessage Get(string path, Action<HttpRequestMessage>? configure = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        configure?.Invoke(request);
        return request;
    }

    private static HttpRequestMessage Post(string path, HttpContent content) =>
        new(HttpMethod.Post, path) { Content = content };

    private static MultipartFormDataContent Form() => new("boundary")
    {
        { new StringContent("fig"), "name" },
        { new ByteArrayContent(Pattern.Bytes(1_000_000)), "file", "file.bin" },
    };

    private static ByteArrayContent Gzip(string json)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal))
        {
            gzip.Write(Encoding.UTF8.GetBytes(json));
        }

        return new ByteArrayContent(bytes.ToArray())
        {
            Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } },
        };
    }

    private void WriteFile(string name, byte[] bytes)
    {
        string path = Path.Combine(_webRoot, name);
        File.WriteAllBytes(path, bytes);
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
    }

    // The status, the headers and a digest of the body of every answer.
    private async Task<string[]> VisitAsync(Transport by)
    {
        await using WebApplication app = OrdersApp.Build(_webRoot, host => host.UseTransport(by));
        await app.StartAsync().WaitAsync(_bound);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = _bound };
        List<string> answers = [];
        foreach ((_, Func<HttpRequestMessage> create) in Visits)
        {
            using HttpRequestMessage request = create();
            using HttpResponseMessage response = await client.SendAsync(request);
            answers.Add(await DescribeAsync(response));
        }

        client.Dispose();
        await app.StopAsync().WaitAsync(_bound);
        return [.. answers];
    }

    private static async Task<string> DescribeAsync(HttpResponseMessage response)
    {
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        string text = body.Length < 1000
            ? Encoding.UTF8.GetString(body)
            : Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(body));
        IEnumerable<string> headers = response.Headers.Concat(response.Content.Headers)
            .Where(header => header.Key is not ("Date" or "Age"))
            .OrderBy(header => header.Key, StringComparer.Ordinal)
            .Select(header => $"{header.Key}: {string.Join(',', header.Value)}");
        return $"{(int)response.StatusCode} {string.Join("; ", headers)} | {WithoutTraceId(text)}";
    }

    // Problem details carry an identifier that is new each time.
    private static string WithoutTraceId(string text)
    {
        int start = text.IndexOf("\"traceId\"", StringComparison.Ordinal);
        return start < 0 ? text : text[..start];
    }
}

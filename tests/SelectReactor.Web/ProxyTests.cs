using System.Net.WebSockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using SelectReactor.Web.Grpc;

namespace SelectReactor.Web;

/// <summary>The site behind haproxy and nginx.</summary>
public sealed class ProxyTests(Transport transport) : WebFixture(transport)
{
    private const string HttpLocation = """
        proxy_pass http://site;
        proxy_http_version 1.1;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header X-Forwarded-For $remote_addr;
        """;

    private static readonly string[] _proxies = ["haproxy", "haproxy, TLS", "haproxy, HTTP/2", "nginx", "nginx, TLS"];

    [Test]
    public async Task Requests_ShareConnections([ValueSource(nameof(_proxies))] string kind)
    {
        using ProxyProcess proxy = Start(kind);
        using HttpClient client = CreateClient(proxy.Url);
        HashSet<string> ids = [];
        for (int i = 0; i < 100; i++)
        {
            ids.Add(await client.GetStringAsync("/connection", Bound));
        }

        Assert.That(ids, Has.Count.LessThanOrEqualTo(2));
    }

    [Test]
    public async Task UpAndDownloads_AreWhole([ValueSource(nameof(_proxies))] string kind)
    {
        using ProxyProcess proxy = Start(kind);
        using HttpClient client = CreateClient(proxy.Url);
        Assert.That(Pattern.Is(await client.GetByteArrayAsync("/bytes/5000000", Bound), 5_000_000));
        using HttpResponseMessage response = await client.PostAsync(
            "/digest", new ByteArrayContent(Pattern.Bytes(5_000_000)), Bound);

        Assert.That(
            await response.Content.ReadAsStringAsync(Bound),
            Is.EqualTo(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Pattern.Bytes(5_000_000)))));
    }

    [Test]
    public async Task Load_HasNoErrors([ValueSource(nameof(_proxies))] string kind)
    {
        using ProxyProcess proxy = Start(kind);
        string output = await Tool.OutputAsync($"wrk -t 2 -c 32 -d 1s --timeout 30s {proxy.Url}hello");

        Assert.That(output, Does.Contain(" requests in").And.Not.Contain(" 0 requests in"));
        Assert.That(output, Does.Not.Contain("Socket errors").And.Not.Contain("Non-2xx"));
    }

    [Test]
    public async Task WebSockets_PassThrough([ValueSource(nameof(_proxies))] string kind)
    {
        using ProxyProcess proxy = Start(kind);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(proxy.Url) { Scheme = "ws", Path = "/ws" }.Uri, Bound);
        byte[] buffer = new byte[1000];
        for (int i = 1; i <= 100; i++)
        {
            await socket.SendAsync(
                Pattern.Bytes(i), WebSocketMessageType.Binary, endOfMessage: true, Bound);
            WebSocketReceiveResult received = await socket.ReceiveAsync(buffer, Bound);
            Assert.That(Pattern.Is(buffer.AsSpan(0, received.Count), i));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Bound);
    }

    [Test]
    public async Task TheClientsAddress_IsForwarded([ValueSource(nameof(_proxies))] string kind)
    {
        using ProxyProcess proxy = Start(kind);
        using HttpClient client = CreateClient(proxy.Url);

        Assert.That(
            await client.GetStringAsync("/header?name=X-Forwarded-For", Bound), Is.EqualTo("127.0.0.1"));
    }

    [Test]
    public async Task AClientThatGoes_AbortsItsRequest([ValueSource(nameof(_proxies))] string kind)
    {
        using ProxyProcess proxy = Start(kind);
        using HttpClient client = CreateClient(proxy.Url);
        using var cancelled = new CancellationTokenSource();
        Task<string> answer = client.GetStringAsync("/wait", cancelled.Token);
        PendingRequest request = await Server.Pending.TakeAsync(Bound);
        await cancelled.CancelAsync();

        Assert.That(async () => await answer.WaitAsync(Bound), Throws.InstanceOf<OperationCanceledException>());
        await request.Aborted.WaitAsync(Bound);
    }

    [TestCase("haproxy")]
    [TestCase("nginx")]
    public async Task Grpc_PassesThrough(string kind)
    {
        using ProxyProcess proxy = kind == "haproxy"
            ? ProxyProcess.StartHaproxy($"{Server.Http2.Authority} proto h2", "proto h2")
            : ProxyProcess.StartNginx(Server.Http2, "grpc_pass grpc://site;", "http2");
        using var channel = GrpcChannel.ForAddress(proxy.Url);
        var client = new Echo.EchoClient(channel);
        var sent = new Message { Content = ByteString.CopyFrom(Pattern.Bytes(100_000)) };
        Assert.That(await client.UnaryAsync(sent, cancellationToken: Bound), Is.EqualTo(sent));
        using AsyncDuplexStreamingCall<Message, Message> call = client.Chat(cancellationToken: Bound);
        for (int i = 0; i < 100; i++)
        {
            await call.RequestStream.WriteAsync(sent, Bound);
            Assert.That(await call.ResponseStream.MoveNext(Bound));
        }

        await call.RequestStream.CompleteAsync();
        Assert.That(await call.ResponseStream.MoveNext(Bound), Is.False);
    }

    // HTTP/2 knows no Upgrade: haproxy translates it into an extended CONNECT.
    private ProxyProcess Start(string kind) => kind switch
    {
        "haproxy" => ProxyProcess.StartHaproxy(Server.Http.Authority),
        "haproxy, TLS" => ProxyProcess.StartHaproxy(
            $"{Server.Https.Authority} ssl verify required ca-file {Server.CertificatePath}"),
        "haproxy, HTTP/2" => ProxyProcess.StartHaproxy($"{Server.Http2.Authority} proto h2"),
        "nginx" => ProxyProcess.StartNginx(Server.Http, HttpLocation),
        "nginx, TLS" => ProxyProcess.StartNginx(
            Server.Https, HttpLocation.Replace("http://site", "https://site", StringComparison.Ordinal)),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

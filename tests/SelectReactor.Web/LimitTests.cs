using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace SelectReactor.Web;

/// <summary>Kestrel's limits and time-outs hold over the transport.</summary>
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
public sealed class LimitTests(Transport transport)
{
    private CancellationTokenSource _end = null!;

    private CancellationToken Bound => _end.Token;

    [SetUp]
    public void StartBound() => _end = new CancellationTokenSource(TimeSpan.FromSeconds(30));

    [TearDown]
    public void DisposeBound() => _end.Dispose();

    [Test]
    public async Task Slowloris_GetsATimeOut()
    {
        await using WebServer server = await StartAsync(
            options => options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1));
        using RawClient client = await RawClient.ConnectAsync(server.Http, Bound);
        await client.SendAsync("GET /hello HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", Bound);
        using var dripping = CancellationTokenSource.CreateLinkedTokenSource(Bound);
        Task drip = DripAsync(client, dripping.Token);

        Assert.That(await client.ReadToAnyEndAsync(Bound), Does.StartWith("HTTP/1.1 408 ").Or.Empty);
        await dripping.CancelAsync();
        await drip;
    }

    [Test]
    public async Task AnIdleConnection_IsClosed()
    {
        await using WebServer server = await StartAsync(
            options => options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(1));
        using RawClient client = await RawClient.ConnectAsync(server.Http, Bound);
        await client.SendAsync("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", Bound);

        Assert.That(await client.ReadToEndAsync(Bound), Does.EndWith("hello\r\n0\r\n\r\n").Or.EndWith("hello"));
    }

    [Test]
    public async Task AnUploadBelowTheMinimumRate_GetsATimeOut()
    {
        await using WebServer server = await StartAsync(options =>
            options.Limits.MinRequestBodyDataRate = new MinDataRate(1000, TimeSpan.FromSeconds(1.1)));
        using RawClient client = await RawClient.ConnectAsync(server.Http, Bound);
        await client.SendAsync("POST /digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc", Bound);

        Assert.That(await client.ReadToAnyEndAsync(Bound), Does.StartWith("HTTP/1.1 408 "));
    }

    // The client reads nothing: all buffers on the way fill.
    [Test]
    public async Task ADownloadBelowTheMinimumRate_IsReset()
    {
        await using WebServer server = await StartAsync(options =>
            options.Limits.MinResponseDataRate = new MinDataRate(1e9, TimeSpan.FromSeconds(1.1)));
        using RawClient client = await RawClient.ConnectAsync(server.Http, Bound);
        await client.SendAsync("GET /bytes/1000000000 HTTP/1.1\r\nHost: localhost\r\n\r\n", Bound);
        await AwaitAsync(() => server.Connections.Count == 1);
        await AwaitAsync(() => server.Connections.Count == 0);

        Assert.That(
            async () => await client.ReadToEndAsync(Bound),
            Throws.InstanceOf<SocketException>()
                .With.Property("SocketErrorCode").EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public async Task ABodyThatIsTooLarge_IsRefused()
    {
        await using WebServer server = await StartAsync(options => options.Limits.MaxRequestBodySize = 1000);
        using RawClient client = await RawClient.ConnectAsync(server.Http, Bound);
        await client.SendAsync(
            "POST /trailers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n", Bound);

        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Bound), Does.StartWith("HTTP/1.1 413 "));
    }

    [Test]
    public async Task HeadersThatAreTooLarge_AreRefused()
    {
        await using WebServer server = await StartAsync(options => options.Limits.MaxRequestHeadersTotalSize = 1000);
        using RawClient client = await RawClient.ConnectAsync(server.Http, Bound);
        await client.SendAsync(
            $"GET /hello HTTP/1.1\r\nHost: localhost\r\nX-Long: {new string('x', 1000)}\r\n\r\n", Bound);

        Assert.That(await client.ReadToAnyEndAsync(Bound), Does.StartWith("HTTP/1.1 431 ").Or.Empty);
    }

    [Test]
    public async Task ConnectionsOverTheLimit_AreClosed()
    {
        await using WebServer server = await StartAsync(options => options.Limits.MaxConcurrentConnections = 2);
        using RawClient first = await ServedAsync(server);
        using RawClient second = await ServedAsync(server);
        using RawClient third = await RawClient.ConnectAsync(server.Http, Bound);
        Assert.That(await third.ReadToAnyEndAsync(Bound), Is.Empty);
        first.Dispose();
        await AwaitAsync(() => server.Connections.Count == 1);

        using RawClient fourth = await ServedAsync(server);
    }

    [Test]
    public async Task UpgradesOverTheLimit_AreRefused()
    {
        await using WebServer server = await StartAsync(
            options => options.Limits.MaxConcurrentUpgradedConnections = 1);
        var address = new UriBuilder(server.Http) { Scheme = "ws", Path = "/ws" };
        using var first = new ClientWebSocket();
        await first.ConnectAsync(address.Uri, Bound);
        using var second = new ClientWebSocket();

        Assert.That(
            async () => await second.ConnectAsync(address.Uri, Bound), Throws.InstanceOf<WebSocketException>());
    }

    private Task<WebServer> StartAsync(Action<KestrelServerOptions> configure) =>
        WebServer.StartAsync(transport, configure, TimeSpan.FromSeconds(1));

    private async Task<RawClient> ServedAsync(WebServer server)
    {
        RawClient client = await RawClient.ConnectAsync(server.Http, Bound);
        await client.SendAsync("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", Bound);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Bound), Does.StartWith("HTTP/1.1 200 "));
        return client;
    }

    // A byte now and then keeps a naive server waiting for ever.
    private static async Task DripAsync(RawClient client, CancellationToken end)
    {
        try
        {
            while (true)
            {
                await client.SendAsync("x", end);
                await Task.Delay(100, end);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // The server has closed, or the test is over.
        }
    }

    private async Task AwaitAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(5, Bound);
        }
    }
}

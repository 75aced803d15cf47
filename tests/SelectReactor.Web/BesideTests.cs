using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Web;

/// <summary>One web application serves HTTP over the transport and a TCP protocol of its own by
/// SelectReactor.Hosting.</summary>
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
public sealed class BesideTests(Transport transport)
{
    private CancellationTokenSource _end = null!;
    private TcpListener _peer = null!;

    private CancellationToken Bound => _end.Token;

    [SetUp]
    public void StartBoundAndPeer()
    {
        _end = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        _peer = new TcpListener(IPAddress.Loopback, 0);
        _peer.Start();
    }

    [TearDown]
    public void DisposeBoundAndPeer()
    {
        _end.Dispose();
        _peer.Dispose();
    }

    [Test]
    public async Task HttpAndTcp_ShareServices_AndHealthChecksSeeTheLoops()
    {
        await using WebApplication app = Build();
        await app.StartAsync(Bound);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        Assert.That(await http.GetStringAsync("/live", Bound), Is.EqualTo("Healthy"));
        Assert.That(await http.GetStringAsync("/ready", Bound), Is.EqualTo("Healthy"));
        for (int i = 1; i <= 10; i++)
        {
            Assert.That(await EchoAsync(app, "hello"), Is.EqualTo("hello"));
            Assert.That(await http.GetStringAsync("/bytes", Bound), Is.EqualTo($"{5 * i}"));
        }

        await app.StopAsync(Bound);
    }

    [Test]
    public async Task WhenTheHostStops_BothEnd()
    {
        await using WebApplication app = Build();
        await app.StartAsync(Bound);
        EndPoint tcp = EndPointOf(app);
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)tcp, Bound);
        await EchoAsync(client, "served");
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        Assert.That(await http.GetStringAsync("/bytes", Bound), Is.EqualTo("6"));
        Task<int> leaving = ReadAndCloseAsync(client);
        await app.StopAsync(Bound);

        Assert.That(await leaving, Is.Zero, "OnStopping closes");
        Assert.That(async () => await EchoAsync((IPEndPoint)tcp, "late"), Throws.InstanceOf<SocketException>());
        Assert.That(async () => await http.GetStringAsync("/bytes", Bound), Throws.InstanceOf<HttpRequestException>());
    }

    // Kestrel waits for a WebSocket until the end of the host's time-out.
    [Test]
    public async Task TheTcpServerDrains_WhileKestrelWaitsForAWebSocket()
    {
        await using WebApplication app = Build();
        await app.StartAsync(Bound);
        GroupListener listener = app.Services.GetRequiredService<HostedReactor>().GetListener("echo");
        var tcp = (IPEndPoint)listener.LocalEndPoint;
        using var client = new TcpClient();
        await client.ConnectAsync(tcp, Bound);
        await EchoAsync(client, "served");
        using var socket = new ClientWebSocket();
        var address = new UriBuilder(app.Urls.Single()) { Scheme = "ws", Path = "/ws" };
        await socket.ConnectAsync(address.Uri, Bound);
        await EchoAsync(socket);

        Task stopping = app.StopAsync(Bound);
        Assert.That(await ReadAndCloseAsync(client), Is.Zero, "OnStopping closes");
        await listener.Drained.WaitAsync(Bound);

        Assert.That(async () => await EchoAsync(tcp, "late"), Throws.InstanceOf<SocketException>());
        await EchoAsync(socket);
        Assert.That(stopping.IsCompleted, Is.False, "Kestrel waits");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Bound);
        await stopping;
    }

    [Test]
    public async Task ARequestUnderWay_UsesAPool_WhileTheHostStops()
    {
        await using WebApplication app = Build();
        await app.StartAsync(Bound);
        var gate = app.Services.GetRequiredService<Gate>();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        Task<string> request = http.GetStringAsync("/rent", Bound);
        await gate.IsReached.Task.WaitAsync(Bound);

        Task stopping = app.StopAsync(Bound);
        await app.Services.GetRequiredService<HostedReactor>().GetListener("echo").Drained.WaitAsync(Bound);
        gate.IsOpen.SetResult();

        Assert.That(await request, Is.EqualTo("rented"));
        await stopping;
    }

    private async Task EchoAsync(ClientWebSocket socket)
    {
        byte[] bytes = new byte[1];
        await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, Bound);
        await socket.ReceiveAsync(bytes, Bound);
        Assert.That(bytes, Is.EqualTo("x"u8.ToArray()));
    }

    private async Task<int> ReadAndCloseAsync(TcpClient client)
    {
        int count = await client.GetStream().ReadAsync(new byte[1], Bound);
        client.Dispose();
        return count;
    }

    private WebApplication Build()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTransport(transport).ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<ByteCount>().AddSingleton<Gate>();
        builder.Services.AddSelectReactor()
            .AddServer<EchoHandler>("echo", options => options.EndPoint = "127.0.0.1:0")
            .AddConnectionPool("store", options => options.ConnectTo = _peer.LocalEndpoint)
            .AddHealthChecks();
        WebApplication app = builder.Build();
        app.UseWebSockets();
        app.MapGet("/bytes", (ByteCount count) => $"{count.Value}");
        app.MapGet("/rent", static async ([FromKeyedServices("store")] ConnectionPool store, Gate gate) =>
        {
            gate.IsReached.SetResult();
            await gate.IsOpen.Task;
            (await store.RentAsync()).Return();
            return "rented";
        });
        app.Map("/ws", static async (HttpContext context) =>
            await ServeAsync(await context.WebSockets.AcceptWebSocketAsync()));
        app.MapHealthChecks("/live", new() { Predicate = check => check.Tags.Contains("live") });
        app.MapHealthChecks("/ready", new() { Predicate = check => check.Tags.Contains("ready") });
        return app;
    }

    private static async Task ServeAsync(WebSocket socket)
    {
        byte[] buffer = new byte[100];
        while (await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None)
            is { MessageType: not WebSocketMessageType.Close } message)
        {
            await socket.SendAsync(
                buffer.AsMemory(0, message.Count), WebSocketMessageType.Binary, true, CancellationToken.None);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }

    private static EndPoint EndPointOf(WebApplication app) =>
        app.Services.GetRequiredService<HostedReactor>().GetListener("echo").LocalEndPoint;

    private Task<string> EchoAsync(WebApplication app, string text) => EchoAsync((IPEndPoint)EndPointOf(app), text);

    private async Task<string> EchoAsync(IPEndPoint server, string text)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server, Bound);
        return await EchoAsync(client, text);
    }

    private async Task<string> EchoAsync(TcpClient client, string text)
    {
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(text);
        await client.GetStream().WriteAsync(bytes, Bound);
        await client.GetStream().ReadExactlyAsync(bytes, Bound);
        return System.Text.Encoding.ASCII.GetString(bytes);
    }

    private sealed class ByteCount
    {
        private long _value;

        public long Value => Interlocked.Read(ref _value);

        public void Add(long count) => Interlocked.Add(ref _value, count);
    }

    private sealed class EchoHandler(ByteCount count) : ConnectionHandler
    {
        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out System.IO.Pipelines.ReadResult result))
            {
                count.Add(result.Buffer.Length);
                connection.Append(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }

        public override void OnStopping(Connection connection) => connection.Close();
    }

    /// <summary>Holds a request until the test opens it.</summary>
    private sealed class Gate
    {
        public TaskCompletionSource IsReached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource IsOpen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

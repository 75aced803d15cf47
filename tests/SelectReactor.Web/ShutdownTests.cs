using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Web;

/// <summary>The server stops: requests under way finish, new ones are refused, the host's time-out holds.</summary>
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
public sealed class ShutdownTests(Transport transport)
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(30);
    private static readonly string[] _schemes = ["http", "https", "h2", "h2c"];
    private CancellationTokenSource _end = null!;

    private CancellationToken Bound => _end.Token;

    [SetUp]
    public void StartBound() => _end = new CancellationTokenSource(TimeSpan.FromSeconds(40));

    [TearDown]
    public void DisposeBound() => _end.Dispose();

    [Test]
    public async Task RequestsUnderWay_Finish([ValueSource(nameof(_schemes))] string scheme)
    {
        const int Count = 20;
        await using WebServer server = await WebServer.StartAsync(transport, shutdownTimeout: _long);
        using HttpClient client = CreateClient(server, scheme);
        Task<string>[] answers = [.. Enumerable.Range(0, Count).Select(_ => client.GetStringAsync("/wait", Bound))];
        PendingRequest[] requests = await server.Pending.TakeAsync(Count, Bound);
        Task stopping = server.StopAsync();
        await AwaitRefusalAsync(server);
        Assert.That(stopping.IsCompleted, Is.False);
        foreach (PendingRequest request in requests)
        {
            request.Answer("finished");
        }

        Assert.That(await Task.WhenAll(answers), Is.All.EqualTo("finished"));
        await stopping.WaitAsync(Bound);
        Assert.That(server.TakeLog(), Is.Empty);
        Assert.That(server.Connections.Count, Is.Zero);
    }

    [Test]
    public async Task RequestsThatDoNotFinish_AreAborted([ValueSource(nameof(_schemes))] string scheme)
    {
        await using WebServer server = await WebServer.StartAsync(
            transport, shutdownTimeout: TimeSpan.FromSeconds(0.5));
        using HttpClient client = CreateClient(server, scheme);
        Task<string> answer = client.GetStringAsync("/wait", Bound);
        PendingRequest request = await server.Pending.TakeAsync(Bound);
        await server.StopAsync().WaitAsync(Bound);

        await request.Aborted.WaitAsync(Bound);
        Assert.That(async () => await answer, Throws.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task IdleConnections_AreClosedAtOnce([ValueSource(nameof(_schemes))] string scheme)
    {
        await using WebServer server = await WebServer.StartAsync(transport, shutdownTimeout: _long);
        using HttpClient client = CreateClient(server, scheme);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.GetStringAsync("/hello", Bound)));

        await server.StopAsync().WaitAsync(Bound);
        Assert.That(server.Connections.Count, Is.Zero);
    }

    // Each response that begins is whole, until the port is closed.
    [Test]
    public async Task UnderLoad_NoResponseIsCut([ValueSource(nameof(_schemes))] string scheme)
    {
        await using WebServer server = await WebServer.StartAsync(transport, shutdownTimeout: _long);
        using HttpClient client = CreateClient(server, scheme);
        int served = 0;
        using var enough = new CountdownEvent(500);
        Task[] visitors = [.. Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
        {
            while (await TryGetAsync(client) is { } response)
            {
                using (response)
                {
                    byte[] bytes = await response.Content.ReadAsByteArrayAsync(Bound);
                    Assert.That(Pattern.Is(bytes, 50_000));
                }

                if (Interlocked.Increment(ref served) <= enough.InitialCount)
                {
                    enough.Signal();
                }
            }
        }))];
        await Task.Run(() => enough.Wait(Bound));
        await server.StopAsync().WaitAsync(Bound);
        await Task.WhenAll(visitors).WaitAsync(Bound);

        Assert.That(server.TakeLog(), Is.Empty);
        Assert.That(server.Connections.Count, Is.Zero);
    }

    [Test]
    public async Task AServer_StartsAgainOnTheSamePort()
    {
        int port;
        await using (WebServer first = await WebServer.StartAsync(transport))
        {
            port = first.Http.Port;
            using HttpClient client = CreateClient(first, "http");
            Assert.That(await client.GetStringAsync("/hello", Bound), Is.EqualTo("hello"));
            await first.StopAsync().WaitAsync(Bound);
        }

        await using WebServer second = await WebServer.StartAsync(
            transport, options => options.Listen(IPAddress.Loopback, port));
        using var visitor = new HttpClient();
        Assert.That(
            await visitor.GetStringAsync($"http://127.0.0.1:{port}/hello", Bound), Is.EqualTo("hello"));
    }

    // Null when the server took no more requests.
    private async Task<HttpResponseMessage?> TryGetAsync(HttpClient client)
    {
        try
        {
            return await client.GetAsync("/bytes/50000", HttpCompletionOption.ResponseHeadersRead, Bound);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private async Task AwaitRefusalAsync(WebServer server)
    {
        while (true)
        {
            try
            {
                using RawClient client = await RawClient.ConnectAsync(server.Http, Bound);
                await Task.Delay(5, Bound);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
            {
                return;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
            {
                // The port was closed while this connection was in its queue.
            }
        }
    }

    private static HttpClient CreateClient(WebServer server, string scheme) => new(WebFixture.CreateHandler())
    {
        BaseAddress = scheme switch
        {
            "http" => server.Http,
            "h2c" => server.Http2,
            _ => server.Https,
        },
        DefaultRequestVersion = scheme is "h2" or "h2c" ? HttpVersion.Version20 : HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };
}

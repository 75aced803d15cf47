using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>When, where and how <c>ListenAsync</c> completes.</summary>
public sealed class ListenAsyncTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly ScriptedHandler _handler = new();

    [Test]
    public void AServerAndAClientOnAReactorThread_AreALineEach()
    {
        using var thread = new ReactorThread(Options());
        Serve().WaitAsync(Bound).GetAwaiter().GetResult();

        async Task Serve()
        {
            using Listener listener = await thread.Reactor.ListenAsync(
                AnyPort, async (c, _) => await c.Output.WriteAsync("hello"u8.ToArray()));
            Connection client = await thread.Reactor.ConnectAsync(listener.LocalEndPoint);
            byte[] got = await thread.Reactor.InvokeAsync(() => ReadToEnd(client));

            Assert.That(got, Is.EqualTo("hello"u8.ToArray()));
            Assert.That(thread.Reactor.IsReactorThread, Is.False, "the caller stays on a thread of its own");
            await listener.StopAcceptingAsync();
            Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
            await client.DisposeAsync();
            await listener.Drained;
            Assert.That(listener.ConnectionCount, Is.Zero);
        }

        static async Task<byte[]> ReadToEnd(Connection connection)
        {
            List<byte> all = [];
            while (true)
            {
                System.IO.Pipelines.ReadResult result = await connection.Input.ReadAsync();
                all.AddRange(System.Buffers.BuffersExtensions.ToArray(result.Buffer));
                connection.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return [.. all];
                }
            }
        }
    }

    [Test]
    public void BeforeTheLoopRuns_ItWaitsForIt()
    {
        Task<Listener> listening = Reactor.ListenAsync(AnyPort, _handler);
        Assert.That(listening.IsCompleted, Is.False);
        using Listener listener = RunUntil(listening);

        Assert.That(Peer.CanConnect(listener.LocalEndPoint));
    }

    [Test]
    public void AwaitedInACallback_ItContinuesOnTheLoop_InALaterPhase([Values] bool withContext)
    {
        List<string> order = [];
        bool? onLoop = null;
        Listener? listener = null;
        Reactor.Post(async () =>
        {
            Task<Listener> listening = Reactor.ListenAsync(AnyPort, _handler);
            Reactor.Post(() => order.Add("posted later"));
            order.Add(listening.IsCompleted ? "at once" : "pending");
            listener = await listening.ConfigureAwait(withContext);
            order.Add("listening");
            onLoop = Reactor.IsReactorThread;
        });
        RunUntil(() => order.Count == 3);
        listener!.Dispose();

        Assert.That(order[0], Is.EqualTo("pending"));
        Assert.That(onLoop, Is.True);
        Assert.That(order, Is.EquivalentTo(new[] { "pending", "listening", "posted later" }));
    }

    [Test]
    public void FromManyThreads_EachGetsItsListener()
    {
        using var thread = new ReactorThread(Options());
        Task<Listener>[] listening =
        [
            .. Enumerable.Range(0, 16).Select(
                _ => Task.Run(() => thread.Reactor.ListenAsync(AnyPort, new ScriptedHandler()))),
        ];
        Assert.That(Task.WaitAll(listening, Bound));

        Assert.That(listening.Select(static task => task.Result.LocalEndPoint), Is.Unique);
        Assert.That(listening.All(static task => Peer.CanConnect(task.Result.LocalEndPoint)));
    }

    [Test]
    public void Errors_AreInTheTask()
    {
        using Listener busy = Reactor.Listen(AnyPort, _handler);
        using var unbound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.That(
            () => RunUntil(Reactor.ListenAsync(busy.LocalEndPoint, _handler)),
            Throws.TypeOf<SocketException>()
                .With.Property(nameof(SocketException.SocketErrorCode)).EqualTo(SocketError.AddressAlreadyInUse)
                .And.Message.StartsWith($"Can't listen on {busy.LocalEndPoint}: "));
        Assert.That(
            () => RunUntil(Reactor.ListenAsync(new DnsEndPoint("localhost", 0), _handler)),
            Throws.TypeOf<NotSupportedException>());
        Assert.That(() => RunUntil(Reactor.ListenAsync(unbound, _handler)), Throws.ArgumentException);
    }

    [TestCase("before")]
    [TestCase("meanwhile")]
    public void OnADisposedReactor_ItFails(string disposed)
    {
        var reactor = new Reactor(Options());
        Task<Listener>? listening = disposed == "meanwhile" ? reactor.ListenAsync(AnyPort, _handler) : null;
        reactor.Dispose();
        listening ??= reactor.ListenAsync(AnyPort, _handler);

        Assert.That(() => listening.GetAwaiter().GetResult(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void DuringAShutdown_ItFails()
    {
        using Listener held = Reactor.Listen(AnyPort, _handler);
        using var peer = Peer.Connect(held.LocalEndPoint);
        RunUntil(() => _handler.IsConnected);
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.FromHours(1));
        Assert.That(
            () => RunUntil(Reactor.ListenAsync(AnyPort, _handler)),
            Throws.InvalidOperationException.With.Message.Contains("shutting down"));
        peer.Dispose();
        RunUntil(shutdown);
    }

    [Test]
    public void AnEndPointThatChangesMeanwhile_IsNotFollowed()
    {
        var endPoint = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0);
        var options = new ListenerOptions();
        Task<Listener> listening = Reactor.ListenAsync(endPoint, _handler, options);
        endPoint.Address = IPAddress.Parse("192.0.2.1");
        options.ReusePort = true;
        using Listener listener = RunUntil(listening);

        Assert.That(((IPEndPoint)listener.LocalEndPoint).Address, Is.EqualTo(IPAddress.Parse("127.0.0.2")));
        Assert.That(
            () => Reactor.Listen(listener.LocalEndPoint, _handler, options), Throws.InstanceOf<SocketException>());
    }
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>Shutdown, disposal and the thread of its own.</summary>
public sealed class EndTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly SelectorKind _selector = selector;

    [Test]
    public void Shutdown_WithNothingOpen_EndsRun()
    {
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.FromHours(1));
        Reactor.Run();

        Assert.That(shutdown.IsCompletedSuccessfully);
    }

    [Test]
    public void Shutdown_StopsAccepting_AndEndsWithTheLastConnection()
    {
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.IsConnected);
        var shutdown = Task.Run(() => Reactor.ShutdownAsync(TimeSpan.FromHours(1)));
        RunUntil(() => !Peer.CanConnect(listener.LocalEndPoint), "the listener closes");
        Assert.That(() => Reactor.Listen(AnyPort, handler), Throws.InvalidOperationException);

        peer.Send("still served"u8);
        RunUntil(() => peer.Socket.Available == 12);
        peer.Receive(12);
        Assert.That(shutdown.IsCompleted, Is.False);
        peer.Dispose();
        RunUntil(shutdown);
        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void Shutdown_ClosesTheRestAtTheDeadline_AndASecondCallReplacesIt()
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        var handler = new ScriptedHandler();
        using Listener listener = reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => handler.IsConnected);
        Task shutdown = reactor.ShutdownAsync(TimeSpan.FromSeconds(60));
        reactor.RunOnce(TimeSpan.Zero);
        Task again = reactor.ShutdownAsync(TimeSpan.FromSeconds(2));
        reactor.RunOnce(TimeSpan.Zero);
        time.Advance(TimeSpan.FromSeconds(1.9));
        reactor.RunOnce(TimeSpan.Zero);
        Assert.That(shutdown.IsCompleted, Is.False);

        time.Advance(TimeSpan.FromSeconds(0.1));
        RunUntil(reactor, () => shutdown.IsCompleted && again.IsCompleted);
        Assert.That(handler.CloseReason, Is.EqualTo(new CloseReason { Kind = CloseKind.ReactorStopped }));
        Assert.That(peer.ReceiveToEnd(), Is.Empty, "ended in good order");
    }

    [Test]
    public void Dispose_ClosesEverything_OnTheDisposingThread()
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        using var other = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.Connections.Count == 2);
        int thread = 0;
        handler.Closed = (_, _) => thread = Environment.CurrentManagedThreadId;
        Task.Run(Reactor.Dispose).Wait();
        Reactor.Dispose();

        Assert.That(handler.CloseReasons, Is.EqualTo(Enumerable.Repeat(new CloseReason { Kind = CloseKind.ReactorStopped }, 2)));
        Assert.That(thread, Is.Not.Zero);
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        Assert.That(() => Reactor.Run(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => Reactor.Listen(AnyPort, handler), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(Reactor.Stop, Throws.Nothing);
    }

    [Test]
    public void Dispose_InsideACallback_TakesEffectAfterTheTick()
    {
        var handler = new ScriptedHandler();
        handler.Connected = _ =>
        {
            Reactor.Dispose();
            Assert.That(handler.IsClosed, Is.False);
        };
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        Reactor.Run();

        Assert.That(handler.Events, Is.EqualTo(new[] { "OnConnected", "OnClosed" }));
    }

    [Test]
    public void Dispose_WhileAnotherThreadRuns_LetsThatThreadClose([Range(1, 10)] int round)
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        using var connected = new ManualResetEventSlim();
        handler.Connected = _ => connected.Set();
        int closedOn = 0;
        handler.Closed = (_, _) => closedOn = Environment.CurrentManagedThreadId;
        int loopThread = 0;
        var loop = Task.Run(() =>
        {
            loopThread = Environment.CurrentManagedThreadId;
            Reactor.Run();
        });
        Assert.That(connected.Wait(Bound));
        Task[] disposing = [.. Enumerable.Range(0, 1 + (round % 3)).Select(_ => Task.Run(Reactor.Dispose))];
        Assert.That(Task.WaitAll([.. disposing, loop], Bound));

        Assert.That(handler.Events, Is.EqualTo(new[] { "OnConnected", "OnClosed" }));
        Assert.That(closedOn, Is.EqualTo(loopThread));
    }

    [Test]
    public void CreateAndDispose_LeavesNoDescriptor() => Descriptors.AssertNoneLeft(100, () =>
    {
        using var reactor = new Reactor(Options());
        reactor.Listen(AnyPort, new ScriptedHandler());
        reactor.RunOnce(TimeSpan.Zero);
    });

    [Test]
    public void ReactorThread_RunsUntilDisposed()
    {
        var thread = new ReactorThread(new ReactorOptions { SelectorFactory = _selector.Create });
        bool onThread = thread.Reactor.InvokeAsync(() => thread.Reactor.IsReactorThread).Result;
        thread.Reactor.Post(thread.Dispose);
        Assert.That(thread.Completion.Wait(Bound), "disposed on its own thread");
        thread.Dispose();

        Assert.That(onThread);
        Assert.That(thread.Completion.IsCompletedSuccessfully);
    }

    [Test]
    public void ReactorThread_ThatFails_TellsAndLogs()
    {
        var logger = new ListLogger();
        using var thread = new ReactorThread(Options(logger: logger, propagateExceptions: true));
        thread.Reactor.Post(static () => throw new InvalidDataException("x"));

        Assert.That(() => thread.Completion.Wait(Bound), Throws.InnerException.TypeOf<InvalidDataException>());
        Assert.That(logger.Entries.Select(static e => (e.Level, e.Id)), Does.Contain((LogLevel.Critical, 6)));
    }
}

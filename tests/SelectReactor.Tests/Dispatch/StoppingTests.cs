using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>The token that tells of the end, and what a reactor still does after its shutdown.</summary>
public sealed class StoppingTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void Stopping_IsCancelledOnTheLoop_WhenAShutdownBegins()
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.IsConnected);
        List<(bool OnLoop, bool IsOpen)> seen = [];
        using CancellationTokenRegistration registration = Reactor.Stopping.Register(() => seen.Add((
            Reactor.IsReactorThread, handler.Connection.State == ConnectionState.Open)));
        Assert.That(Reactor.Stopping.IsCancellationRequested, Is.False);
        var shutdown = Task.Run(() => Reactor.ShutdownAsync(TimeSpan.FromHours(1)));
        RunUntil(() => Reactor.Stopping.IsCancellationRequested);
        Assert.That(seen, Is.EqualTo(new[] { (true, true) }));
        Assert.That(shutdown.IsCompleted, Is.False);

        peer.Dispose();
        RunUntil(shutdown);
        Assert.That(seen, Has.Count.EqualTo(1));
    }

    [Test]
    public void Dispose_CancelsIt_OnTheThreadThatCloses()
    {
        int thread = 0;
        using CancellationTokenRegistration registration =
            Reactor.Stopping.Register(() => thread = Environment.CurrentManagedThreadId);
        Reactor.RunOnce(TimeSpan.Zero);
        Assert.That(Task.Run(Reactor.Dispose).Wait(Bound));
        Assert.That(Reactor.Stopping.IsCancellationRequested, Is.False, "bound to this thread, which closes");
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(thread, Is.EqualTo(Environment.CurrentManagedThreadId));
    }

    [Test]
    public void Stop_DoesNotCancelIt()
    {
        Reactor.Post(Reactor.Stop);
        Reactor.Run();

        Assert.That(Reactor.Stopping.IsCancellationRequested, Is.False);
    }

    [Test]
    public void ACallbackThatThrows_IsLogged_AndTheOthersAndTheEndFollow([Values] bool byDispose)
    {
        var log = new ListLogger();
        using var reactor = new Reactor(Options(logger: log));
        int called = 0;
        reactor.Stopping.Register(() => called++);
        reactor.Stopping.Register(static () => throw new InvalidDataException("first"));
        reactor.Stopping.Register(static () => throw new InvalidDataException("second"));
        reactor.Stopping.Register(() => called++);
        Task shutdown = Task.CompletedTask;
        if (byDispose)
        {
            reactor.Dispose();
        }
        else
        {
            shutdown = reactor.ShutdownAsync(TimeSpan.Zero);
            reactor.Run();
        }

        Assert.That((called, shutdown.IsCompletedSuccessfully), Is.EqualTo((2, true)));
        Assert.That(
            log.Entries.Where(static entry => entry.Level == LogLevel.Error)
                .Select(static entry => (entry.Id, entry.Exception?.Message)),
            Is.EquivalentTo(new[] { (50, "first"), (50, "second") }));
    }

    [Test]
    public void ACallback_LeavesNothingBehind()
    {
        using CancellationTokenRegistration registration = Reactor.Stopping.Register(
            static () => SynchronizationContext.SetSynchronizationContext(new SynchronizationContext()));
        _ = Reactor.ShutdownAsync(TimeSpan.FromHours(1));
        SynchronizationContext? seen = null;
        Reactor.Post(() => seen = SynchronizationContext.Current);
        Reactor.Run();

        Assert.That(seen, Is.SameAs(Reactor.SynchronizationContext));
    }

    // The reactor has begun to stop when the token says so.
    [Test]
    public void NothingCanBeStarted_InACallback()
    {
        Exception? refused = null;
        using CancellationTokenRegistration registration = Reactor.Stopping.Register(
            () => refused = Assert.Catch(() => Reactor.Listen(AnyPort, new ScriptedHandler())));
        _ = Reactor.ShutdownAsync(TimeSpan.Zero);
        Reactor.Run();

        Assert.That(refused, Is.TypeOf<InvalidOperationException>());
    }

    [Test]
    public void WithoutADeadline_TheEndIsThatOfTheLastConnection()
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        ScriptedHandler handler = Connect(reactor, out Peer peer);
        Task shutdown = reactor.ShutdownAsync(Timeout.InfiniteTimeSpan);
        reactor.RunOnce(TimeSpan.Zero);
        time.Advance(TimeSpan.FromDays(1000));
        reactor.RunOnce(TimeSpan.Zero);
        reactor.RunOnce(TimeSpan.Zero);
        Assert.That((handler.IsClosed, reactor.Stopping.IsCancellationRequested), Is.EqualTo((false, true)));
        peer.Dispose();
        RunUntil(reactor, () => shutdown.IsCompleted);

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void ALaterCall_SetsADeadline_AndAnotherTakesItAway([Values] bool takesItAway)
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        ScriptedHandler handler = Connect(reactor, out Peer peer);
        Task shutdown = reactor.ShutdownAsync(Timeout.InfiniteTimeSpan);
        _ = reactor.ShutdownAsync(TimeSpan.FromSeconds(5));
        if (takesItAway)
        {
            _ = reactor.ShutdownAsync(Timeout.InfiniteTimeSpan);
        }

        reactor.RunOnce(TimeSpan.Zero);
        time.Advance(TimeSpan.FromSeconds(5));
        reactor.RunOnce(TimeSpan.Zero);
        reactor.RunOnce(TimeSpan.Zero);
        Assert.That(handler.IsClosed, Is.Not.EqualTo(takesItAway));
        peer.Dispose();
        RunUntil(reactor, () => shutdown.IsCompleted);
    }

    [Test]
    public void AfterAFinishedShutdown_WhatIsPosted_StillRuns([Values("Run", "RunOnce", "Dispose")] string how)
    {
        _ = Reactor.ShutdownAsync(TimeSpan.Zero);
        Reactor.Run();
        List<string> ran = [];
        Reactor.Post(() =>
        {
            ran.Add("post");
            Reactor.Post(() => ran.Add("post of the post"));
        });
        Task<bool> invoked = Reactor.InvokeAsync(static () => true);
        switch (how)
        {
            case "Run":
                Reactor.Run();
                break;
            case "RunOnce":
                RunUntil(() => ran.Count == 2);
                break;
            default:
                Reactor.Dispose();
                break;
        }

        Assert.That(ran, Is.EqualTo(new[] { "post", "post of the post" }));
        Assert.That(invoked.IsCompletedSuccessfully);
    }

    [Test]
    public void AfterAFinishedShutdown_NothingNewCanBeStarted_AndTheMessageSaysWhatToDo()
    {
        _ = Reactor.ShutdownAsync(TimeSpan.Zero);
        Reactor.Run();

        Assert.That(
            () => Reactor.Listen(AnyPort, new ScriptedHandler()),
            Throws.InvalidOperationException.With.Message.Contains("start on a new one"));
    }

    [Test]
    public void PostsThatPostForEver_DoNotKeepALaterRun()
    {
        _ = Reactor.ShutdownAsync(TimeSpan.Zero);
        Reactor.Run();
        Reactor.Post(Again);
        Reactor.Run();

        void Again() => Reactor.Post(Again);
    }

    private static ScriptedHandler Connect(Reactor reactor, out Peer peer)
    {
        var handler = new ScriptedHandler();
        Listener listener = reactor.Listen(AnyPort, handler);
        peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => handler.IsConnected);
        return handler;
    }
}

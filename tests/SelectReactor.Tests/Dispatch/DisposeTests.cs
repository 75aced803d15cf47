using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>The end at once: nothing is lost without a word, whoever ends it and when.</summary>
public sealed class DisposeTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void WhatWasQueued_Runs_AndWhatItPosts_AndWhatComesLaterIsRefused()
    {
        var ran = new List<string>();
        Reactor.Post(() =>
        {
            ran.Add("first");
            Reactor.Post(() => ran.Add("posted by the first"));
        });
        Task<int> invoked = Reactor.InvokeAsync(() => 42);
        Task<int> failing = Reactor.InvokeAsync<int>(static () => throw new InvalidDataException());
        Reactor.Dispose();
        Task<int> late = Reactor.InvokeAsync(static () => 43);

        Assert.That(ran, Is.EqualTo(new[] { "first", "posted by the first" }));
        Assert.That(invoked.Result, Is.EqualTo(42));
        Assert.That(failing.Exception?.InnerException, Is.TypeOf<InvalidDataException>());
        Assert.That(() => Reactor.Post(static () => { }), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(late.Exception?.InnerException, Is.TypeOf<ObjectDisposedException>());
        Assert.That(() => Reactor.Run(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => Reactor.Listen(AnyPort, new ScriptedHandler()), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(Reactor.Stop, Throws.Nothing);
    }

    [Test]
    public void Timers_AreNoLongerActive_NorIsOneThatIsMadeLater()
    {
        ReactorTimer before = Reactor.Schedule(TimeSpan.FromHours(1), static () => { });
        ReactorTimer inTheEnd = before;
        Reactor.Post(() => inTheEnd = Reactor.Schedule(TimeSpan.Zero, static () => { }));
        Reactor.Dispose();
        ReactorTimer after = Reactor.Schedule(TimeSpan.Zero, static () => { });

        Assert.That(inTheEnd, Is.Not.SameAs(before));
        Assert.That(new[] { before, inTheEnd, after }.Select(static timer => timer.IsActive), Is.All.False);
    }

    [TestCase("never run")]
    [TestCase("run has returned")]
    public void WithoutALoop_TheCallingThreadClosesEverything(string before)
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        int closing = 0;
        handler.Connected = _ => Reactor.Stop();
        handler.Closed = (_, _) => closing = Environment.CurrentManagedThreadId;
        if (before == "run has returned")
        {
            Reactor.Run();
        }

        int disposing = Task.Run(() =>
        {
            Reactor.Dispose();
            return Environment.CurrentManagedThreadId;
        }).Result;

        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        Assert.That(closing, Is.EqualTo(before == "never run" ? 0 : disposing));
    }

    // The loop of a game: its thread has the reactor also between two steps, and its own code runs there.
    [Test]
    public void BesideALoopOfSteps_TheNextStepClosesEverything_OnItsThread()
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        using var other = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.Connections.Count == 2);
        int thread = 0;
        handler.Closed = (_, _) => thread = Environment.CurrentManagedThreadId;
        Task.Run(Reactor.Dispose).Wait();
        Assert.That(handler.IsClosed, Is.False, "closed beside the code of the thread that steps");

        Assert.That(Reactor.RunOnce(Timeout.InfiniteTimeSpan), Is.Zero);
        Assert.That(
            handler.CloseReasons,
            Is.EqualTo(Enumerable.Repeat(new CloseReason { Kind = CloseKind.ReactorStopped }, 2)));
        Assert.That(thread, Is.EqualTo(Environment.CurrentManagedThreadId));
        Assert.That(() => Reactor.RunOnce(TimeSpan.Zero), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void BesideALoopThatWaitsInAStep_EndsTheWait_AndThatStepCloses()
    {
        var handler = new ScriptedHandler();
        using var reactor = new Reactor(Options());
        Listener listener = reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => handler.IsConnected);
        int thread = 0;
        handler.Closed = (_, _) => thread = Environment.CurrentManagedThreadId;
        using var waiting = new ManualResetEventSlim();
        var disposing = Task.Run(() =>
        {
            waiting.Wait(Bound);
            reactor.Dispose();
        });
        waiting.Set();
        while (!handler.IsClosed)
        {
            reactor.RunOnce(Timeout.InfiniteTimeSpan);
        }

        Assert.That(disposing.Wait(Bound));
        Assert.That(thread, Is.EqualTo(Environment.CurrentManagedThreadId));
    }

    [Test]
    public void BesideARunningLoop_ThatThreadCloses([Range(1, 10)] int round)
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
    public void MorePostsThanOneTickRuns_AllRun()
    {
        int ran = 0;
        for (int i = 0; i < 5000; i++)
        {
            Reactor.Post(() => ran++);
        }

        Reactor.Dispose();

        Assert.That(ran, Is.EqualTo(5000));
    }

    [Test]
    public void PostsOfOnClosed_StillRun()
    {
        bool ran = false;
        var handler = new ScriptedHandler { Closed = (_, _) => Reactor.Post(() => ran = true) };
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.IsConnected);
        Reactor.Dispose();

        Assert.That(ran, Is.True);
    }

    [Test]
    public void APostThatThrows_WithPropagation_LosesNoOtherPost()
    {
        using var reactor = new Reactor(Options(propagateExceptions: true));
        int ran = 0;
        reactor.Post(static () => throw new InvalidDataException("first"));
        reactor.Post(() => ran++);
        reactor.Post(static () => throw new InvalidDataException("second"));
        Task<int> invoked = reactor.InvokeAsync(() => ++ran);

        Assert.That(reactor.Dispose, Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("first"));
        Assert.That(ran, Is.EqualTo(2));
        Assert.That(invoked.IsCompletedSuccessfully, Is.True);
        Assert.That(() => reactor.Post(static () => { }), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void AnUndeliveredConnect_FailsAndIsNotForgotten()
    {
        using System.Net.Sockets.Socket peer = Peer.Listen();
        Task<Connection> connecting = Reactor.ConnectAsync(peer.LocalEndPoint!, new ScriptedHandler());
        Reactor.Dispose();

        Assert.That(connecting.Exception?.InnerException, Is.TypeOf<ObjectDisposedException>());
    }

    [TestCase("post")]
    [TestCase("timer")]
    [TestCase("OnConnected")]
    [TestCase("OnReadable")]
    [TestCase("OnInputEnded")]
    [TestCase("OnClosed")]
    public void InsideACallback_ItTakesEffectAfterTheTick(string where)
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        using var other = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.Connections.Count == 2);
        int closedBefore = -1;
        Peer? third = null;
        void Dispose()
        {
            closedBefore = handler.CloseReasons.Count;
            Reactor.Dispose();
            Reactor.Dispose();
            Assert.That(handler.CloseReasons, Has.Count.EqualTo(closedBefore));
        }

        switch (where)
        {
            case "post":
                Reactor.Post(Dispose);
                break;
            case "timer":
                Reactor.Schedule(TimeSpan.Zero, Dispose);
                break;
            case "OnConnected":
                handler.Connected = _ => Dispose();
                third = Peer.Connect(listener.LocalEndPoint);
                break;
            case "OnReadable":
                handler.Readable = _ => Dispose();
                peer.Send("x"u8);
                break;
            case "OnInputEnded":
                handler.InputEnded = _ => Dispose();
                peer.EndOutput();
                break;
            default:
                handler.Closed = (_, _) =>
                {
                    handler.Closed = null;
                    Dispose();
                };
                peer.EndOutput();
                break;
        }

        Reactor.Run();

        third?.Dispose();
        Assert.That(closedBefore, Is.Not.Negative);
        Assert.That(handler.CloseReasons, Has.Count.EqualTo(handler.Connections.Count));
        Assert.That(() => Reactor.RunOnce(TimeSpan.Zero), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void RacingWithTheEndOfAStep_SomebodyClosesEverything()
    {
        for (int round = 0; round < 300; round++)
        {
            using var reactor = new Reactor(Options());
            using var go = new Barrier(2);
            bool ran = false;
            reactor.RunOnce(TimeSpan.Zero);
            reactor.Post(() => ran = true);
            var disposing = Task.Run(() =>
            {
                go.SignalAndWait();
                reactor.Dispose();
            });
            go.SignalAndWait();
            Exception? refused = null;
            try
            {
                reactor.RunOnce(TimeSpan.Zero);
            }
            catch (ObjectDisposedException exception)
            {
                refused = exception;
            }

            Assert.That(disposing.Wait(Bound), Is.True);
            if (refused is null && !ran)
            {
                Assert.Fail($"round {round}: a step lost a post");
            }

            StepOrBeRefused(reactor);
            Assert.That(
                reactor.ShutdownAsync(TimeSpan.Zero).Wait(Bound), Is.True, $"round {round}: nobody closed, {refused}");
            Assert.That(ran, Is.True);
        }
    }

    // The step that closes everything, unless the one that raced with the disposal was it.
    private static void StepOrBeRefused(Reactor reactor)
    {
        try
        {
            reactor.RunOnce(TimeSpan.Zero);
        }
        catch (ObjectDisposedException)
        {
            return;
        }
    }

    [Test]
    public void PostsRacingWithIt_RunOrAreRefused()
    {
        for (int round = 0; round < 100; round++)
        {
            using var thread = new ReactorThread(Options());
            int accepted = 0;
            int ran = 0;
            Task[] posting = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                try
                {
                    while (true)
                    {
                        thread.Reactor.Post(() => ran++);
                        Interlocked.Increment(ref accepted);
                    }
                }
                catch (ObjectDisposedException)
                {
                    // Told: from here on nothing is accepted.
                    return;
                }
            }))];
            thread.Dispose();

            Assert.That(Task.WaitAll(posting, Bound), Is.True);
            Assert.That(ran, Is.EqualTo(accepted), $"round {round}");
        }
    }

    [Test]
    public void AHandlerThatThrowsInOnClosed_DoesNotKeepTheOthersFromTheirs()
    {
        var log = new ListLogger();
        using var reactor = new Reactor(Options(logger: log));
        var handler = new ScriptedHandler { Closed = static (_, _) => throw new InvalidDataException() };
        Listener listener = reactor.Listen(AnyPort, handler);
        using var first = Peer.Connect(listener.LocalEndPoint);
        using var second = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => handler.Connections.Count == 2);
        reactor.Dispose();

        Assert.That(handler.CloseReasons, Has.Count.EqualTo(2));
        Assert.That(log.Entries.Count(static entry => entry.Level == LogLevel.Error), Is.EqualTo(2));
    }

    [Test]
    public void WithConnections_LeavesNoDescriptor() => Descriptors.AssertNoneLeft(200, () =>
    {
        using var reactor = new Reactor(Options());
        var handler = new ScriptedHandler();
        Listener listener = reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => handler.IsConnected);
    });
}

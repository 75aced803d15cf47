using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>The end in good order: who may start it, what it waits for and what it cuts.</summary>
public sealed class ShutdownTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void ANegativeDeadline_IsRefusedAndChangesNothing()
    {
        Assert.That(
            () => Reactor.ShutdownAsync(TimeSpan.FromTicks(-1)), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Reactor.RunOnce(TimeSpan.Zero);
        using Listener listener = Reactor.Listen(AnyPort, new ScriptedHandler());
        Assert.That(listener.LocalEndPoint, Is.Not.Null);
    }

    [Test]
    public void WithoutConnections_RunReturnsWhateverTheDeadline()
    {
        _ = Reactor.Listen(AnyPort, new ScriptedHandler());
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.MaxValue);
        Reactor.Run();

        Assert.That(shutdown.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void AfterAFinishedShutdown_RunReturnsAtOnce()
    {
        Task first = Reactor.ShutdownAsync(TimeSpan.Zero);
        Reactor.Run();
        var loop = Task.Run(() => Reactor.Run());

        Assert.That(loop.Wait(Bound), Is.True);
        Assert.That(Reactor.ShutdownAsync(TimeSpan.FromHours(1)), Is.SameAs(first));
    }

    [Test]
    public void StopsAccepting_AndEndsWithTheLastConnection()
    {
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.IsConnected);
        var shutdown = Task.Run(() => Reactor.ShutdownAsync(TimeSpan.FromHours(1)));
        RunUntil(() => !Peer.CanConnect(listener.LocalEndPoint), "the listener closes");

        peer.Send("still served"u8);
        RunUntil(() => peer.Socket.Available == 12);
        peer.Receive(12);
        Assert.That(shutdown.IsCompleted, Is.False);
        peer.Dispose();
        RunUntil(shutdown);
        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    // Each finally block goes through several awaits. All of them run on the reactor's thread before the task
    // completes.
    [Test]
    public void TheTask_CompletesAfterTheLastFinallyBlocks([Values] bool byDispose)
    {
        const int Handlers = 300;
        int begun = 0;
        int cleaned = 0;
        int strangers = 0;
        for (int i = 0; i < Handlers; i++)
        {
            var closed = new TaskCompletionSource();
            var handler = new ScriptedHandler
            {
                Connected = _ => Serve(closed.Task),
                Closed = (_, _) => closed.SetResult(),
            };
            Listener listener = Reactor.Listen(AnyPort, handler);
            using var peer = Peer.Connect(listener.LocalEndPoint);
            RunUntil(() => handler.IsConnected);
            listener.Dispose();
        }

        Task shutdown = Reactor.ShutdownAsync(TimeSpan.Zero);
        int cleanedAtTheEnd = 0;
        shutdown.ContinueWith(
            _ => cleanedAtTheEnd = cleaned,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        if (byDispose)
        {
            Reactor.Dispose();
        }
        else
        {
            Reactor.Run();
        }

        Assert.That(shutdown.IsCompletedSuccessfully);
        Assert.That((begun, cleaned, cleanedAtTheEnd, strangers), Is.EqualTo((Handlers, Handlers, Handlers, 0)));

        async void Serve(Task closed)
        {
            begun++;
            try
            {
                await closed;
            }
            finally
            {
                for (int i = 0; i < 5; i++)
                {
                    await Task.Yield();
                    strangers += Reactor.IsReactorThread ? 0 : 1;
                }

                cleaned++;
            }
        }
    }

    [Test]
    public void PostsThatPostForEver_DoNotHoldUpTheEnd()
    {
        Reactor.Post(Again);
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.Zero);
        Reactor.Run();
        Assert.That(shutdown.IsCompletedSuccessfully);

        Reactor.Dispose();

        void Again() => Reactor.Post(Again);
    }

    [Test]
    public void ACodeThatAwaitsIt_OnTheLoop_GoesOnThere_BeforeRunReturns()
    {
        bool? onThread = null;
        bool? afterAnotherAwait = null;
        Reactor.Post(async () =>
        {
            await Reactor.ShutdownAsync(TimeSpan.Zero).ConfigureAwait(false);
            onThread = Reactor.IsReactorThread;
            await Reactor.InvokeAsync(static () => 1).ConfigureAwait(false);
            afterAnotherAwait = Reactor.IsReactorThread;
        });
        Reactor.Run();

        Assert.That((onThread, afterAnotherAwait), Is.EqualTo((true, true)));
    }

    // Began after the last connection was gone and kept the loop for ever.
    [Test]
    public void NothingNew_CanBeStarted_FromTheLastCallbackOn()
    {
        var handler = new ScriptedHandler();
        List<Exception> refused = [];
        using Socket free = Peer.Listen();
        using var connected = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        connected.Connect(free.LocalEndPoint!);
        handler.Closed = (_, _) =>
        {
            refused.Add(Assert.Catch(() => Reactor.Adopt(connected, handler, new ConnectionOptions()))!);
            refused.Add(Assert.Catch(() => Reactor.Listen(AnyPort, handler))!);
        };
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.IsConnected);
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.Zero);
        RunUntil(shutdown);

        Assert.That(refused, Has.Count.EqualTo(2).And.All.TypeOf<InvalidOperationException>().And.All.Message.Contains(
            "shutting down"));
    }

    [Test]
    public void AConnectionThatOnlyLingers_StillHoldsTheEnd()
    {
        var handler = new ScriptedHandler
        {
            Connected = static connection =>
            {
                connection.TryWrite("bye"u8);
                connection.Close();
            },
        };
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.IsConnected);
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.FromHours(1));
        RunUntil(() => handler.Connection.State == ConnectionState.Closing);
        Reactor.RunOnce(TimeSpan.Zero);
        Assert.That(peer.ReceiveToEnd(), Is.EqualTo("bye"u8.ToArray()));
        Reactor.RunOnce(TimeSpan.Zero);
        Assert.That(shutdown.IsCompleted, Is.False);

        peer.EndOutput();
        RunUntil(shutdown);

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.Local));
    }

    [Test]
    public void WhatIsWritten_BeforeTheDeadlineStrikes_IsSent()
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        var handler = new ScriptedHandler();
        Listener listener = reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => handler.IsConnected);
        Task shutdown = reactor.ShutdownAsync(TimeSpan.FromSeconds(10));
        reactor.RunOnce(TimeSpan.Zero);
        reactor.Schedule(TimeSpan.FromSeconds(9), () => handler.Connection.TryWrite("bye"u8));
        time.Advance(TimeSpan.FromSeconds(9));
        reactor.RunOnce(TimeSpan.Zero);
        Assert.That(peer.Receive(3), Is.EqualTo("bye"u8.ToArray()));

        time.Advance(TimeSpan.FromSeconds(1));
        RunUntil(reactor, () => shutdown.IsCompleted);

        Assert.That(handler.CloseReason, Is.EqualTo(new CloseReason { Kind = CloseKind.ReactorStopped }));
        Assert.That(peer.ReceiveToEnd(), Is.Empty);
    }

    [TestCase(60, 5, 5)]
    [TestCase(5, 60, 60)]
    [TestCase(60, 0, 0)]
    public void ASecondCall_ReplacesTheDeadline(int first, int second, int expected)
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        var handler = new ScriptedHandler();
        Listener listener = reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => handler.IsConnected);
        Task shutdown = reactor.ShutdownAsync(TimeSpan.FromSeconds(first));
        Assert.That(reactor.ShutdownAsync(TimeSpan.FromSeconds(second)), Is.SameAs(shutdown));
        reactor.RunOnce(TimeSpan.Zero);
        if (expected > 0)
        {
            time.Advance(TimeSpan.FromSeconds(expected) - TimeSpan.FromTicks(1));
            reactor.RunOnce(TimeSpan.Zero);
            reactor.RunOnce(TimeSpan.Zero);
            Assert.That(handler.IsClosed, Is.False);
            time.Advance(TimeSpan.FromTicks(1));
        }

        RunUntil(reactor, () => shutdown.IsCompleted);

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.ReactorStopped));
    }

    [Test]
    public void APendingConnect_IsCancelledAndANewOneRefused()
    {
        using Socket full = FullListener(out List<Socket> fillers);
        Task<Connection> pending = Reactor.ConnectAsync(full.LocalEndPoint!, new ScriptedHandler());
        Reactor.RunOnce(TimeSpan.Zero);
        Assert.That(pending.IsCompleted, Is.False, "the backlog is full");

        Task shutdown = Reactor.ShutdownAsync(TimeSpan.FromHours(1));
        Task<Connection> late = Reactor.ConnectAsync(full.LocalEndPoint!, new ScriptedHandler());
        RunUntil(shutdown);
        RunUntil(() => late.IsCompleted);

        Assert.That(pending.IsCanceled, Is.True);
        Assert.That(late.Exception?.InnerException, Is.TypeOf<InvalidOperationException>());
        fillers.ForEach(static filler => filler.Dispose());
    }

    [Test]
    public void Listen_DuringAShutdown_IsRefused()
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.IsConnected);
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.FromHours(1));
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(
            () => Reactor.Listen(AnyPort, handler),
            Throws.InvalidOperationException.With.Message.Contains("shutting down"));
        peer.Reset();
        RunUntil(shutdown);
    }

    [TestCase("OnConnected")]
    [TestCase("OnReadable")]
    [TestCase("OnClosed")]
    [TestCase("timer")]
    [TestCase("thread")]
    public void FromAnywhere_ItEndsRun(string where)
    {
        Task? shutdown = null;
        Task begun = Task.CompletedTask;
        void Begin() => shutdown = Reactor.ShutdownAsync(TimeSpan.Zero);
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        switch (where)
        {
            case "OnConnected":
                handler.Connected = _ => Begin();
                break;
            case "OnReadable":
                handler.Readable = _ => Begin();
                peer.Send("x"u8);
                break;
            case "OnClosed":
                handler.Closed = (_, _) => Begin();
                peer.EndOutput();
                break;
            case "timer":
                handler.Connected = _ => Reactor.Schedule(TimeSpan.FromMilliseconds(1), Begin);
                break;
            default:
                handler.Connected = _ => begun = Task.Run(Begin);
                break;
        }

        Reactor.Run();

        Assert.That(begun.Wait(Bound), Is.True);
        Assert.That(shutdown?.IsCompletedSuccessfully, Is.True);
        Assert.That(handler.Events.Count(static name => name == "OnClosed"), Is.EqualTo(1));
        Assert.That(handler.Events[^1], Is.EqualTo("OnClosed"));
    }

    [Test]
    public void AConnectionThatAnotherOnesEndCloses_IsWaitedForToo()
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var first = Peer.Connect(listener.LocalEndPoint);
        using var second = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.Connections.Count == 2);
        handler.Closed = (closed, _) => handler.Connections.Find(other => other != closed)!.Abort();
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.FromHours(1));
        first.Reset();

        RunUntil(shutdown);

        Assert.That(
            handler.CloseReasons.Select(static reason => reason.Kind),
            Is.EqualTo(new[] { CloseKind.PeerReset, CloseKind.Aborted }));
    }

    [Test]
    public void AfterDispose_ItIsComplete()
    {
        Task before = Reactor.ShutdownAsync(TimeSpan.FromHours(1));
        Reactor.Dispose();

        Assert.That(before.IsCompletedSuccessfully, Is.True);
        Assert.That(Reactor.ShutdownAsync(TimeSpan.Zero).IsCompletedSuccessfully, Is.True);
    }

    // Nobody accepts here; once the backlog is full, a further attempt stays open without an answer.
    private static Socket FullListener(out List<Socket> fillers)
    {
        Socket listener = Peer.Listen(backlog: 1);
        fillers = [];
        for (int i = 0; i < 16; i++)
        {
            var filler =
                new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            fillers.Add(filler);
            try
            {
                filler.Connect((IPEndPoint)listener.LocalEndPoint!);
            }
            catch (SocketException exception)
                when (exception.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // Either under way or without an answer; both fill the backlog.
                continue;
            }
        }

        return listener;
    }
}

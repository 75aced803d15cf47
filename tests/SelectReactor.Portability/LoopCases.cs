using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Portability;

/// <summary>The loop itself: wake-ups, timers, raw keys, its end, and that nothing makes it spin.</summary>
internal static class LoopCases
{
    private const int Threads = 4;
    private const int PostsAThread = 10_000;
    private const int WakeUps = 500;
    private const int MaxIdleTicks = 100;

    public static Action[] All { get; } =
    [
        Post_EndsAnEndlessWait, Posts_OfManyThreads_RunInOrder, Timers_RunInOrder_AndNeverEarly,
        Timer_RunsPeriodically,
        RunOnce_ReturnsWithoutEvents, Key_ReportsReadiness, IdleSockets_DoNotSpin, Shutdown_DrainsConnections,
        Stop_EndsTheLoop,
    ];

    private static void Post_EndsAnEndlessWait()
    {
        using var loop = new Loop();
        for (int i = 0; i < WakeUps; i++)
        {
            loop.Call(static _ => { });
        }
    }

    private static void Posts_OfManyThreads_RunInOrder()
    {
        using var loop = new Loop();
        int[] next = new int[Threads];
        bool inOrder = true;
        using var done = new CountdownEvent(Threads * PostsAThread);
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(thread => new Thread(() => PostAll(thread)))];
        Array.ForEach(threads, static thread => thread.Start());
        Check.That(done.Wait(Wait.MaxMilliseconds), "all posts to run");
        Check.That(inOrder, "the posts of each thread in order");

        void PostAll(int thread)
        {
            for (int i = 0; i < PostsAThread; i++)
            {
                int number = i;
                loop.Reactor.Post(() =>
                {
                    inOrder &= next[thread]++ == number;
                    done.Signal();
                });
            }
        }
    }

    private static void Timers_RunInOrder_AndNeverEarly()
    {
        using var loop = new Loop();
        double[] dues = [60, 20, 0.3, 40, 1.5, 20];
        var order = new List<double>();
        bool early = false;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Call(reactor =>
        {
            foreach (double due in dues)
            {
                var watch = Stopwatch.StartNew();
                reactor.Schedule(TimeSpan.FromMilliseconds(due), () =>
                {
                    early |= watch.Elapsed < TimeSpan.FromMilliseconds(due);
                    order.Add(due);
                    if (order.Count == dues.Length)
                    {
                        done.SetResult();
                    }
                });
            }
        });
        Wait.For(done.Task, "the last timer");

        Check.That(order.SequenceEqual(dues.Order()), $"the timers in order, not {string.Join(", ", order)}");
        Check.That(!early, "no timer before its time");
    }

    private static void Timer_RunsPeriodically()
    {
        using var loop = new Loop();
        using var runs = new CountdownEvent(5);
        var period = TimeSpan.FromMilliseconds(5);
        loop.Call(reactor => reactor.SchedulePeriodic(period, period, () =>
        {
            if (!runs.IsSet)
            {
                runs.Signal();
            }
        }));

        Check.That(runs.Wait(Wait.MaxMilliseconds), "five runs of the timer");
    }

    private static void RunOnce_ReturnsWithoutEvents()
    {
        using var reactor = new Reactor();

        Check.Equal(0, reactor.RunOnce(TimeSpan.Zero), "events of a tick that does not wait");
        Check.Equal(0, reactor.RunOnce(TimeSpan.FromMilliseconds(20)), "events of a tick that waits");
    }

    private static void Key_ReportsReadiness()
    {
        using var reactor = new Reactor();
        using Socket listener = Peer.Listen();
        using var peer = Peer.Connect(listener.LocalEndPoint!);
        var handle = new SocketHandle(Peer.Accept(listener).Socket);
        var ready = new ReadyHandler();
        SelectionKey key = reactor.Register(handle, Interest.Read, ready);
        reactor.RunOnce(TimeSpan.Zero);
        Check.Equal(Interest.None, ready.Seen, "what a quiet socket is ready for");

        peer.Send("x"u8);
        reactor.RunOnce(TimeSpan.FromMilliseconds(Wait.MaxMilliseconds));
        Check.Equal(Interest.Read, ready.Seen, "what a socket with input is ready for");

        key.Interest = Interest.Read | Interest.Write;
        reactor.RunOnce(TimeSpan.FromMilliseconds(Wait.MaxMilliseconds));
        Check.Equal(Interest.Read | Interest.Write, ready.Seen, "what a socket with input and room is ready for");
        key.Cancel();
        handle.Close();
    }

    private static void IdleSockets_DoNotSpin()
    {
        using var reactor = new Reactor();
        var handler = new Recorder { Readable = static _ => { }, InputEnded = static _ => { } };
        using Listener listener = reactor.Listen(new IPEndPoint(IPAddress.Loopback, 0), handler);
        using var quiet = Peer.Connect(listener.LocalEndPoint);
        using var unread = Peer.Connect(listener.LocalEndPoint);
        using var ended = Peer.Connect(listener.LocalEndPoint);
        using var outOfBand = Peer.Connect(listener.LocalEndPoint);
        unread.Send("not read by the handler"u8);
        outOfBand.Socket.Send([1], SocketFlags.OutOfBand);
        ended.EndOutput();

        bool over = false;
        reactor.Schedule(TimeSpan.FromMilliseconds(500), () => over = true);
        int ticks = 0;
        while (!over)
        {
            reactor.RunOnce(TimeSpan.FromMilliseconds(Wait.MaxMilliseconds));
            ticks++;
        }

        Check.Equal(4, reactor.Connections.Count, "connections");
        Check.That(ticks <= MaxIdleTicks, $"at most {MaxIdleTicks} ticks in half a second, not {ticks}");
    }

    private static void Shutdown_DrainsConnections()
    {
        var handler = new Recorder();
        using var loop = new Loop(handler);
        using Peer peer = loop.Connect();
        peer.Echoes("hi"u8);
        Task shutdown = loop.Reactor.ShutdownAsync(TimeSpan.FromSeconds(10));
        loop.Call(static _ => { });
        peer.Echoes("still served"u8);
        peer.EndOutput();

        Check.Equal(0, peer.ReceiveToEnd().Length, "further bytes");
        Wait.For(shutdown, "the end of the shutdown");
        Wait.For(loop.Ended, "the end of the loop");
        Check.Equal(CloseKind.PeerClosed, handler.CloseReason.Kind, "the reason");
    }

    private static void Stop_EndsTheLoop()
    {
        using var reactor = new Reactor();
        using var running = new ManualResetEventSlim();
        reactor.Post(running.Set);
        var thread = new Thread(() => reactor.Run()) { IsBackground = true };
        thread.Start();
        Check.That(running.Wait(Wait.MaxMilliseconds), "a loop that runs");
        reactor.Stop();

        Wait.For(thread, "the loop");
    }

    private sealed class ReadyHandler : IEventHandler
    {
        public Interest Seen { get; private set; }

        public void OnReady(SelectionKey key) => Seen = key.Ready;
    }
}

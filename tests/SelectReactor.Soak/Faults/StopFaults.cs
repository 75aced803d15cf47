using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Loops that are stopped, shut down and disposed, and posts that never end.</summary>
internal static class StopFaults
{
    /// <summary>F28: a stop, in whichever callback and however often, ends the loop after its tick, and it can run
    /// again.</summary>
    public static void StopInACallback(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        int where = network.Random.Next(5);
        int stops = 0;
        void StopIf(int here)
        {
            if (where == here)
            {
                stops++;
                server.Reactor.Stop();
                server.Reactor.Stop();
            }
        }

        var served = new Recorder
        {
            Connected = _ => StopIf(0),
            Readable = connection =>
            {
                Recorder.Echo(connection);
                StopIf(1);
            },
            Ended = (_, _) => StopIf(2),
        };
        server.Reactor.Listen(server.EndPoint(7), served);
        server.Reactor.Post(() => StopIf(3));
        server.Reactor.Schedule(TimeSpan.FromMilliseconds(1), () => StopIf(4));
        var calling = new Recorder
        {
            Connected = static connection => connection.TryWrite("x"u8),
            Readable = static connection =>
            {
                Recorder.ReadAll(connection);
                connection.Close();
            },
        };
        client.Reactor.ConnectAsync(server.EndPoint(7), calling);
        server.Reactor.Run();
        Require.Equal(stops, 1);

        // The network drives it from here, and all that was under way goes on.
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        Require.Equal(calling.Reason.Kind, CloseKind.Local);
        Leaks.None(network);
    }

    /// <summary>F29, L11: posts that post again, for ever and more than fit into a tick, keep neither sockets nor
    /// timers from their turn.</summary>
    public static void EndlessPosting(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost(
            "server", new ReactorOptions
            {
                PropagateExceptions = true,
                MaxPostsPerTick = 3,
                Logger = NullLogger.Instance,
            });
        SimulatedHost client = network.AddHost("client");
        var cost = TimeSpan.FromMilliseconds(3);
        var served = new Recorder { Readable = Recorder.Echo };
        var calling = new Recorder { Connected = static connection => connection.TryWrite("x"u8) };
        server.Reactor.Listen(server.EndPoint(7), served);
        bool isOver = false;
        TimeSpan? fired = null;
        var due = network.Random.UpTo(TimeSpan.FromSeconds(1));
        server.Reactor.Schedule(due, () => fired = network.Clock.Elapsed);
        void PostAgain()
        {
            if (!isOver)
            {
                server.Spend(cost);
                server.Reactor.Post(PostAgain);
            }
        }

        for (int i = 0; i < 5; i++)
        {
            server.Reactor.Post(PostAgain);
        }

        client.Reactor.ConnectAsync(server.EndPoint(7), calling);
        network.RunUntil(
            () => calling.BytesReceived == 1, (2 * Bounds.OneWay(network)) + Bounds.Connect(network) + (20 * cost));
        network.RunFor(due);
        isOver = true;
        Bounds.RequireWithin(fired ?? TimeSpan.MaxValue, due, due + (3 * cost) + Bounds.Slack, "the timer");
        calling.Connection.Close();
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        Leaks.None(network);
    }

    /// <summary>F31: whatever the order of posts, stops, shutdown and disposal, each post runs once, in order, or is
    /// rejected.</summary>
    public static void PostsAndTheEnd(SimulatedNetwork network)
    {
        SimulatedHost host = network.AddHost("host");
        var ran = new List<int>();
        var accepted = new List<int>();
        var tasks = new List<Task<int>>();
        int number = 0;
        bool isDisposed = false;
        void Post()
        {
            int mine = number++;
            try
            {
                host.Reactor.Post(() => ran.Add(mine));
                accepted.Add(mine);
            }
            catch (ObjectDisposedException)
            {
                Require.That(isDisposed, "posts are taken until the end");
            }
        }

        for (int i = 0; i < 15; i++)
        {
            switch (network.Random.Next(8))
            {
                case 0:
                    host.Reactor.Stop();
                    break;
                case 1:
                    host.Reactor.ShutdownAsync(network.Random.UpTo(TimeSpan.FromMilliseconds(10)));
                    break;
                case 2:
                    network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(10)));
                    break;
                case 3 when i > 5:
                    isDisposed = true;
                    host.Reactor.Dispose();
                    break;
                case 4:
                    int answer = number;
                    tasks.Add(host.Reactor.InvokeAsync(() => answer));
                    break;
                case 5:
                    host.Reactor.Post(Post, isDisposed);
                    break;
                default:
                    Post();
                    break;
            }
        }

        network.RunFor(Bounds.Slack);
        host.Reactor.Dispose();
        Require.That(ran.SequenceEqual(accepted), "what was accepted ran once, in order");
        Require.That(tasks.All(static task => task.IsCompleted), "every task has an outcome");
        Require.Equal(host.OpenDescriptors, 0);
    }

    /// <summary>L12: a shutdown accepts nobody any more, ends as soon as the last connection has closed, and closes
    /// those that are left at its deadline, whatever they are doing.</summary>
    public static void ShutdownWithADeadline(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var served = new Recorder
        {
            Connected = connection => connection.Output.Write(network.Random.Coin() ? new byte[500] : "x"u8),
        };
        var small = new ConnectionOptions { SendBufferBytes = 100, LingerTimeout = TimeSpan.FromMinutes(1) };
        server.Reactor.Listen(server.EndPoint(7), served, new ListenerOptions { Connection = small });
        List<RawPeer> peers = [.. Enumerable.Range(0, network.Random.Next(4)).Select(
            _ => new RawPeer(client, server.EndPoint(7), receiveBufferBytes: 50))];
        network.RunUntil(() => served.Connections == peers.Count);
        if (peers.Count > 0 && network.Random.Coin())
        {
            served.Connection.Close();
        }

        TimeSpan deadline = network.Random.UpTo(TimeSpan.FromSeconds(20));
        TimeSpan began = network.Clock.Elapsed;
        Task ending = server.Reactor.ShutdownAsync(deadline);
        network.RunFor(TimeSpan.FromMilliseconds(1));
        Task<Connection> late = client.Reactor.ConnectAsync(server.EndPoint(7), new Recorder());
        bool isEarly = peers.Count == 0 || network.Random.Coin();
        if (isEarly)
        {
            peers.ForEach(peer => network.Schedule(network.Random.UpTo(deadline), peer.Abort));
        }

        network.RunUntil(() => ending.IsCompleted, deadline + Bounds.Slack);
        Require.Equal(served.Closed, served.Connections);
        Require.That(isEarly || network.Clock.Elapsed - began >= deadline, "it waits for those that are left");
        network.RunFor(2 * Bounds.OneWay(network));
        Require.That(late.IsFaulted, "nobody is accepted any more");
        Require.Equal(server.OpenDescriptors, 0);
        peers.ForEach(static peer => peer.Abort());
        Leaks.None(network, listeners: 0);
    }

    private static void Post(this Reactor reactor, Action callback, bool isDisposed)
    {
        if (!isDisposed)
        {
            reactor.Post(callback);
        }
    }
}

using System.Buffers;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Networks that are cut for a while, and machines that stand still.</summary>
internal static class OutageFaults
{
    /// <summary>A network that was cut for a while loses nothing: what was written meanwhile comes when it is healed,
    /// and so does the end.</summary>
    public static void ShortPartition(SimulatedNetwork network)
    {
        byte[] bytes = network.Random.Bytes(100);
        var received = new List<byte>();
        var served = new Recorder { Readable = connection => received.AddRange(Recorder.ReadAll(connection)) };
        var calling = new Recorder();
        var pair = new Pair(network, served, calling);
        calling.Connection.Output.Write(bytes);
        network.RunFor(network.Random.UpTo(Bounds.OneWay(network)));
        network.Partition(pair.Client, pair.Server);
        network.RunFor(network.Random.UpTo(TimeSpan.FromSeconds(20)));
        calling.Connection.Output.Write(bytes);
        network.RunFor(network.Random.UpTo(TimeSpan.FromSeconds(20)));
        Require.Equal(served.Closed + calling.Closed, 0);

        network.HealAll();
        network.RunUntil(() => received.Count == 2 * bytes.Length, TimeSpan.FromMinutes(2));
        Require.That(received.SequenceEqual(bytes.Concat(bytes)), "all came, in order");
        calling.Connection.Close();
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        Require.Equal(calling.Reason, new CloseReason { Kind = CloseKind.Local });
        Leaks.None(network);
    }

    /// <summary>A network that stays cut is found by the time-outs of both sides: by the one that waits for input,
    /// and by the one that waits for room, whether its own or the system's.</summary>
    public static void LongPartition(SimulatedNetwork network)
    {
        TimeSpan limit = network.Random.Between(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5));
        bool isOurs = network.Random.Coin();
        var served = new Recorder();
        var calling = new Recorder();
        var pair = new Pair(
            network,
            served,
            calling,
            serving: new ConnectionOptions { ReadIdleTimeout = limit },
            connecting: new ConnectionOptions
            {
                SendBufferBytes = 50,
                WriteProgressTimeout = isOurs ? limit : Timeout.InfiniteTimeSpan,
            });
        network.RunFor(Bounds.OneWay(network));
        network.Partition(pair.Server, pair.Client);
        TimeSpan cut = network.Clock.Elapsed;
        calling.Connection.Output.Write(new byte[300]);
        network.RunUntil(() => served.Closed == 1, limit);
        Require.Equal(served.Reason.Kind, CloseKind.TimedOut);

        // Linux gives up after 15 minutes and more (tcp(7), tcp_retries2).
        network.RunUntil(() => calling.Closed == 1, isOurs ? (2 * limit) + Bounds.Slack : TimeSpan.FromMinutes(20));
        Require.That(
            network.Clock.Elapsed - cut >= (isOurs ? limit : TimeSpan.FromMinutes(15)), "it is not given up early");
        Require.Equal(calling.Reason.Kind, CloseKind.TimedOut);
        Require.That(calling.Reason.UnsentBytes >= 250, "what was not sent is told");
        network.HealAll();
        Leaks.None(network);
    }

    /// <summary>A peer that went away while the network was cut is found by the first who sends, once it is healed:
    /// until then nobody is told.</summary>
    public static void PeerLostInAPartition(SimulatedNetwork network)
    {
        var served = new Recorder();
        var calling = new Recorder();
        var pair = new Pair(network, served, calling);
        network.RunFor(Bounds.OneWay(network));
        network.Partition(pair.Server, pair.Client);
        served.Connection.Abort();
        network.RunFor(network.Random.UpTo(TimeSpan.FromMinutes(2)));
        Require.Equal((served.Closed, calling.Closed), (1, 0));
        network.HealAll();
        network.RunFor(network.Random.UpTo(TimeSpan.FromHours(1)));
        Require.Equal(calling.Closed, 0);

        calling.Connection.Output.Write("anybody?"u8);
        network.RunUntil(() => calling.Closed == 1, TimeSpan.FromMinutes(2) + (2 * Bounds.OneWay(network)));
        Require.Equal(calling.Reason.Kind, CloseKind.PeerReset);
        Leaks.None(network);
    }

    /// <summary>F11: a network that is cut while somebody connects costs time and not the connection if it is healed
    /// before the time-out, and ends in a time-out otherwise.</summary>
    public static void PartitionWhileConnecting(SimulatedNetwork network)
    {
        var limit = TimeSpan.FromMinutes(network.Random.Next(1, 3));
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var served = new Recorder();
        var calling = new Recorder();
        server.Reactor.Listen(server.EndPoint(7), served);
        Task<Connection> connecting = client.Reactor.ConnectAsync(
            server.EndPoint(7), calling, new ConnectOptions { Timeout = limit });
        network.RunFor(network.Random.UpTo(Bounds.Connect(network)));
        network.Partition(client, server);
        network.RunFor(network.Random.UpTo(TimeSpan.FromSeconds(20)));
        bool isHealed = network.Random.Coin();
        bool wasOpen = connecting.IsCompleted;
        if (isHealed)
        {
            network.HealAll();
        }

        network.RunFor(limit);
        Require.Equal(connecting.IsCompletedSuccessfully, isHealed || wasOpen);
        Require.Equal(calling.Connections, connecting.IsCompletedSuccessfully ? 1 : 0);
        network.HealAll();
        calling.Reset();
        network.RunFor(TimeSpan.FromMinutes(3));
        Require.Equal(calling.Closed, calling.Connections);
        Require.Equal(served.Closed, served.Connections);
        Leaks.None(network);
    }

    /// <summary>A machine that stands still, or a callback that takes long, must not be held against the peer: what
    /// lay in the system meanwhile counts before any time-out does.</summary>
    public static void SlowOurselves(SimulatedNetwork network)
    {
        var limit = TimeSpan.FromSeconds(5);
        TimeSpan lost = network.Random.UpTo(3 * limit);
        var options = new ConnectionOptions
        {
            FirstByteTimeout = limit,
            MessageTimeout = limit,
            ReadIdleTimeout = limit,
            IdleTimeout = limit,
        };
        var served = new Recorder();
        var calling = new Recorder();
        var pair = new Pair(network, served, calling, options);
        ReactorTimer beat = pair.Client.Reactor.SchedulePeriodic(
            TimeSpan.Zero, TimeSpan.FromSeconds(1), () => calling.Connection.Output.Write("x"u8));
        network.RunFor(network.Random.UpTo(limit));
        if (network.Random.Coin())
        {
            pair.Server.Stall(lost);
        }
        else
        {
            pair.Server.Reactor.Post(() => pair.Server.Spend(lost));
        }

        network.RunFor(lost + limit);
        Require.Equal(served.Closed, 0);
        beat.Cancel();
        network.RunFor(limit + Bounds.OneWay(network) + TimeSpan.FromSeconds(1));
        Require.Equal(served.Closed, 1);
        Require.Equal(served.Reason.Kind, CloseKind.TimedOut);
        network.RunUntil(() => calling.Closed == 1);
        Leaks.None(network);
    }

    /// <summary>F31: a reactor that is disposed leaves nothing open, whatever was under way, and its clients learn of
    /// it.</summary>
    public static void ServerIsDisposed(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var served = new Recorder { Readable = Recorder.Echo };
        server.Reactor.Listen(server.EndPoint(7), served);
        var calling = new Recorder { Connected = static connection => connection.Output.Write(new byte[50]) };
        for (int i = 0; i < 3; i++)
        {
            client.Reactor.ConnectAsync(server.EndPoint(7), calling);
        }

        network.RunFor(network.Random.UpTo(2 * Bounds.Connect(network)));
        server.Reactor.Dispose();
        Require.Equal(server.OpenDescriptors, 0);
        Require.Equal(served.Closed, served.Connections);
        Require.That(served.Reasons.All(static reason => reason.Kind == CloseKind.ReactorStopped),
            "the reason is the reactor's end");
        network.RunFor(Bounds.Connect(network) + Bounds.OneWay(network));
        Require.Equal(calling.Closed, calling.Connections);
        Leaks.None(network, listeners: 0);
    }
}

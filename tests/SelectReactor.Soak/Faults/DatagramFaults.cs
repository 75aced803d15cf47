using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Datagrams that are lost, doubled and reordered, peers that are not there, floods, and handlers that
/// throw.</summary>
internal static class DatagramFaults
{
    private const int Port = 7;

    /// <summary>U10: a client that asks again until it is answered gets every answer, however the network loses,
    /// doubles and reorders, and nothing that was not sent.</summary>
    public static void AskedUntilAnswered(SimulatedNetwork network)
    {
        (SimulatedHost server, SimulatedHost client) = (network.AddHost("server"), network.AddHost("client"));
        byte[][] questions = [.. Enumerable.Range(0, 20).Select(i => (byte[])[(byte)i, .. network.Random.Bytes(900)])];
        bool[] answered = new bool[questions.Length];
        var serving = new Player
        {
            Received = (socket, remote, datagram) =>
            {
                Require.That(datagram.SequenceEqual(questions[datagram[0]]), "a question arrives whole");
                socket.TrySend(datagram, remote);
            },
        };
        var asking = new Player
        {
            Received = (_, _, datagram) =>
            {
                Require.That(datagram.SequenceEqual(questions[datagram[0]]), "an answer arrives whole");
                answered[datagram[0]] = true;
            },
        };
        DatagramSocket echo = server.Reactor.BindDatagram(server.EndPoint(Port), serving);
        DatagramSocket socket = client.Reactor.ConnectDatagram(server.EndPoint(Port), asking);
        client.Reactor.SchedulePeriodic(TimeSpan.Zero, TimeSpan.FromSeconds(1), () =>
        {
            for (int i = 0; i < questions.Length; i++)
            {
                if (!answered[i])
                {
                    Require.Equal(socket.TrySend(questions[i]), DatagramSendResult.Sent);
                }
            }
        });
        network.RunUntil(() => answered.All(static each => each), TimeSpan.FromMinutes(10));

        Require.Equal(echo.Statistics.Sent, echo.Statistics.Received);
        Require.That(socket.Statistics.Received <= 2 * echo.Statistics.Sent, "no more than two of each arrive");
        Close(network, [socket, echo], [asking, serving]);
    }

    /// <summary>U1: an unreachable peer is told, or is not, and the socket goes on: when the peer comes back, the
    /// next datagram that is not lost reaches it.</summary>
    public static void PeerIsBack(SimulatedNetwork network)
    {
        (SimulatedHost server, SimulatedHost client) = (network.AddHost("server"), network.AddHost("client"));
        var calling = new Player();
        DatagramSocket socket = client.Reactor.ConnectDatagram(server.EndPoint(Port), calling);
        ReactorTimer timer = client.Reactor.SchedulePeriodic(
            TimeSpan.Zero, TimeSpan.FromSeconds(3), () => Require.Equal(socket.TrySend([1]), DatagramSendResult.Sent));
        network.RunFor(network.Random.Between(TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(1)));
        Require.That(
            calling.Errors.TrueForAll(static error => error == SocketError.ConnectionRefused), "nothing else is told");
        Require.That(network.Options.DatagramLossChance > 0 || calling.Errors.Count > 0, "the refusal is told");

        var serving = new Player { Received = static (socket, remote, datagram) => socket.TrySend(datagram, remote) };
        DatagramSocket bound = server.Reactor.BindDatagram(server.EndPoint(Port), serving);
        network.RunUntil(() => calling.Datagrams > 0, TimeSpan.FromMinutes(10));
        timer.Cancel();
        Close(network, [socket, bound], [calling, serving]);
    }

    /// <summary>U4: beside a flood of datagrams, of which each costs the loop a millisecond, a connection is served
    /// after two budgets at most.</summary>
    public static void Flood(SimulatedNetwork network)
    {
        const int Budget = 5;
        var cost = TimeSpan.FromMilliseconds(1);
        SimulatedHost server = null!;
        var flooded = new Player { Received = (_, _, _) => server.Spend(cost) };
        var served = new Recorder { Readable = Recorder.Echo };
        var calling = new Recorder();
        var pair = new Pair(network, served, calling);
        server = pair.Server;
        DatagramSocket bound = server.Reactor.BindDatagram(
            server.EndPoint(Port), flooded, new DatagramOptions { MaxDatagramsPerTick = Budget });
        DatagramSocket hose = pair.Client.Reactor.ConnectDatagram(server.EndPoint(Port), new Player());
        for (int i = 0; i < 100; i++)
        {
            hose.TrySend([1]);
        }

        network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(3)));
        calling.Connection.TryWrite("x"u8);
        network.RunUntil(() => calling.BytesReceived == 1, (2 * Budget * cost) + (2 * Bounds.OneWay(network)));

        network.RunUntilIdle();
        calling.Connection.Close();
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        bound.Dispose();
        hose.Dispose();
        network.RunUntil(() => flooded.Reasons.Count == 1);
        Leaks.None(network);
    }

    /// <summary>U5: a handler that throws loses that datagram only; one that closes in a callback gets no
    /// more.</summary>
    public static void ThrowsOrCloses(SimulatedNetwork network)
    {
        bool throws = network.Random.Coin();
        SimulatedHost server = network.AddHost("server", new ReactorOptions { Logger = NullLogger.Instance });
        SimulatedHost client = network.AddHost("client");
        var serving = new Player
        {
            Received = (socket, _, datagram) =>
            {
                if (throws && datagram[0] % 2 == 0)
                {
                    throw new InvalidOperationException("This is a test.");
                }

                if (!throws)
                {
                    socket.Close();
                }
            },
        };
        var calling = new Player();
        DatagramSocket bound = server.Reactor.BindDatagram(server.EndPoint(Port), serving);
        DatagramSocket socket = client.Reactor.ConnectDatagram(server.EndPoint(Port), calling);
        for (byte i = 0; i < 40; i++)
        {
            socket.TrySend([i]);
        }

        network.RunUntilIdle();
        Require.That(serving.Datagrams > 0, "some arrive");
        Require.Equal(bound.IsClosed, !throws);
        Require.Equal(serving.Reasons.Count, throws ? 0 : 1);
        Require.That(throws || serving.Datagrams == 1, "none comes after the close");
        Require.That(throws || bound.Statistics.HandlerFaults == 0, "closing is no fault");
        Close(network, [socket, bound], [calling, serving]);
    }

    /// <summary>U11: a shutdown closes the sockets, at once or when their handlers have finished, at the deadline at
    /// the latest.</summary>
    public static void ShutdownEndsThem(SimulatedNetwork network)
    {
        TimeSpan deadline = network.Random.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        TimeSpan finish = network.Random.UpTo(2 * deadline);
        SimulatedHost host = network.AddHost("host");
        var quick = new Player();
        var slow = new Player { Stopping = socket => host.Reactor.Schedule(finish, socket.Close) };
        host.Reactor.BindDatagram(host.EndPoint(Port), quick);
        host.Reactor.BindDatagram(host.EndPoint(Port + 1), slow);
        TimeSpan began = network.Clock.Elapsed;
        Task shutdown = host.Reactor.ShutdownAsync(deadline);
        network.RunUntil(() => shutdown.IsCompleted);

        bool isLate = finish > deadline;
        Bounds.RequireWithin(
            network.Clock.Elapsed - began, TimeSpan.Zero, (isLate ? deadline : finish) + Bounds.Slack, "The end");
        Require.Equal(quick.Reasons.Single(), CloseKind.Local);
        Require.That(
            finish == deadline || slow.Reasons.Single() == (isLate ? CloseKind.ReactorStopped : CloseKind.Local),
            "the slow one ends by itself or at the deadline");
        Require.Equal(host.OpenDescriptors, 0);
        Require.Equal(host.RegisteredKeys, 0);
    }

    private static void Close(SimulatedNetwork network, DatagramSocket[] sockets, Player[] players)
    {
        Array.ForEach(sockets, static socket => socket.Dispose());
        network.RunUntil(() => Array.TrueForAll(players, static player => player.Reasons.Count == 1));
        network.RunFor(TimeSpan.FromMinutes(1));
        foreach (SimulatedHost host in network.Hosts)
        {
            Require.Equal(host.OpenDescriptors, 0, $"descriptors of {host.Name}");
            Require.Equal(host.RegisteredKeys, 0, $"keys of {host.Name}");
            Require.Equal(host.Reactor.Buffers.Outstanding, 0, $"segments not given back by {host.Name}");
        }
    }

    private sealed class Player : DatagramHandler
    {
        public delegate void Receiver(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram);

        public Receiver? Received { get; init; }

        public Action<DatagramSocket>? Stopping { get; init; }

        public int Datagrams { get; private set; }

        public List<SocketError> Errors { get; } = [];

        public List<CloseKind> Reasons { get; } = [];

        public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram)
        {
            Require.Equal(Reasons.Count, 0, "ends before a datagram");
            Datagrams++;
            Received?.Invoke(socket, remote, datagram);
        }

        public override void OnError(DatagramSocket socket, SocketError error) => Errors.Add(error);

        public override void OnStopping(DatagramSocket socket)
        {
            if (Stopping is null)
            {
                base.OnStopping(socket);
            }
            else
            {
                Stopping(socket);
            }
        }

        public override void OnClosed(DatagramSocket socket, CloseReason reason) => Reasons.Add(reason.Kind);
    }
}

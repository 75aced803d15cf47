using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Clients that can't be accepted, or not yet, or not at all.</summary>
internal static class AcceptFaults
{
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    /// <summary>F15: while no descriptor is left, those that are open are served, and the loop does not spin; once
    /// there are some again, clients are accepted within a second.</summary>
    public static void NoDescriptors(SimulatedNetwork network)
    {
        var served = new Recorder { Readable = Recorder.Echo };
        var calling = new Recorder();
        var pair = new Pair(network, served, calling);
        SimulatedHost server = pair.Server;
        SimulatedHost crowd = network.AddHost("crowd");
        int usual = server.MaxDescriptors;
        server.MaxDescriptors = server.OpenDescriptors - network.Random.Next(2);
        long before = server.Ticks;
        List<RawPeer> peers =
            [.. Enumerable.Range(0, network.Random.Next(5)).Select(_ => new RawPeer(crowd, server.EndPoint(7)))];
        TimeSpan time = network.Random.UpTo(TimeSpan.FromSeconds(5));
        for (int i = 0; i < 50; i++)
        {
            // Bit by bit, since a loop that spins would otherwise do so for seconds before anybody looks.
            network.RunFor(time / 50);
            Bounds.RequireFewTicks(server, before, useful: 30);
        }

        if (network.Random.Coin())
        {
            peers.ForEach(static peer => peer.Abort());
        }

        calling.Connection.TryWrite("x"u8);
        network.RunFor(2 * Bounds.OneWay(network));
        Require.Equal(calling.BytesReceived, 1);
        Require.Equal(served.Connections, 1);
        Bounds.RequireFewTicks(server, before, useful: 30);

        server.MaxDescriptors = usual;
        network.RunFor(_pause + Bounds.Connect(network));
        int waited = served.Connections;
        var late = new RawPeer(crowd, server.EndPoint(7));
        network.RunFor(Bounds.Connect(network));
        Require.Equal(served.Connections, waited + 1);
        peers.ForEach(static peer => peer.Abort());
        late.Abort();
        calling.Connection.Close();
        network.RunUntil(() => served.Closed == served.Connections && calling.Closed == 1);
        Leaks.None(network);
    }

    /// <summary>F16: errors of accept that concern one client lose that one, and the others are accepted at
    /// once.</summary>
    public static void AcceptsFail(SimulatedNetwork network)
    {
        SocketError error = network.Random.GetItems(
            [SocketError.ConnectionAborted, SocketError.ConnectionReset, SocketError.NetworkDown,
                SocketError.HostUnreachable], 1)[0];
        int failures = network.Random.Next(1, 6);
        RunFailingAccepts(network, error, failures, Bounds.Connect(network));
    }

    /// <summary>F15: errors of accept that concern the system pause it for a second each, and not for ever.</summary>
    public static void AcceptsLackMemory(SimulatedNetwork network)
    {
        int failures = network.Random.Next(1, 4);
        RunFailingAccepts(
            network, SocketError.NoBufferSpaceAvailable, failures,
                (failures * _pause) + Bounds.Connect(network) + Bounds.Slack);
    }

    /// <summary>F17: clients that were gone before they were accepted are opened and closed, and what they had sent is
    /// read.</summary>
    public static void ResetBeforeAccept(SimulatedNetwork network)
    {
        var served = new Recorder();
        SimulatedHost server = network.AddHost("server");
        SimulatedHost crowd = network.AddHost("crowd");
        var listener = server.Reactor.Listen(server.EndPoint(7), served);
        network.RunFor(Bounds.Slack);
        server.Stall(2 * Bounds.Connect(network));
        List<RawPeer> peers =
            [.. Enumerable.Range(0, network.Random.Next(1, 20)).Select(_ => new RawPeer(crowd, server.EndPoint(7)))];
        network.RunFor(Bounds.Connect(network));
        peers.ForEach(peer => peer.Send(network.Random.Coin() ? network.Random.Bytes(20) : []));
        peers.ForEach(static peer => peer.Abort());
        network.RunFor(Bounds.Connect(network) + Bounds.Slack);

        Require.Equal(served.Connections, peers.Count);
        Require.Equal(served.Closed, peers.Count);
        Require.That(served.Reasons.All(static reason => reason.Kind == CloseKind.PeerReset), "all were reset");
        Require.Equal(served.BytesReceived, server.TakenBytes);
        Require.Equal(listener.ConnectionCount, 0);
        Leaks.None(network);
    }

    /// <summary>F18, L4: many clients at once are all accepted, so many a tick, and one that is open has its answer
    /// in its time among them.</summary>
    public static void ManyAtOnce(SimulatedNetwork network)
    {
        const int MaxAcceptsPerTick = 16;
        SimulatedHost server = null!;
        var accepted = new Dictionary<long, int>();
        var served = new Recorder
        {
            Readable = Recorder.Echo,
            Connected = _ => accepted[server.Ticks] = accepted.GetValueOrDefault(server.Ticks) + 1,
        };
        server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(
            server.EndPoint(7), served, new ListenerOptions { MaxAcceptsPerTick = MaxAcceptsPerTick });
        var calling = new Recorder();
        client.Reactor.ConnectAsync(server.EndPoint(7), calling);
        network.RunUntil(() => served.Connections == 1 && calling.Connections == 1);

        server.Stall(network.Random.UpTo(TimeSpan.FromMilliseconds(100)));
        List<RawPeer> peers = [.. Enumerable.Range(0, 30).Select(_ => new RawPeer(client, server.EndPoint(7)))];
        calling.Connection.TryWrite("x"u8);
        network.RunUntil(
            () => calling.BytesReceived == 1, TimeSpan.FromMilliseconds(100) + (2 * Bounds.OneWay(network)));
        network.RunUntil(
            () => served.Connections == 1 + peers.Count, TimeSpan.FromMilliseconds(100) + Bounds.Connect(network));
        Require.That(
            accepted.Values.All(static count => count <= MaxAcceptsPerTick), "no tick accepts more than the limit");

        peers.ForEach(static peer => peer.Close());
        calling.Connection.Close();
        network.RunUntil(() => served.Closed == 1 + peers.Count && calling.Closed == 1);
        Leaks.None(network);
    }

    /// <summary>F19: at a limit on connections, the listener's or the reactor's, the others wait until one has
    /// closed; nobody is refused, and there are never more.</summary>
    public static void FullAndWaiting(SimulatedNetwork network)
    {
        (SimulatedHost server, Listener listener, Recorder served, int max) = ListenWithLimit(
            network, WhenFull.Pause);
        SimulatedHost crowd = network.AddHost("crowd");
        List<RawPeer> peers = [.. Enumerable.Range(0, max + 5).Select(_ => new RawPeer(crowd, server.EndPoint(7)))];
        network.RunFor(Bounds.Connect(network));
        Require.Equal(served.Connections, max);
        while (served.Closed < peers.Count)
        {
            // Whoever is there goes away; all whom it leaves room come in at once.
            served.Connection.Abort();
            int before = served.Closed;
            network.RunFor(Bounds.Slack);
            Require.Equal(served.Closed, before + 1);
            Require.Equal(served.Connections, Math.Min(peers.Count, max + served.Closed));
            if (served.Connections == peers.Count)
            {
                peers.ForEach(static peer => peer.Abort());
                network.RunFor(Bounds.OneWay(network));
            }
        }

        Require.Equal((listener.Accepted, listener.Refused, listener.ConnectionCount), (peers.Count, 0, 0));
        Leaks.None(network);
    }

    /// <summary>F19: at a limit on connections the others are cut, and counted, where that is asked for.</summary>
    public static void FullAndRefusing(SimulatedNetwork network)
    {
        (SimulatedHost server, Listener listener, Recorder served, int max) = ListenWithLimit(
            network, WhenFull.Refuse);
        SimulatedHost crowd = network.AddHost("crowd");
        List<RawPeer> peers = [.. Enumerable.Range(0,
            max + network.Random.Next(1, 6)).Select(_ => new RawPeer(crowd, server.EndPoint(7)))];
        network.RunFor(Bounds.Connect(network) + Bounds.OneWay(network));
        peers.ForEach(static peer => peer.Receive());
        int refused = peers.Count - max;
        Require.Equal(peers.Count(static peer => peer.IsReset), refused);
        Require.Equal((listener.Accepted, listener.Refused, listener.ConnectionCount), (max, refused, max));
        peers.ForEach(static peer => peer.Close());
        network.RunUntil(() => served.Closed == max);
        Leaks.None(network);
    }

    private static (SimulatedHost Server, Listener Listener, Recorder Served, int Max) ListenWithLimit(
        SimulatedNetwork network, WhenFull whenFull)
    {
        int max = network.Random.Next(1, 4);
        bool isReactors = network.Random.Coin();
        SimulatedHost server = network.AddHost(
            "server",
                new ReactorOptions
                {
                    PropagateExceptions = true,
                    MaxConnections = isReactors ? max : int.MaxValue,
                    Logger = NullLogger.Instance,
                });
        var options = new ListenerOptions { WhenFull = whenFull, MaxConnections = isReactors ? int.MaxValue : max };
        var served = new Recorder();
        return (server, server.Reactor.Listen(server.EndPoint(7), served, options), served, max);
    }

    private static void RunFailingAccepts(SimulatedNetwork network, SocketError error, int failures, TimeSpan limit)
    {
        var served = new Recorder();
        SimulatedHost server = network.AddHost("server");
        SimulatedHost crowd = network.AddHost("crowd");
        Listener listener = server.Reactor.Listen(server.EndPoint(7), served);
        server.FailAccepts(error, failures);
        List<RawPeer> peers = [.. Enumerable.Range(0, 10).Select(_ => new RawPeer(crowd, server.EndPoint(7)))];
        network.RunUntil(() => served.Connections == peers.Count - failures, limit);
        network.RunFor(Bounds.OneWay(network));
        peers.ForEach(static peer => peer.Receive());
        Require.Equal(peers.Count(static peer => peer.IsReset), failures);
        Require.Equal(listener.Accepted, peers.Count - failures);
        Bounds.RequireFewTicks(server, 0, useful: 50);
        peers.ForEach(static peer => peer.Close());
        network.RunUntil(() => served.Closed == served.Connections);
        Leaks.None(network);
    }
}

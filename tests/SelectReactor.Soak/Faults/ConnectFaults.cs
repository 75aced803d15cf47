using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Connections that do not come about.</summary>
internal static class ConnectFaults
{
    private static readonly IPAddress _nobody = IPAddress.Parse("10.9.9.9");
    private static readonly TimeSpan _delays =
        new ConnectOptions().AttemptDelay + new ConnectOptions().ResolutionDelay;
    private static readonly IPAddress _nobodySix = IPAddress.Parse("fd00::9999");

    /// <summary>F10: where nobody listens, or nobody listens any more, there is one failure with the system's
    /// error.</summary>
    public static void Refused(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        if (network.Random.Coin())
        {
            server.Reactor.Listen(server.EndPoint(7), new Recorder()).Dispose();
        }

        var calling = new Recorder();
        Task<Connection> connecting = client.Reactor.ConnectAsync(server.EndPoint(7), calling);
        network.RunFor(2 * Bounds.OneWay(network));
        RequireError(connecting, SocketError.ConnectionRefused);
        Require.Equal(calling.Connections, 0);
        Leaks.None(network, listeners: 0);
    }

    /// <summary>F11: where nobody answers, the time-out ends the attempt: not earlier, not later, and with few
    /// turns.</summary>
    public static void BlackHole(SimulatedNetwork network)
    {
        TimeSpan limit = network.Random.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(30));
        SimulatedHost client = network.AddHost("client");
        var calling = new Recorder();
        Task<Connection> connecting = client.Reactor.ConnectAsync(
            new IPEndPoint(_nobody, 7), calling, new ConnectOptions { Timeout = limit });
        network.RunFor(limit - TimeSpan.FromTicks(1));
        Require.That(!connecting.IsCompleted, "the attempt is not given up early");
        network.RunFor(Bounds.Slack);
        Require.That(connecting.Exception?.InnerException is TimeoutException, "the attempt ends in a time-out");
        Require.Equal(calling.Connections, 0);
        Bounds.RequireFewTicks(client, 0, useful: 5);
        Leaks.None(network, listeners: 0);
    }

    /// <summary>F11: with no time-out of ours the system's own error comes through.</summary>
    public static void SystemGivesUp(SimulatedNetwork network)
    {
        SimulatedHost client = network.AddHost("client");
        Task<Connection> connecting = client.Reactor.ConnectAsync(
            new IPEndPoint(_nobody, 7), new Recorder(), new ConnectOptions { Timeout = Timeout.InfiniteTimeSpan });
        network.RunUntil(() => connecting.IsCompleted);
        RequireError(connecting, SocketError.TimedOut);
        Leaks.None(network, listeners: 0);
    }

    /// <summary>F12: an attempt that is cancelled, or whose reactor is shut down or disposed, at any moment has one
    /// outcome: a connection that the handler knows, or none.</summary>
    public static void GivenUpWhileConnecting(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var served = new Recorder();
        server.Reactor.Listen(server.EndPoint(7), served);
        using var source = new CancellationTokenSource();
        var calling = new Recorder();
        EndPoint target = network.Random.Coin() ? new DnsEndPoint("server", 7) : server.EndPoint(7);
        Task<Connection> connecting = client.Reactor.ConnectAsync(target, calling, source.Token);
        network.RunFor(network.Random.UpTo(Bounds.Connect(network)));
        switch (network.Random.Next(3))
        {
            case 0:
                source.Cancel();
                break;
            case 1:
                client.Reactor.ShutdownAsync(TimeSpan.Zero);
                break;
            default:
                client.Reactor.Dispose();
                break;
        }

        network.RunFor(Bounds.Slack);
        Require.That(connecting.IsCompleted, "there is an outcome");
        Require.Equal(connecting.IsCompletedSuccessfully ? 1 : 0, calling.Connections);
        Require.That(
            connecting.IsCompletedSuccessfully || connecting.IsCanceled, "without a connection it is cancelled");
        if (calling.Connections == 1 && calling.Closed == 0)
        {
            calling.Connection.Abort();
        }

        network.RunFor(Bounds.Connect(network));
        Require.Equal(calling.Closed, calling.Connections);
        Require.Equal(served.Closed, served.Connections);
        Leaks.None(network);
    }

    /// <summary>F14: a connection of a socket to itself is refused.</summary>
    public static void SelfConnect(SimulatedNetwork network)
    {
        SimulatedHost host = network.AddHost("host");
        IPEndPoint itself = network.Random.Coin() ? host.EndPoint(4000) : new IPEndPoint(IPAddress.IPv6Loopback, 4000);
        var calling = new Recorder();
        Task<Connection> connecting = host.Reactor.ConnectAsync(
            itself, calling, new ConnectOptions { LocalEndPoint = itself });
        network.RunFor(Bounds.Connect(network));
        RequireError(connecting, SocketError.ConnectionRefused);
        Require.Equal(calling.Connections, 0);
        Leaks.None(network, listeners: 0);
    }

    /// <summary>RFC 8305: an IPv6 address that answers nobody costs a quarter of a second, not the connection, and
    /// the slower attempt leaves nothing.</summary>
    public static void SilentSixth(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        network.Names.Set("server", _nobodySix, server.Address);
        var served = new Recorder();
        var calling = new Recorder();
        server.Reactor.Listen(server.EndPoint(7), served);
        var options = new ConnectOptions { AttemptDelay = network.Random.UpTo(TimeSpan.FromSeconds(2)) };
        client.Reactor.ConnectAsync(new DnsEndPoint("server", 7), calling, options);
        TimeSpan resolving = (2 * network.Options.MaxLatency) + options.ResolutionDelay;
        network.RunUntil(
            () => served.Connections == 1 && calling.Connections == 1,
            resolving + options.AttemptDelay + Bounds.Connect(network));
        Require.Equal(client.OpenDescriptors, 1);
        Require.Equal(calling.Connection.RemoteEndPoint, server.EndPoint(7));
        calling.Connection.Close();
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        Leaks.None(network);
    }

    /// <summary>RFC 8305: of several addresses, of which some refuse, some are silent and one family may be missing,
    /// the one that answers is found; where none does there is one failure.</summary>
    public static void SomeAddresses(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        SimulatedHost closed = network.AddHost("closed");
        bool answers = network.Random.Coin();
        List<IPAddress> addresses = [.. Enumerable.Range(0, network.Random.Next(5)).Select(
            _ => network.Random.GetItems([_nobody, _nobodySix, closed.Address, closed.AddressV6], 1)[0])];
        var six = new IPEndPoint(server.AddressV6, 7);
        IPEndPoint listening = network.Random.Coin() ? six : server.EndPoint(7);
        if (answers)
        {
            addresses.Insert(network.Random.Next(addresses.Count + 1), listening.Address);
        }

        network.Names.Set("some", [.. addresses]);
        var served = new Recorder();
        var calling = new Recorder();
        server.Reactor.Listen(listening, served);
        Task<Connection> connecting = client.Reactor.ConnectAsync(new DnsEndPoint("some", 7), calling);
        network.RunUntil(
            () => connecting.IsCompleted && served.Connections == (answers ? 1 : 0), TimeSpan.FromSeconds(16));
        Require.Equal(calling.Connections, answers ? 1 : 0);
        Require.Equal(connecting.IsCompletedSuccessfully, answers);
        Require.Equal(client.OpenDescriptors, calling.Connections);
        if (answers)
        {
            calling.Connection.Close();
            network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        }

        Leaks.None(network);
    }

    /// <summary>A name that nobody knows is one failure, as soon as both questions are answered.</summary>
    public static void UnknownName(SimulatedNetwork network)
    {
        SimulatedHost client = network.AddHost("client");
        var calling = new Recorder();
        Task<Connection> connecting = client.Reactor.ConnectAsync(new DnsEndPoint("nowhere", 7), calling);
        network.RunFor((2 * network.Options.MaxLatency) + Bounds.Slack);
        RequireError(connecting, SocketError.HostNotFound);
        Require.Equal(calling.Connections, 0);
        Leaks.None(network, listeners: 0);
    }

    /// <summary>F15: without a descriptor an attempt to connect fails at once, with the system's error, and the next
    /// one with a descriptor comes about.</summary>
    public static void NoDescriptorToConnect(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var served = new Recorder();
        var calling = new Recorder();
        server.Reactor.Listen(server.EndPoint(7), served);
        EndPoint target = network.Random.Coin() ? new DnsEndPoint("server", 7) : server.EndPoint(7);
        (int usual, client.MaxDescriptors) = (client.MaxDescriptors, 0);
        Task<Connection> failing = client.Reactor.ConnectAsync(target, calling);
        network.RunFor((2 * Bounds.OneWay(network)) + _delays);
        RequireError(failing, SocketError.TooManyOpenSockets);
        Require.Equal(calling.Connections, 0);

        client.MaxDescriptors = usual;
        client.Reactor.ConnectAsync(target, calling);
        network.RunUntil(
            () => served.Connections == 1 && calling.Connections == 1,
            (2 * Bounds.OneWay(network)) + _delays + Bounds.Connect(network));
        calling.Connection.Close();
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        Leaks.None(network);
    }

    private static void RequireError(Task<Connection> connecting, SocketError error)
    {
        Require.That(connecting.IsFaulted, $"the attempt has failed: {connecting.Status}");
        Require.Equal((connecting.Exception!.InnerException as SocketException)?.SocketErrorCode, error);
    }
}

using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Datagrams;

/// <summary>How datagram sockets are opened and how they end.</summary>
public sealed class DatagramEndTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void Close_TellsTheHandler_Once_InALaterPhase()
    {
        var script = new DatagramScript();
        DatagramSocket socket = Reactor.BindDatagram(AnyPort, script);
        var local = (IPEndPoint)socket.LocalEndPoint!;

        socket.Close();
        socket.Close();
        socket.Dispose();
        Assert.That(script.Reasons, Is.Empty, "never inside the call");
        Reactor.RunOnce(TimeSpan.Zero);
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(script.Reasons, Is.EqualTo(new[] { new CloseReason { Kind = CloseKind.Local } }));
        Assert.That(socket.IsClosed, Is.True);
        Assert.That(socket.LocalEndPoint, Is.EqualTo(local), "for messages");
        Assert.That(
            () => socket.JoinGroup(IPAddress.Parse("239.1.1.1")), Throws.InstanceOf<ObjectDisposedException>());
        Reactor.BindDatagram(local, script).Dispose();
    }

    [Test]
    public void DisposedOnAnotherThread_Closes()
    {
        var script = new DatagramScript();
        DatagramSocket socket = Reactor.BindDatagram(AnyPort, script);
        Reactor.RunOnce(TimeSpan.Zero);
        var thread = new Thread(socket.Dispose);
        thread.Start();
        thread.Join();

        RunUntil(() => script.Reasons.Count == 1);
    }

    [Test]
    public void OtherThreads_AreRefused()
    {
        DatagramSocket socket = Reactor.BindDatagram(AnyPort, new DatagramScript());
        Reactor.RunOnce(TimeSpan.Zero);
        SocketAddress any = AnyPort.Serialize();
        Action[] calls =
        [
            () => socket.TrySend([1], any), () => socket.TrySend([1]), socket.Close,
            () => socket.JoinGroup(IPAddress.Parse("239.1.1.1")), () => socket.TryGetDroppedBySystem(out _),
            () => socket.GetFeature<Socket>(), () => Reactor.BindDatagram(AnyPort, new DatagramScript()),
        ];
        foreach (Action call in calls)
        {
            Assert.That(
                () => Task.Run(call).GetAwaiter().GetResult(),
                Throws.InvalidOperationException.With.Message.Contains("thread"));
        }
    }

    [Test]
    public void AsyncTwins_WorkFromAnyThread()
    {
        var server = new DatagramScript { Received = DatagramScript.Echo };
        var client = new DatagramScript();
        Reactor.RunOnce(TimeSpan.Zero);
        DatagramSocket bound = RunUntil(Task.Run(() => Reactor.BindDatagramAsync(AnyPort, server)));
        DatagramSocket connected = RunUntil(
            Task.Run(() => Reactor.ConnectDatagramAsync(bound.LocalEndPoint!, client)));
        connected.TrySend([1]);

        RunUntil(() => client.Datagrams.Count == 1);
        Task<DatagramSocket> failing = Reactor.BindDatagramAsync(bound.LocalEndPoint!, server, new DatagramOptions());
        Assert.That(() => RunUntil(failing), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void Shutdown_ClosesASocket_ThatDoesNotOverrideOnStopping()
    {
        var script = new DatagramScript();
        Reactor.BindDatagram(AnyPort, script);
        RunUntil(Reactor.ShutdownAsync(TimeSpan.FromHours(1)));

        Assert.That(script.Stoppings, Is.EqualTo(1));
        Assert.That(script.Reasons.Single().Kind, Is.EqualTo(CloseKind.Local));
        Assert.That(
            () => Reactor.BindDatagram(AnyPort, script),
            Throws.InvalidOperationException.With.Message.Contains("shut down"));
    }

    [Test]
    public void Shutdown_WaitsForASocketThatFinishesFirst_UntilTheDeadline([Values] bool finishes)
    {
        var script = new DatagramScript { Stopping = static _ => { } };
        DatagramSocket socket = Reactor.BindDatagram(AnyPort, script);
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.FromMilliseconds(finishes ? 3_600_000 : 20));
        RunUntil(() => script.Stoppings == 1);
        Assert.That(shutdown.IsCompleted, Is.False);
        if (finishes)
        {
            socket.Close();
        }

        RunUntil(shutdown);
        Assert.That(
            script.Reasons.Single().Kind, Is.EqualTo(finishes ? CloseKind.Local : CloseKind.ReactorStopped));
    }

    [Test]
    public void OnStoppingThatThrows_DoesNotHoldUpTheShutdown()
    {
        var script = new DatagramScript { Stopping = static _ => throw new InvalidOperationException() };
        Reactor.BindDatagram(AnyPort, script);
        RunUntil(Reactor.ShutdownAsync(TimeSpan.FromHours(1)));

        Assert.That(script.Reasons.Single().Kind, Is.EqualTo(CloseKind.HandlerFault));
    }

    [Test]
    public void Dispose_OfTheReactor_ClosesItsSockets()
    {
        var script = new DatagramScript();
        DatagramSocket socket = Reactor.BindDatagram(AnyPort, script);
        Reactor.Dispose();

        Assert.That(script.Reasons.Single().Kind, Is.EqualTo(CloseKind.ReactorStopped));
        Assert.That(socket.IsClosed, Is.True);
        Assert.That(
            () => Reactor.BindDatagram(AnyPort, script), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void SocketDisposedByTheUser_EndsAsAborted()
    {
        var script = new DatagramScript();
        DatagramSocket socket = Reactor.BindDatagram(AnyPort, script);
        socket.GetFeature<Socket>()!.Dispose();

        Assert.That(socket.TrySend([1], AnyPort.Serialize()), Is.EqualTo(DatagramSendResult.Closed));
        RunUntil(() => script.Reasons.Count == 1);
        Assert.That(script.Reasons[0].Kind, Is.EqualTo(CloseKind.Aborted));
    }

    [Test]
    public void DatagramSockets_AreNoConnections()
    {
        using var reactor = new Reactor(new ReactorOptions { MaxConnections = 1 });
        reactor.BindDatagram(AnyPort, new DatagramScript());
        reactor.BindDatagram(AnyPort, new DatagramScript());

        Assert.That(reactor.Connections, Is.Empty);
    }

    [Test]
    public void PortInUse_IsOneClearLine_AndLeavesNothing()
    {
        using DatagramSocket first = Reactor.BindDatagram(AnyPort, new DatagramScript());

        Assert.That(
            () => Reactor.BindDatagram(first.LocalEndPoint!, new DatagramScript()),
            Throws.InstanceOf<SocketException>().With.Message.EqualTo(
                $"Can't receive datagrams on {first.LocalEndPoint}: Address already in use. Another socket has this "
                    + "port: end its program, or choose another port (0 for any)."));
    }

    [Test]
    public void ReuseAddress_SharesThePort()
    {
        var options = new DatagramOptions { ReuseAddress = true };
        using DatagramSocket first = Reactor.BindDatagram(AnyPort, new DatagramScript(), options);
        using DatagramSocket second = Reactor.BindDatagram(first.LocalEndPoint!, new DatagramScript(), options);

        Assert.That(second.LocalEndPoint, Is.EqualTo(first.LocalEndPoint));
    }

    [Test]
    public void HostNames_AreRefused()
    {
        var name = new DnsEndPoint("localhost", 7);
        Assert.That(
            () => Reactor.BindDatagram(name, new DatagramScript()),
            Throws.InstanceOf<NotSupportedException>().With.Message.Contains("Dns.GetHostAddressesAsync"));
        Assert.That(
            () => Reactor.ConnectDatagram(name, new DatagramScript()), Throws.InstanceOf<NotSupportedException>());
    }

    [Test]
    public void LocalAddressOfAnotherFamily_IsRefused() =>
        Assert.That(
            () => Reactor.ConnectDatagram(
                new IPEndPoint(IPAddress.Loopback, 9),
                new DatagramScript(),
                new DatagramOptions { LocalEndPoint = new IPEndPoint(IPAddress.IPv6Loopback, 0) }),
            Throws.ArgumentException.With.Message.Contains("DatagramOptions.LocalEndPoint is of InterNetworkV6"));

    [Test]
    public void Options_ReachTheSystem()
    {
        var options = new DatagramOptions
        {
            Broadcast = true,
            TimeToLive = 9,
            MulticastTimeToLive = 3,
            MulticastLoopback = false,
            DontFragment = true,
            SendBufferBytes = 20_000,
            ReceiveBufferBytes = 30_000,
        };
        using DatagramSocket bound = Reactor.BindDatagram(AnyPort, new DatagramScript(), options);
        Socket socket = bound.GetFeature<Socket>()!;

        Assert.That(socket.EnableBroadcast, Is.True);
        Assert.That(socket.Ttl, Is.EqualTo(9));
        Assert.That(
            socket.GetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive), Is.EqualTo(3));
        Assert.That(socket.MulticastLoopback, Is.False);
        Assert.That(socket.DontFragment, Is.True);
        Assert.That(socket.SendBufferSize, Is.GreaterThanOrEqualTo(20_000));
        Assert.That(socket.ReceiveBufferSize, Is.GreaterThanOrEqualTo(30_000));
    }

    [Test]
    [Platform("Linux")]
    public void DontFragment_OfIPv6_ReachesTheSystem()
    {
        using DatagramSocket bound = Reactor.BindDatagram(
            new IPEndPoint(IPAddress.IPv6Loopback, 0),
            new DatagramScript(),
            new DatagramOptions { DontFragment = true, TimeToLive = 9 });
        Span<byte> value = stackalloc byte[4];
        bound.GetFeature<Socket>()!.GetRawSocketOption(41, 23, value);

        Assert.That(value[0], Is.EqualTo(2), "IPV6_PMTUDISC_DO");
        Assert.That(bound.GetFeature<Socket>()!.Ttl, Is.EqualTo(9));
    }

    [Test]
    public void Broadcast_NeedsItsOption()
    {
        using DatagramSocket bound = Reactor.BindDatagram(AnyPort, new DatagramScript());

        Assert.That(
            bound.TrySend([1], new IPEndPoint(IPAddress.Broadcast, 9).Serialize()),
            Is.EqualTo(DatagramSendResult.Denied));
    }
}

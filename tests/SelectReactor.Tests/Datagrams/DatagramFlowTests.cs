using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Datagrams;

/// <summary>Datagrams there and back over real sockets.</summary>
public sealed class DatagramFlowTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static IEnumerable<IPAddress> Loopbacks => [IPAddress.Loopback, IPAddress.IPv6Loopback];

    [TestCaseSource(nameof(Loopbacks))]
    public void Echo_ReachesEachSender_Once(IPAddress address)
    {
        var server = new DatagramScript { Received = DatagramScript.Echo };
        using DatagramSocket bound = Reactor.BindDatagram(new IPEndPoint(address, 0), server);
        SocketAddress to = bound.LocalEndPoint!.Serialize();
        var clients = new DatagramScript[20];
        for (byte i = 0; i < clients.Length; i++)
        {
            clients[i] = new DatagramScript();
            DatagramSocket client = Reactor.BindDatagram(new IPEndPoint(address, 0), clients[i]);
            Assert.That(client.TrySend([i, 1], to), Is.EqualTo(DatagramSendResult.Sent));
        }

        RunUntil(() => clients.All(static client => client.Datagrams.Count == 1));
        for (byte i = 0; i < clients.Length; i++)
        {
            Assert.That(clients[i].Datagrams[0].Bytes, Is.EqualTo(new byte[] { i, 1 }));
            Assert.That(clients[i].Datagrams[0].From, Is.EqualTo(to));
        }

        Assert.That(bound.Statistics, Is.EqualTo(
            new DatagramStatistics { Received = 20, BytesReceived = 40, Sent = 20, BytesSent = 40 }));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(1200)]
    [TestCase(65_507)]
    public void ADatagramOfAnySize_ArrivesWhole(int size)
    {
        var server = new DatagramScript { Received = DatagramScript.Echo };
        var client = new DatagramScript();
        using DatagramSocket bound = Reactor.BindDatagram(AnyPort, server);
        using DatagramSocket connected = Reactor.ConnectDatagram(bound.LocalEndPoint!, client);
        byte[] bytes = new byte[size];
        new Random(size).NextBytes(bytes);

        Assert.That(connected.TrySend(bytes), Is.EqualTo(DatagramSendResult.Sent));
        RunUntil(() => client.Datagrams.Count == 1);

        Assert.That(client.Datagrams[0].Bytes, Is.EqualTo(bytes));
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero, "an idle socket holds no buffer");
    }

    [Test]
    public void TooLongADatagram_IsNotSent_AndTheNextIs()
    {
        var server = new DatagramScript();
        using DatagramSocket bound = Reactor.BindDatagram(AnyPort, server);
        using DatagramSocket connected = Reactor.ConnectDatagram(bound.LocalEndPoint!, new DatagramScript());

        Assert.That(connected.TrySend(new byte[65_508]), Is.EqualTo(DatagramSendResult.TooLong));
        Assert.That(bound.TrySend(new byte[65_508], Address(connected)), Is.EqualTo(DatagramSendResult.TooLong));
        Assert.That(connected.TrySend([1]), Is.EqualTo(DatagramSendResult.Sent));
        RunUntil(() => server.Datagrams.Count == 1);

        Assert.That(connected.Statistics.SendErrors, Is.EqualTo(1));
    }

    [Test]
    public void ADatagramOverTheLimit_IsDropped_CountedAndTold()
    {
        var server = new DatagramScript();
        using DatagramSocket bound = Reactor.BindDatagram(
            AnyPort, server, new DatagramOptions { MaxDatagramBytes = 10 });
        using DatagramSocket connected = Reactor.ConnectDatagram(bound.LocalEndPoint!, new DatagramScript());

        connected.TrySend(new byte[11]);
        connected.TrySend(new byte[10]);
        RunUntil(() => server.Datagrams.Count == 1);

        Assert.That(server.Datagrams[0].Bytes, Has.Length.EqualTo(10));
        Assert.That(server.Errors, Is.EqualTo(new[] { SocketError.MessageSize }));
        Assert.That(bound.Statistics.DroppedTooLong, Is.EqualTo(1));
        Assert.That(bound.Statistics.NetworkErrors, Is.Zero);
    }

    [Test]
    public void ConnectedSocket_HearsItsPeerOnly_AndSendsToItOnly()
    {
        var client = new DatagramScript();
        using DatagramSocket server = Reactor.BindDatagram(AnyPort, new DatagramScript());
        using DatagramSocket stranger = Reactor.BindDatagram(AnyPort, new DatagramScript());
        using DatagramSocket connected = Reactor.ConnectDatagram(
            server.LocalEndPoint!, client, new DatagramOptions { LocalEndPoint = AnyPort });

        stranger.TrySend([1], Address(connected));
        server.TrySend([2], Address(connected));
        RunUntil(() => client.Datagrams.Count == 1);
        Reactor.RunOnce(TimeSpan.FromMilliseconds(20));

        Assert.That(client.Contents, Is.EqualTo(new[] { new byte[] { 2 } }));
        Assert.That(connected.RemoteEndPoint, Is.EqualTo(server.LocalEndPoint));
        Assert.That(server.RemoteEndPoint, Is.Null);
        Assert.That(connected.TrySend([3], Address(server)), Is.EqualTo(DatagramSendResult.Sent));
        Assert.That(() => connected.TrySend([3], Address(stranger)), Throws.InvalidOperationException);
        Assert.That(() => server.TrySend([3]), Throws.InvalidOperationException);
    }

    [Test]
    public void UnreachablePeer_IsTold_AndTheSocketGoesOn()
    {
        var gone = (IPEndPoint)UnusedAddress();
        var client = new DatagramScript();
        using DatagramSocket connected = Reactor.ConnectDatagram(gone, client);
        connected.TrySend([1]);
        RunUntil(() => client.Errors.Count == 1);
        Assert.That(client.Errors, Is.EqualTo(new[] { SocketError.ConnectionRefused }));

        var server = new DatagramScript();
        using DatagramSocket back = Reactor.BindDatagram(gone, server);
        Assert.That(connected.TrySend([2]), Is.EqualTo(DatagramSendResult.Sent));
        RunUntil(() => server.Datagrams.Count == 1);

        Assert.That(connected.Statistics.NetworkErrors, Is.EqualTo(1));
        Assert.That(client.Reasons, Is.Empty);
    }

    [Test]
    public void AnErrorThatASendMeets_IsOfTheDatagramBefore_AndThisOneIsSent()
    {
        var gone = (IPEndPoint)UnusedAddress();
        var client = new DatagramScript();
        var server = new DatagramScript();
        using DatagramSocket connected = Reactor.ConnectDatagram(gone, client);
        connected.TrySend([1]);
        using DatagramSocket back = Reactor.BindDatagram(gone, server);

        // The loopback network has brought the refusal by now.
        Assert.That(connected.TrySend([2]), Is.EqualTo(DatagramSendResult.Sent));
        Assert.That(client.Errors, Is.Empty, "never inside a call of the user's");
        RunUntil(() => client.Errors.Count == 1 && server.Datagrams.Count == 1);

        Assert.That(server.Datagrams[0].Bytes, Is.EqualTo(new byte[] { 2 }));
        Assert.That(client.Errors, Is.EqualTo(new[] { SocketError.ConnectionRefused }));
        Assert.That(connected.Statistics.SendErrors, Is.Zero);
    }

    [Test]
    public void DualMode_ServesBothProtocols()
    {
        var server = new DatagramScript { Received = DatagramScript.Echo };
        var clients = new[] { new DatagramScript(), new DatagramScript() };
        using DatagramSocket bound = Reactor.BindDatagram(
            new IPEndPoint(IPAddress.IPv6Any, 0), server, new DatagramOptions { DualMode = true, TimeToLive = 5 });
        int port = ((IPEndPoint)bound.LocalEndPoint!).Port;
        foreach ((IPAddress address, DatagramScript client) in Loopbacks.Zip(clients))
        {
            Reactor.ConnectDatagram(new IPEndPoint(address, port), client).TrySend([1]);
        }

        RunUntil(() => clients.All(static client => client.Datagrams.Count == 1));
        Assert.That(
            server.Datagrams.Select(static datagram => ((IPEndPoint)datagram.From.ToEndPoint()).Address),
            Does.Contain(IPAddress.Loopback.MapToIPv6()));
        Assert.That(
            () => bound.TrySend([1], new IPEndPoint(IPAddress.Loopback, port).Serialize()),
            Throws.ArgumentException.With.Message.Contains("MapToIPv6"));
    }

    [Test]
    public void Budget_LeavesConnectionsAndTimersTheirTurn()
    {
        int ticks = 0, mostInATick = 0, inTick = 0;
        var server = new DatagramScript { Received = (_, _, _) => mostInATick = Math.Max(mostInATick, ++inTick) };
        using DatagramSocket bound = Reactor.BindDatagram(
            AnyPort, server, new DatagramOptions { MaxDatagramsPerTick = 7, ReceiveBufferBytes = 200_000 });
        using var flood = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        for (int i = 0; i < 50; i++)
        {
            flood.SendTo([1], bound.LocalEndPoint!);
        }

        while (server.Datagrams.Count < 50)
        {
            inTick = 0;
            ticks++;
            Reactor.RunOnce(Bound);
        }

        Assert.That(mostInATick, Is.EqualTo(7));
        Assert.That(ticks, Is.EqualTo(8));
    }

    [Test]
    [Platform("Linux")]
    public void FullReceiveBuffer_LosesDatagrams_AndTheSystemTellsHowMany()
    {
        var server = new DatagramScript();
        using DatagramSocket bound = Reactor.BindDatagram(
            AnyPort, server, new DatagramOptions { ReceiveBufferBytes = 4096 });
        using var flood = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        for (int i = 0; i < 100; i++)
        {
            flood.SendTo(new byte[1000], bound.LocalEndPoint!);
        }

        Reactor.RunOnce(Bound);
        Assert.That(server.Datagrams, Has.Count.InRange(1, 50));
        Assert.That(bound.TryGetDroppedBySystem(out long dropped), Is.True);
        Assert.That(dropped, Is.EqualTo(100 - server.Datagrams.Count));
        bound.Close();
        Assert.That(bound.TryGetDroppedBySystem(out dropped), Is.False);
    }

    [Test]
    public void Copies_AreKeys_AndOutliveTheCall()
    {
        var peers = new Dictionary<SocketAddress, int>();
        var server = new DatagramScript
        {
            Received = (_, remote, _) =>
            {
                if (!peers.TryGetValue(remote, out int count))
                {
                    peers.Add(remote.Copy(), 1);
                }
                else
                {
                    peers[remote] = count + 1;
                }
            },
        };
        using DatagramSocket bound = Reactor.BindDatagram(AnyPort, server);
        DatagramSocket[] clients =
            [.. Enumerable.Range(0, 3).Select(_ => Reactor.BindDatagram(AnyPort, new DatagramScript()))];
        foreach (DatagramSocket client in clients.Concat(clients))
        {
            client.TrySend([1], Address(bound));
        }

        RunUntil(() => server.Datagrams.Count == 6);
        Assert.That(peers.Values, Is.EqualTo(new[] { 2, 2, 2 }));
        Assert.That(
            peers.Keys.Select(static key => key.ToEndPoint()),
            Is.EquivalentTo(clients.Select(static client => client.LocalEndPoint)));
    }

    private static SocketAddress Address(DatagramSocket socket)
    {
        var local = (IPEndPoint)socket.LocalEndPoint!;
        return local.Serialize();
    }

    private static EndPoint UnusedAddress()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(AnyPort);
        return socket.LocalEndPoint!;
    }
}

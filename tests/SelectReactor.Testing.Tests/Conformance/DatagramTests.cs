using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

public sealed class DatagramTests(string world) : DatagramFixture(world)
{
    [Test]
    public void SendTo_ReachesTheReceiver_WithTheSendersAddress()
    {
        Handle server = BoundOne(), client = NewDatagram();

        Assert.That(SendTo(client, server, [1, 2, 3]), Is.EqualTo((SocketError.Success, 3)));

        (SocketError error, byte[] bytes) = ReceiveFrom(server);
        Assert.That((error, bytes), Is.EqualTo((SocketError.Success, new byte[] { 1, 2, 3 })));
        Assert.That(PortOf(Sender), Is.EqualTo(PortOf(client.LocalEndPoint!)));
        Assert.That(AddressOf(Sender), Is.EqualTo(IPAddress.Loopback));

        // An answer to the address that was received.
        Assert.That(server.SendTo([4], Sender, out int sent), Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.EqualTo(1));
        Assert.That(ReceiveFrom(client), Is.EqualTo((SocketError.Success, new byte[] { 4 })));
        Assert.That(PortOf(Sender), Is.EqualTo(PortOf(server.LocalEndPoint!)));
    }

    [Test]
    public void Datagrams_KeepTheirBounds()
    {
        Handle server = BoundOne(), client = NewDatagram();
        server.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, 200_000);
        SendTo(client, server, [1]);
        Assert.That(ReceiveFrom(server).Bytes, Is.EqualTo(new byte[] { 1 }));
        SendTo(client, server, [2, 3]);
        Settle();
        SendTo(client, server, [4, 5, 6]);
        Settle();

        Assert.That(ReceiveFrom(server).Bytes, Is.EqualTo(new byte[] { 2, 3 }));
        Assert.That(ReceiveFrom(server).Bytes, Is.EqualTo(new byte[] { 4, 5, 6 }));
        Assert.That(server.ReceiveFrom(new byte[1], Sender, out _), Is.EqualTo(SocketError.WouldBlock));
    }

    [Test]
    public void EmptyDatagram_IsOne([Values] bool withSender)
    {
        Handle server = BoundOne(), client = NewDatagram();
        Assert.That(SendTo(client, server, []), Is.EqualTo((SocketError.Success, 0)));
        WaitFor(server, Interest.Read);

        int received = -1;
        SocketError error = withSender
            ? server.ReceiveFrom(new byte[10], Sender, out received)
            : server.Receive(new byte[10], out received);

        Assert.That((error, received), Is.EqualTo((SocketError.Success, 0)));
        AssertNotReady(server, Interest.Read);
    }

    [Test]
    public void LongerDatagram_IsCut_AndSaysSo([Values] bool withSender, [Values(0, 1, 3)] int room)
    {
        Handle server = BoundOne(), client = NewDatagram();
        SendTo(client, server, [1, 2, 3, 4]);
        WaitFor(server, Interest.Read);

        byte[] buffer = new byte[room];
        int received = -1;
        SocketError error = withSender
            ? server.ReceiveFrom(buffer, Sender, out received)
            : server.Receive(buffer, out received);

        Assert.That((error, received), Is.EqualTo((SocketError.MessageSize, room)));
        Assert.That(buffer, Is.EqualTo(new byte[] { 1, 2, 3, 4 }.Take(room)));
        if (withSender)
        {
            Assert.That(PortOf(Sender), Is.EqualTo(PortOf(client.LocalEndPoint!)));
        }

        AssertNotReady(server, Interest.Read);
    }

    [Test]
    public void DatagramOfTheBuffersSize_IsNotCut([Values] bool withSender)
    {
        Handle server = BoundOne(), client = NewDatagram();
        SendTo(client, server, [1, 2, 3, 4]);
        WaitFor(server, Interest.Read);

        int received = -1;
        SocketError error = withSender
            ? server.ReceiveFrom(new byte[4], Sender, out received)
            : server.Receive(new byte[4], out received);

        Assert.That((error, received), Is.EqualTo((SocketError.Success, 4)));
    }

    [Test]
    public void LargestDatagram_Arrives_AndALargerOneIsRefused([Values] bool connected)
    {
        Handle server = BoundOne(), client = NewDatagram();
        server.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, 200_000);
        byte[] largest = [.. Enumerable.Range(0, 65_507).Select(static i => (byte)i)];
        if (connected)
        {
            Assert.That(client.Connect(server.LocalEndPoint!), Is.EqualTo(SocketError.Success));
        }

        Assert.That(Send(largest), Is.EqualTo((SocketError.Success, largest.Length)));
        Assert.That(Send([.. largest, 1]), Is.EqualTo((SocketError.MessageSize, 0)));

        (SocketError error, byte[] bytes) = ReceiveFrom(server, 65_535);
        Assert.That(error, Is.EqualTo(SocketError.Success));
        Assert.That(bytes.AsSpan().SequenceEqual(largest));

        (SocketError Error, int Sent) Send(byte[] bytes)
        {
            int sent;
            return connected ? (client.Send(bytes, out sent), sent) : SendTo(client, server, bytes);
        }
    }

    [Test]
    public void Connect_FixesThePeer()
    {
        Handle server = BoundOne(), stranger = BoundOne(), client = NewDatagram();

        Assert.That(client.Connect(server.LocalEndPoint!), Is.EqualTo(SocketError.Success));

        Assert.That(client.RemoteEndPoint, Is.EqualTo(server.LocalEndPoint));
        Assert.That(((IPEndPoint)client.LocalEndPoint!).Address, Is.EqualTo(IPAddress.Loopback));
        SendTo(stranger, client, [9]);
        Settle();
        Assert.That(client.Receive(new byte[1], out _), Is.EqualTo(SocketError.WouldBlock), "from a stranger");

        Assert.That(client.Send([1, 2], out int sent), Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.EqualTo(2));
        Assert.That(ReceiveFrom(server).Bytes, Is.EqualTo(new byte[] { 1, 2 }));
        server.SendTo([3], Sender, out _);
        Assert.That(Receive(client), Is.EqualTo((SocketError.Success, new byte[] { 3 })));
    }

    [Test]
    public void Connect_AfterBind_TakesAnAddress()
    {
        Handle server = BoundOne(), client = NewDatagram();
        client.Bind(new IPEndPoint(IPAddress.Any, 0));
        int port = PortOf(client.LocalEndPoint!);

        client.Connect(server.LocalEndPoint!);

        Assert.That(client.LocalEndPoint, Is.EqualTo(new IPEndPoint(IPAddress.Loopback, port)));
    }

    [Test]
    public void SendGathered_IsOneDatagram()
    {
        Handle server = BoundOne(), client = NewDatagram();
        client.Connect(server.LocalEndPoint!);

        Assert.That(SendGathered(client, out int sent, [1], [2, 3]), Is.EqualTo(SocketError.Success));

        Assert.That(sent, Is.EqualTo(3));
        Assert.That(ReceiveFrom(server).Bytes, Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void SendTo_OfAConnectedHandle_GoesToTheOtherAddress()
    {
        Handle peer = BoundOne(), other = BoundOne(), client = NewDatagram();
        client.Connect(peer.LocalEndPoint!);

        Assert.That(SendTo(client, other, [5]), Is.EqualTo((SocketError.Success, 1)));

        Assert.That(ReceiveFrom(other).Bytes, Is.EqualTo(new byte[] { 5 }));
    }

    [Test]
    public void IPv6_CarriesDatagrams()
    {
        Handle server = NewDatagram(AddressFamily.InterNetworkV6), client = NewDatagram(AddressFamily.InterNetworkV6);
        Assert.That(server.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0)), Is.EqualTo(SocketError.Success));
        var sender = new SocketAddress(AddressFamily.InterNetworkV6);

        SendTo(client, server, [1]);
        WaitFor(server, Interest.Read);

        Assert.That(server.ReceiveFrom(new byte[9], sender, out int received), Is.EqualTo(SocketError.Success));
        Assert.That(received, Is.EqualTo(1));
        Assert.That(
            new IPEndPoint(IPAddress.IPv6Any, 0).Create(sender),
            Is.EqualTo(new IPEndPoint(IPAddress.IPv6Loopback, PortOf(client.LocalEndPoint!))));
    }

    [Test]
    public void DualModeHandle_SeesMappedAddresses()
    {
        Handle server = NewDatagram(AddressFamily.InterNetworkV6), client = BoundOne();
        server.SetOption(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, 0);
        Assert.That(server.Bind(new IPEndPoint(IPAddress.IPv6Any, 0)), Is.EqualTo(SocketError.Success));
        var sender = new SocketAddress(AddressFamily.InterNetworkV6);
        client.SendTo(
            [1], new IPEndPoint(IPAddress.Loopback, PortOf(server.LocalEndPoint!)).Serialize(), out _);
        WaitFor(server, Interest.Read);

        Assert.That(server.ReceiveFrom(new byte[9], sender, out _), Is.EqualTo(SocketError.Success));
        Assert.That(
            new IPEndPoint(IPAddress.IPv6Any, 0).Create(sender),
            Is.EqualTo(new IPEndPoint(IPAddress.Loopback.MapToIPv6(), PortOf(client.LocalEndPoint!))));
        Assert.That(server.SendTo([2], sender, out _), Is.EqualTo(SocketError.Success));
        Assert.That(ReceiveFrom(client).Bytes, Is.EqualTo(new byte[] { 2 }));
        Assert.That(AddressOf(Sender), Is.EqualTo(IPAddress.Loopback));
    }

    [Test]
    public void LargerAddress_IsCutToTheSendersSize()
    {
        Handle server = BoundOne();
        SendTo(NewDatagram(), server, [1]);
        WaitFor(server, Interest.Read);
        var sender = new SocketAddress(AddressFamily.InterNetwork, 100);

        Assert.That(server.ReceiveFrom(new byte[1], sender, out _), Is.EqualTo(SocketError.Success));
        Assert.That(sender.Size, Is.EqualTo(AnyLoopbackPort.Serialize().Size));
        Assert.That(AddressOf(sender), Is.EqualTo(IPAddress.Loopback));
    }

    [Test]
    public void FullReceiveBuffer_LosesDatagrams_AndWorksAgainAfterwards()
    {
        Handle server = BoundOne(), client = NewDatagram();
        server.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, 4096);
        for (int i = 0; i < 100; i++)
        {
            Assert.That(SendTo(client, server, new byte[1000]).Error, Is.EqualTo(SocketError.Success));
        }

        Settle();
        int received = 0;
        while (server.ReceiveFrom(new byte[1000], Sender, out _) == SocketError.Success)
        {
            received++;
        }

        Assert.That(received, Is.InRange(1, 50));
        SendTo(client, server, [1]);
        Assert.That(ReceiveFrom(server).Bytes, Is.EqualTo(new byte[] { 1 }));
    }
}

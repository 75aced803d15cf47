using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

public sealed class DatagramStateTests(string world) : DatagramFixture(world)
{
    [Test]
    public void FreshHandle_HasNoAddress_AndOneAfterTheFirstSend()
    {
        Handle server = BoundOne(), client = NewDatagram();
        Assert.That((client.LocalEndPoint, client.RemoteEndPoint), Is.EqualTo(((EndPoint?)null, (EndPoint?)null)));
        Assert.That(client.ReceiveFrom(new byte[1], Sender, out _), Is.EqualTo(SocketError.WouldBlock));

        SendTo(client, server, [1]);

        Assert.That(
            client.LocalEndPoint,
            Is.InstanceOf<IPEndPoint>().With.Property(nameof(IPEndPoint.Address)).EqualTo(IPAddress.Any)
                .And.Property(nameof(IPEndPoint.Port)).Not.Zero);
        Assert.That(client.RemoteEndPoint, Is.Null);
    }

    [Test]
    public void Connect_Twice_IsRefused()
    {
        Handle server = BoundOne(), other = BoundOne(), client = NewDatagram();
        client.Connect(server.LocalEndPoint!);

        Assert.That(client.Connect(other.LocalEndPoint!), Is.EqualTo(SocketError.IsConnected));
        Assert.That(client.RemoteEndPoint, Is.EqualTo(server.LocalEndPoint));
    }

    [Test]
    public void Send_WithoutAPeer_NeedsAnAddress()
    {
        Handle client = NewDatagram();

        Assert.That(Send(client), Is.EqualTo(SocketError.DestinationAddressRequired));
        Assert.That(SendGathered(client, out int sent, [1]), Is.EqualTo(SocketError.DestinationAddressRequired));
        Assert.That(sent, Is.Zero);
    }

    [Test]
    public void PortWithoutProgram_IsRefused_Once_AndTheHandleGoesOn([Values] bool bySend, [Values] bool withSender)
    {
        Handle gone = BoundOne();
        var address = (IPEndPoint)gone.LocalEndPoint!;
        gone.Close();
        Handle client = NewDatagram();
        client.Connect(address);
        Send(client);
        WaitForError(client);

        SocketError error = bySend ? Send(client)
            : withSender ? client.ReceiveFrom(new byte[1], Sender, out _)
            : client.Receive(new byte[1], out _);

        Assert.That(error, Is.EqualTo(SocketError.ConnectionRefused));
        Assert.That(client.Receive(new byte[1], out _), Is.EqualTo(SocketError.WouldBlock));
        AssertNotReady(client, Interest.Read);
        Assert.That(client.RemoteEndPoint, Is.EqualTo(address), "after the error");
        Assert.That(client.LocalEndPoint, Is.Not.Null, "after the error");

        Handle back = NewDatagram();
        Assert.That(back.Bind(address), Is.EqualTo(SocketError.Success));
        Assert.That(Send(client), Is.EqualTo(SocketError.Success));
        Assert.That(ReceiveFrom(back).Bytes, Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public void PortWithoutProgram_IsSeenByTakeError()
    {
        Handle gone = BoundOne(), client = NewDatagram();
        client.Connect(gone.LocalEndPoint!);
        gone.Close();
        Send(client);
        WaitForError(client);

        Assert.That(client.TakeError(), Is.EqualTo(SocketError.ConnectionRefused));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void PortWithoutProgram_IsNotTold_WithoutAFixedPeer()
    {
        Handle gone = BoundOne(), client = NewDatagram();
        var address = (IPEndPoint)gone.LocalEndPoint!;
        gone.Close();
        client.SendTo([1], address.Serialize(), out _);
        Settle();

        Assert.That(client.ReceiveFrom(new byte[1], Sender, out _), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(client.SendTo([1], address.Serialize(), out _), Is.EqualTo(SocketError.Success));
        AssertNotReady(client, Interest.Read);
    }

    [Test]
    public void Bind_ToABoundPort_IsInUse([Values] bool any)
    {
        Handle first = BoundOne(), second = NewDatagram();
        IPAddress address = any ? IPAddress.Any : IPAddress.Loopback;

        Assert.That(
            second.Bind(new IPEndPoint(address, PortOf(first.LocalEndPoint!))),
            Is.EqualTo(SocketError.AddressAlreadyInUse));
        Assert.That(second.LocalEndPoint, Is.Null);
    }

    [Test]
    public void Ports_AreNotThoseOfStreams()
    {
        Handle listener = Listening(), datagram = NewDatagram();

        Assert.That(datagram.Bind(listener.LocalEndPoint!), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void ReuseAddress_OnBoth_SharesThePort()
    {
        Handle[] handles = [NewDatagram(), NewDatagram()];
        EndPoint address = AnyLoopbackPort;
        foreach (Handle handle in handles)
        {
            handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1);
            Assert.That(handle.Bind(address), Is.EqualTo(SocketError.Success));
            address = handle.LocalEndPoint!;
        }
    }

    [Test]
    public void ConnectedHandle_ComesFirst_OnASharedPort()
    {
        Handle server = BoundOne(reuse: true), client = BoundOne();
        Handle session = NewDatagram();
        session.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1);
        Assert.That(session.Bind(server.LocalEndPoint!), Is.EqualTo(SocketError.Success));
        Assert.That(session.Connect(client.LocalEndPoint!), Is.EqualTo(SocketError.Success));

        SendTo(client, server, [1]);

        Assert.That(Receive(session), Is.EqualTo((SocketError.Success, new byte[] { 1 })));
        SendTo(BoundOne(), server, [2]);
        Assert.That(ReceiveFrom(server), Is.EqualTo((SocketError.Success, new byte[] { 2 })));
    }

    [Test]
    public void Broadcast_NeedsItsOption()
    {
        Handle handle = NewDatagram();
        SocketAddress all = new IPEndPoint(IPAddress.Broadcast, 9).Serialize();

        Assert.That(handle.SendTo([1], all, out int sent), Is.EqualTo(SocketError.AccessDenied));
        Assert.That(sent, Is.Zero);
        Assert.That(
            handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.Broadcast, 1),
            Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void MappedAddress_IsUnreachable_WithoutDualMode()
    {
        Handle handle = NewDatagram(AddressFamily.InterNetworkV6);

        Assert.That(
            handle.SendTo([1], new IPEndPoint(IPAddress.Loopback.MapToIPv6(), 9).Serialize(), out _),
            Is.EqualTo(SocketError.NetworkUnreachable));
    }

    [Test]
    public void WrongAddresses_AreValues()
    {
        Handle server = BoundOne(), handle = NewDatagram();
        SendTo(NewDatagram(), server, [1]);
        WaitFor(server, Interest.Read);

        Assert.That(
            server.ReceiveFrom(new byte[1], new SocketAddress(AddressFamily.InterNetwork, 8), out _),
            Is.EqualTo(SocketError.Fault), "too small for the sender");
        Assert.That(
            handle.SendTo([1], new IPEndPoint(IPAddress.IPv6Loopback, 9).Serialize(), out _),
            Is.EqualTo(SocketError.AddressFamilyNotSupported));
        Assert.That(
            handle.SendTo([1], new IPEndPoint(IPAddress.Loopback, 0).Serialize(), out _),
            Is.EqualTo(SocketError.InvalidArgument), "port 0");
        Assert.That(
            handle.Connect(new IPEndPoint(IPAddress.IPv6Loopback, 9)),
            Is.EqualTo(SocketError.AddressFamilyNotSupported));
    }

    [Test]
    public void MembersOfStreams_AreNotSupported()
    {
        Handle handle = BoundOne();

        SocketError[] answers =
        [
            handle.Listen(1), handle.Accept(out Handle? accepted), handle.Shutdown(SocketShutdown.Both),
        ];
        Assert.That(answers, Is.All.EqualTo(SocketError.OperationNotSupported));
        Assert.That(accepted, Is.Null);
        Assert.That(handle.TryGetAcknowledgedBytes(out _), Is.False);
        Assert.That(handle.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void MembersOfDatagrams_AreNotSupported_OnAStream()
    {
        Handle client = Pair().Client;

        SocketError[] answers =
        [
            client.ReceiveFrom(new byte[1], Sender, out int received), SendTo(client, BoundOne(), [1]).Error,
        ];
        Assert.That(answers, Is.All.EqualTo(SocketError.OperationNotSupported));
        Assert.That(received, Is.Zero);
    }

    [Test]
    public void ClosedHandle_AnswersOperationAborted([Values] bool abort)
    {
        Handle handle = BoundOne();
        if (abort)
        {
            handle.Abort();
        }
        else
        {
            handle.Close();
        }

        SocketError[] answers =
        [
            handle.Receive(new byte[1], out int received),
            handle.ReceiveFrom(new byte[1], Sender, out int from),
            handle.Send([1], out int sent),
            handle.SendTo([1], AnyLoopbackPort.Serialize(), out int sentTo),
            SendGathered(handle, out int gathered, [1]),
            handle.Connect(new IPEndPoint(IPAddress.Loopback, 1)),
            handle.Bind(AnyLoopbackPort),
            handle.Listen(1),
            handle.Accept(out _),
            handle.Shutdown(SocketShutdown.Both),
            handle.TakeError(),
        ];

        Assert.That(answers, Is.All.EqualTo(SocketError.OperationAborted));
        Assert.That((received, from, sent, sentTo, gathered), Is.EqualTo((0, 0, 0, 0, 0)));
        Assert.That((handle.LocalEndPoint, handle.RemoteEndPoint), Is.EqualTo(((EndPoint?)null, (EndPoint?)null)));
    }

    [Test]
    public void FreshHandle_IsWritable_AndNotReadable()
    {
        Handle handle = NewDatagram();

        WaitFor(handle, Interest.Write);
        AssertNotReady(handle, Interest.Read);
    }

    [Test]
    public void SpareHandle_OccupiesADescriptor_AndCloses()
    {
        Handle spare = NewSpare();

        Assert.That(spare.IsClosed, Is.False);
        spare.Close();
        Assert.That(spare.IsClosed, Is.True);
    }

    // SelectSelector finds an error when a wait ends early, and so not when it does not wait.
    private void WaitForError(Handle handle)
    {
        if (!IsHonest)
        {
            Settle();
        }

        SelectionKey key = Register(handle, Interest.Read);
        Select(Bound);
        key.Cancel();
        Assert.That(key.Ready, Is.EqualTo(Interest.Read));
    }
}

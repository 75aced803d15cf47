using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

/// <summary>Real sockets behind the contract that nothing throws for what a network does.</summary>
public sealed class SocketHandleTests : SelectorFixture
{
    [Test]
    public void Receive_WithNothingThere_IsWouldBlock()
    {
        SocketHandle handle = Connected().Handle;

        Assert.That(handle.Receive(new byte[10], out int received), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(received, Is.Zero);
    }

    [Test]
    public void Bytes_GoBothWays()
    {
        (SocketHandle handle, Peer peer) = Connected();
        peer.Send([1, 2, 3]);
        WaitReadable(handle);
        byte[] buffer = new byte[10];
        Assert.That(handle.Receive(buffer, out int received), Is.EqualTo(SocketError.Success));
        Assert.That(buffer[..received], Is.EqualTo(new byte[] { 1, 2, 3 }));

        Assert.That(handle.Send([4, 5], out int sent), Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.EqualTo(2));
        ArraySegment<byte>[] gathered = [new([6, 7], 1, 1), new([8, 9], 0, 0), new([10, 11], 0, 2)];
        Assert.That(handle.Send(gathered, out sent), Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.EqualTo(3));
        Assert.That(peer.Receive(5), Is.EqualTo(new byte[] { 4, 5, 7, 10, 11 }));
    }

    [Test]
    public void AShortSend_SaysHowMuchWasTaken_AndTheRestFollows([Values] bool gathered)
    {
        (SocketHandle handle, Peer peer) = Connected();
        byte[] all = new byte[32 << 20];
        new Random(1).NextBytes(all);
        SocketError error = Send(all, out int sent);
        Assert.That(error, Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.InRange(1, all.Length - 1));
        Assert.That(Send(all.AsMemory(sent), out int more), Is.AnyOf(SocketError.WouldBlock, SocketError.Success));

        Assert.That(peer.Receive(sent + more), Is.EqualTo(all[..(sent + more)]));

        SocketError Send(ReadOnlyMemory<byte> bytes, out int count) => gathered
            ? handle.Send([bytes[..(bytes.Length / 2)].ToArray(), bytes[(bytes.Length / 2)..].ToArray()], out count)
            : handle.Send(bytes.Span, out count);
    }

    [Test]
    public void AFullSendBuffer_IsWouldBlock()
    {
        SocketHandle handle = Connected().Handle;
        FillSendBuffer(handle);

        Assert.That(handle.Send([1], out int sent), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(sent, Is.Zero);
        Assert.That(handle.Send([new ArraySegment<byte>([1])], out sent), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(sent, Is.Zero);
    }

    [Test]
    public void Accept_WithNobodyThere_IsWouldBlock()
    {
        using var listener = new SocketHandle(Peer.Listen());

        Assert.That(listener.Accept(out Handle? accepted), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(accepted, Is.Null);
    }

    [Test]
    public void Accept_TakesAConnection_ThatDoesNotBlock()
    {
        using var listener = new SocketHandle(Peer.Listen());
        Peer peer = Own(Peer.Connect(listener.LocalEndPoint!));
        WaitReadable(listener);

        Assert.That(listener.Accept(out Handle? accepted), Is.EqualTo(SocketError.Success));

        Own(accepted!);
        Assert.That(accepted!.RemoteEndPoint, Is.EqualTo(peer.Socket.LocalEndPoint));
        Assert.That(accepted.Receive(new byte[1], out _), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(listener.Accept(out _), Is.EqualTo(SocketError.WouldBlock));
    }

    [Test]
    public void TheFactory_MakesHandlesThatBindListenAndConnectWithoutBlocking()
    {
        Handle listener = Own(SocketHandleFactory.Instance.CreateListener(AddressFamily.InterNetwork));
        Assert.That(listener.Bind(new IPEndPoint(IPAddress.Loopback, 0)), Is.EqualTo(SocketError.Success));
        Assert.That(listener.Listen(4), Is.EqualTo(SocketError.Success));
        Handle client = Own(SocketHandleFactory.Instance.CreateStream(AddressFamily.InterNetwork));
        Assert.That(
            client.SetOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, 1), Is.EqualTo(SocketError.Success));

        Assert.That(client.Connect(listener.LocalEndPoint!), Is.AnyOf(SocketError.WouldBlock, SocketError.InProgress));

        Register(client, Interest.Connect);
        SelectSome();
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        Assert.That(client.RemoteEndPoint, Is.EqualTo(listener.LocalEndPoint));
    }

    [Test, Platform("Linux")]
    public void ARawOption_IsSet_AndARefusedOneIsAValue()
    {
        const int IpLevel = 0;
        const int TypeOfService = 1;
        SocketHandle handle = Connected().Handle;

        Assert.That(handle.SetOption(IpLevel, TypeOfService, [0x10, 0, 0, 0]), Is.EqualTo(SocketError.Success));

        byte[] value = new byte[4];
        handle.Socket.GetRawSocketOption(IpLevel, TypeOfService, value);
        Assert.That(value, Is.EqualTo(new byte[] { 0x10, 0, 0, 0 }));
        Assert.That(handle.SetOption(IpLevel, 9_999, [1, 0, 0, 0]), Is.EqualTo(SocketError.ProtocolOption));
        handle.Close();
        Assert.That(handle.SetOption(IpLevel, TypeOfService, [0, 0, 0, 0]), Is.EqualTo(SocketError.OperationAborted));
    }

    [Test]
    public void AHandle_IsNamedByItsEndPoints_AlsoAfterItsEnd()
    {
        (SocketHandle handle, Peer peer) = Connected();
        string ends = $"SocketHandle on {handle.LocalEndPoint} to {handle.RemoteEndPoint}";
        Assert.That(handle.ToString(), Is.EqualTo(ends));
        peer.Dispose();
        handle.Close();

        Assert.That(handle.ToString(), Is.EqualTo(ends));
        Assert.That(new Mock<Handle> { CallBase = true }.Object.ToString(), Does.EndWith("without a known end point"));
    }

    [Test]
    public void AnAddressInUse_IsAValue()
    {
        using Socket listener = Peer.Listen();
        Handle handle = Own(SocketHandleFactory.Instance.CreateListener(AddressFamily.InterNetwork));

        Assert.That(handle.Bind(listener.LocalEndPoint!), Is.EqualTo(SocketError.AddressAlreadyInUse));
    }

    [Test]
    public void ARefusedConnect_LeavesItsErrorToBeTakenOnce()
    {
        Socket listener = Peer.Listen();
        EndPoint endPoint = listener.LocalEndPoint!;
        listener.Dispose();
        Handle handle = Own(SocketHandleFactory.Instance.CreateStream(AddressFamily.InterNetwork));
        handle.Connect(endPoint);
        Register(handle, Interest.Connect);
        SelectSome();

        Assert.That(handle.TakeError(), Is.EqualTo(SocketError.ConnectionRefused));
        Assert.That(handle.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void ThePeersReset_IsAValue()
    {
        (SocketHandle handle, Peer peer) = Connected();
        peer.Reset();
        WaitReadable(handle);

        Assert.That(handle.Receive(new byte[1], out int received), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(received, Is.Zero);
        Assert.That(handle.Send([1], out int sent), Is.AnyOf(SocketError.Shutdown, SocketError.ConnectionReset));
        Assert.That(sent, Is.Zero);
        Assert.That(handle.Shutdown(SocketShutdown.Send), Is.AnyOf(SocketError.NotConnected, SocketError.Success));
    }

    [Test]
    public void Shutdown_And_Close_SendTheEndOfTheStream([Values] bool close)
    {
        (SocketHandle handle, Peer peer) = Connected();
        handle.Send([1, 2], out _);
        if (close)
        {
            handle.Close();
        }
        else
        {
            Assert.That(handle.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.Success));
        }

        Assert.That(peer.ReceiveToEnd(), Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public void Abort_SendsAReset()
    {
        (SocketHandle handle, Peer peer) = Connected();
        handle.Abort();

        Assert.That(() => peer.ReceiveToEnd(), Throws.InstanceOf<SocketException>()
            .With.Property(nameof(SocketException.SocketErrorCode)).EqualTo(SocketError.ConnectionReset));
        Assert.That(handle.IsClosed, Is.True);
    }

    [Test]
    public void AClosedHandle_AnswersOperationAborted([Values] bool behindOurBack)
    {
        SocketHandle handle = Connected().Handle;
        Assert.That(handle.IsClosed, Is.False);
        if (behindOurBack)
        {
            handle.Socket.Dispose();
        }
        else
        {
            handle.Close();
        }

        SocketError[] answers = AnswersOf(handle);
        Assert.Multiple(() =>
        {
            Assert.That(answers, Is.All.EqualTo(SocketError.OperationAborted));
            Assert.That(handle.IsClosed, Is.True);
            Assert.That((handle.LocalEndPoint, handle.RemoteEndPoint), Is.EqualTo(((EndPoint?)null, (EndPoint?)null)));
            Assert.That(handle.Abort, Throws.Nothing);
            Assert.That(handle.Close, Throws.Nothing);
            Assert.That(handle.Dispose, Throws.Nothing);
        });
    }

    [Test]
    public void AHandleThatIsNotConnected_HasNoRemoteEndPoint_AndAnswersSo()
    {
        Handle handle = Own(SocketHandleFactory.Instance.CreateStream(AddressFamily.InterNetwork));
        Assert.Multiple(() =>
        {
            Assert.That(handle.RemoteEndPoint, Is.Null);
            Assert.That(handle.Receive(new byte[1], out _), Is.EqualTo(SocketError.NotConnected));
            Assert.That(handle.Send([1], out _), Is.AnyOf(SocketError.NotConnected, SocketError.Shutdown));
            Assert.That(handle.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.NotConnected));
        });
    }

    [Test]
    public void AKindOfHandleThatCanDoNothing_SaysSo()
    {
        using var handle = new BareHandle();

        Assert.That(AnswersOf(handle), Is.All.EqualTo(SocketError.OperationNotSupported));
    }

    // What a handle says to all that can be asked of it.
    private static SocketError[] AnswersOf(Handle handle)
    {
        var endPoint = new IPEndPoint(IPAddress.Loopback, 0);
        return
        [
            handle.Receive(new byte[1], out _),
            handle.Send([1], out _),
            handle.Send([new ArraySegment<byte>([1])], out _),
            handle.Accept(out _),
            handle.Connect(endPoint),
            handle.Bind(endPoint),
            handle.Listen(1),
            handle.SetOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, 1),
            handle.Shutdown(SocketShutdown.Both),
            handle.TakeError(),
        ];
    }

    private static void WaitReadable(SocketHandle handle) =>
        Assert.That(handle.Socket.Poll(Bound, SelectMode.SelectRead), Is.True);

    private sealed class BareHandle : Handle
    {
        public override bool IsClosed => false;

        public override void Close()
        {
        }
    }
}

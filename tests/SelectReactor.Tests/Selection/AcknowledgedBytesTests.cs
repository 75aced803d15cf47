using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

/// <summary>What Linux tells about a TCP connection: the bytes that the peer acknowledged, and a reset after
/// all.</summary>
[Platform("Linux")]
public sealed class AcknowledgedBytesTests : SelectorFixture
{
    [Test]
    public void Accepted_And_Connecting_CountTheirBytesAlone([Values] bool accepted)
    {
        (SocketHandle handle, Socket peer) = Pair(accepted);
        Assert.That(AcknowledgedBy(handle), Is.Zero);

        handle.Send(new byte[1000], out _);

        AwaitAcknowledged(handle, 1000);
        handle.Send([new ArraySegment<byte>(new byte[10]), new ArraySegment<byte>(new byte[20])], out _);
        AwaitAcknowledged(handle, 1030);
        peer.Dispose();
    }

    [Test]
    public void TheEndOfTheStream_DoesNotCount([Values] bool accepted)
    {
        (SocketHandle handle, Socket peer) = Pair(accepted);
        handle.Send(new byte[100], out _);
        handle.Shutdown(SocketShutdown.Send);
        AwaitAcknowledged(handle, 100);
        peer.Receive(new byte[200]);
        Assert.That(peer.Receive(new byte[200]), Is.Zero, "the end arrives");
        peer.Shutdown(SocketShutdown.Send);
        WaitReadable(handle);

        Assert.That(AcknowledgedBy(handle), Is.EqualTo(100));
        peer.Dispose();
        Assert.That(AcknowledgedBy(handle), Is.EqualTo(100));
    }

    [Test]
    public void BytesThatThePeersSystemDoesNotTake_AreNotAcknowledged([Values] bool accepted)
    {
        (SocketHandle handle, Socket peer) = Pair(accepted);
        long sent = SendUntilFull(handle);
        long before = AcknowledgedBy(handle);
        Assert.That(before, Is.LessThan(sent));

        byte[] sink = new byte[1 << 20];
        for (long received = 0; received < sent;)
        {
            received += peer.Receive(sink);
        }

        AwaitAcknowledged(handle, sent);
        peer.Dispose();
    }

    [Test]
    public void AfterAReset_DiscardedBytesAreNotAcknowledged([Values] bool accepted)
    {
        (SocketHandle handle, Socket peer) = Pair(accepted);
        long sent = SendUntilFull(handle);
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
        WaitReadable(handle);

        Assert.That(AcknowledgedBy(handle), Is.LessThan(sent));
        Assert.That(handle.Receive(new byte[1], out _), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(AcknowledgedBy(handle), Is.LessThan(sent));
    }

    [Test]
    public void TakenOverSocket_CountsFromThere()
    {
        using Socket listener = Peer.Listen();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(EndPointOf(listener));
        using Socket peer = listener.Accept();
        socket.Send(new byte[5000]);

        var handle = new SocketHandle(socket);
        handle.Send(new byte[7], out _);

        AwaitAcknowledged(handle, 7);
    }

    [Test]
    public void UnixSocket_And_ClosedHandle_DoNotTell()
    {
        using var unix = new SocketHandle(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        (SocketHandle handle, Socket peer) = Pair(accepted: true);
        handle.Close();

        Assert.That(unix.TryGetAcknowledgedBytes(out long bytes), Is.False);
        Assert.That(bytes, Is.Zero);
        Assert.That(handle.TryGetAcknowledgedBytes(out bytes), Is.False);
        Assert.That(bytes, Is.Zero);
        peer.Dispose();
    }

    [Test]
    public void Asking_AllocatesNothing()
    {
        (SocketHandle handle, Socket peer) = Pair(accepted: true);
        AcknowledgedBy(handle);
        long allocated = Allocations.Least(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                AcknowledgedBy(handle);
            }
        });

        Assert.That(allocated, Is.Zero);
        peer.Dispose();
    }

    // The runtime's Send goes on after a short send by itself, and drops the error if a part was sent: then the
    // system has told of the reset once, and a receive finds 0 bytes.
    [Test]
    public void ResetWhileMuchIsSent_IsNeverAnEndOfStream()
    {
        byte[] much = new byte[8 << 20];
        byte[] buffer = new byte[100];
        for (int round = 0; round < 400; round++)
        {
            (SocketHandle handle, Socket peer) = Pair(accepted: false);
            var resetter = new Thread(() =>
            {
                peer.Receive(new byte[1]);
                peer.LingerState = new LingerOption(true, 0);
                peer.Dispose();
            });
            resetter.Start();
            while (handle.Send(much, out _) == SocketError.Success)
            {
            }

            resetter.Join();
            WaitReadable(handle);
            SocketError first = handle.Receive(buffer, out int received);
            Assert.That((first, received), Is.EqualTo((SocketError.ConnectionReset, 0)), $"round {round}");
            Assert.That(handle.Receive(buffer, out _), Is.EqualTo(SocketError.ConnectionReset), "it stays so");
            handle.Close();
        }
    }

    [Test]
    public void EndOfStream_StaysOne_WhateverThisSideHasEnded([Values] bool endsFirst, [Values] bool adopted)
    {
        (SocketHandle handle, Socket peer) = Pair(accepted: true);
        if (endsFirst)
        {
            handle.Shutdown(SocketShutdown.Send);
            Assert.That(peer.Receive(new byte[1]), Is.Zero);
        }

        SocketHandle receiver = adopted ? new SocketHandle(handle.Socket) : handle;
        peer.Dispose();
        WaitReadable(receiver);
        for (int i = 0; i < 3; i++)
        {
            Assert.That(receiver.Receive(new byte[10], out int received), Is.EqualTo(SocketError.Success));
            Assert.That(received, Is.Zero);
        }
    }

    private static void WaitReadable(SocketHandle handle) =>
        Assert.That(handle.Socket.Poll(Bound, SelectMode.SelectRead), Is.True);

    private static long AcknowledgedBy(SocketHandle handle)
    {
        if (!handle.TryGetAcknowledgedBytes(out long bytes))
        {
            Assert.Fail("not known");
        }

        return bytes;
    }

    private static void AwaitAcknowledged(SocketHandle handle, long expected) => Assert.That(
        SpinWait.SpinUntil(() => AcknowledgedBy(handle) == expected, Bound),
        $"{AcknowledgedBy(handle)} of {expected}");

    private static long SendUntilFull(SocketHandle handle)
    {
        byte[] bytes = new byte[1 << 20];
        long sent = 0;
        while (handle.Send(bytes, out int now) == SocketError.Success)
        {
            sent += now;
        }

        return sent;
    }

    private (SocketHandle Handle, Socket Peer) Pair(bool accepted)
    {
        using var listener = new SocketHandle(Peer.Listen());
        var endPoint = (IPEndPoint)listener.LocalEndPoint!;
        if (accepted)
        {
            var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            peer.Connect(endPoint);
            WaitReadable(listener);
            Assert.That(listener.Accept(out Handle? handle), Is.EqualTo(SocketError.Success));
            return ((SocketHandle)Own(handle!), peer);
        }

        var client = (SocketHandle)Own(SocketHandleFactory.Instance.CreateStream(AddressFamily.InterNetwork));
        client.Connect(endPoint);
        WaitReadable(listener);
        Socket far = listener.Socket.Accept();
        far.Blocking = true;
        Assert.That(client.Socket.Poll(Bound, SelectMode.SelectWrite), Is.True);
        return (client, far);
    }
}

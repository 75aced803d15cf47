using System.Net.Sockets;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

/// <summary>The acknowledged bytes of a connection that is taken over while the peer still has to acknowledge bytes of
/// the previous owner.</summary>
[Platform("Linux")]
public sealed class TakenOverProgressTests : SelectorFixture
{
    private const int Sent = 1000;
    private readonly byte[] _buffer = new byte[4096];

    [Test]
    public void AfterBothEnds_NothingIsCalledUnacknowledged([Values(0, 1, 3)] int inFlight, [Values] bool asksBefore)
    {
        (SocketHandle handle, Socket peer) = TakeOver(inFlight);
        handle.Send(new byte[Sent], out _);
        if (asksBefore)
        {
            AwaitAllAcknowledged(handle);
        }

        peer.Shutdown(SocketShutdown.Send);
        Assert.That(handle.Socket.Poll(Bound, SelectMode.SelectRead), "the peer's end arrives");
        handle.Shutdown(SocketShutdown.Send);
        while (peer.Receive(_buffer) > 0)
        {
        }

        peer.Dispose();
        Assert.That(SpinWait.SpinUntil(() => IsClosed(handle), Bound), "both ends have ended");
        bool isKnown = handle.TryGetAcknowledgedBytes(out long bytes);

        Assert.That(bytes, Is.EqualTo(isKnown ? Sent : 0));
        Assert.That(isKnown || (inFlight > 0 && !asksBefore), "it is known if it could be known");
    }

    [Test]
    public void OwnEndOfTheStream_IsNotCounted_WhenTheBeginningBecomesKnown([Values(1, 3)] int inFlight)
    {
        (SocketHandle handle, Socket peer) = TakeOver(inFlight);
        handle.Send(new byte[Sent], out _);
        handle.Shutdown(SocketShutdown.Send);
        while (peer.Receive(_buffer) > 0)
        {
        }

        AwaitAllAcknowledged(handle);
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
        Assert.That(SpinWait.SpinUntil(() => IsClosed(handle), Bound), "the reset arrives");

        Assert.That(handle.TryGetAcknowledgedBytes(out long bytes));
        Assert.That(bytes, Is.EqualTo(Sent));
    }

    private static bool IsClosed(SocketHandle handle) =>
        TcpInfo.TryRead(handle.Socket, out TcpInfo info) && info.State == TcpInfo.Closed;

    private static void AwaitAllAcknowledged(SocketHandle handle) => Assert.That(
        SpinWait.SpinUntil(() => handle.TryGetAcknowledgedBytes(out long bytes) && bytes == Sent, Bound));

    // A peer that answers each message delays its acknowledgements, so those of the last ones are still to come.
    private (SocketHandle Handle, Socket Peer) TakeOver(int inFlight)
    {
        using Socket listener = Peer.Listen();
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(EndPointOf(listener));
        Socket peer = Own(listener.Accept());
        peer.Blocking = true;
        peer.NoDelay = true;
        for (int i = 0; i < 40; i++)
        {
            socket.Send(_buffer, 1, SocketFlags.None);
            peer.Receive(_buffer);
            peer.Send(_buffer, 1, SocketFlags.None);
            socket.Receive(_buffer);
        }

        for (int i = 0; i < inFlight; i++)
        {
            socket.Send(_buffer, 1, SocketFlags.None);
        }

        return (Own(new SocketHandle(socket)), peer);
    }
}

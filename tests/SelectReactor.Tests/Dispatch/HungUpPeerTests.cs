using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>A Unix-domain peer that ends both directions while this side's send buffer is full: the system reports a
/// hang-up, and not that the socket is writable.</summary>
[Platform("Linux")]
public sealed class HungUpPeerTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly string _path = UnixFile.NewPath();
    private Mock<IEventHandler> _handler = null!;
    private Socket _peer = null!;
    private SocketHandle _handle = null!;

    [SetUp]
    public void Connect()
    {
        _handler = new Mock<IEventHandler>();
        using Socket listener = NewSocket();
        listener.Bind(new UnixDomainSocketEndPoint(_path));
        listener.Listen();
        _peer = NewSocket();
        _peer.Connect(listener.LocalEndPoint!);
        _handle = new SocketHandle(listener.Accept());
        byte[] bytes = new byte[64 * 1024];
        while (_handle.Send(bytes, out _) == SocketError.Success)
        {
        }
    }

    [TearDown]
    public void Close()
    {
        _handle.Dispose();
        _peer.Dispose();
    }

    [Test]
    public void PeerThatHangsUp_MakesABlockedWriterReady([Values] bool beforeTheWait)
    {
        SocketError? sent = null;
        _handler.Setup(static handler => handler.OnReady(It.IsAny<SelectionKey>()))
            .Callback(() => sent = _handle.Send(new byte[1], out _));
        SelectionKey key = Reactor.Register(_handle, Interest.Write, _handler.Object);
        var peer = new Thread(() => _peer.Shutdown(SocketShutdown.Both));
        peer.Start();
        if (beforeTheWait)
        {
            peer.Join();
        }

        RunUntil(() => sent is not null, "the writer is told");
        peer.Join();

        Assert.That(sent, Is.Not.EqualTo(SocketError.Success).And.Not.EqualTo(SocketError.WouldBlock));
    }

    [Test]
    public void BlockedWriter_OfAPeerThatStays_IsNotReady()
    {
        SelectionKey key = Reactor.Register(_handle, Interest.Write, _handler.Object);
        for (int waits = 0; waits < 20; waits++)
        {
            Reactor.RunOnce(TimeSpan.FromMilliseconds(2));
        }

        _handler.VerifyNoOtherCalls();
    }

    private static Socket NewSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
}

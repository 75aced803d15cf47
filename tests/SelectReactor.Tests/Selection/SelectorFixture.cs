using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;
using SelectReactor.Threading;

namespace SelectReactor.Tests.Selection;

/// <summary>A select selector without a reactor, on real sockets.</summary>
public abstract class SelectorFixture
{
    protected static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly List<IDisposable> _opened = [];
    private readonly List<SelectorEntry> _entries = [];
    private readonly ThreadAffinity _affinity = new();

    protected SelectSelector Selector { get; private set; } = null!;

    /// <summary>What the last wait found.</summary>
    protected List<SelectionKey> Ready { get; } = [];

    [SetUp]
    public void Open()
    {
        Ready.Clear();
        _entries.Clear();
        Selector = new SelectSelector();
    }

    [TearDown]
    public void CloseAll()
    {
        _opened.ForEach(static opened => opened.Dispose());
        _opened.Clear();
        Selector.Dispose();
    }

    protected static IPEndPoint EndPointOf(Socket socket) => (IPEndPoint)socket.LocalEndPoint!;

    protected T Own<T>(T opened)
        where T : IDisposable
    {
        _opened.Add(opened);
        return opened;
    }

    /// <summary>Two ends of a connection: the one under test, and the peer's.</summary>
    protected (SocketHandle Handle, Peer Peer) Connected()
    {
        using Socket listener = Peer.Listen();
        Peer peer = Own(Peer.Connect(EndPointOf(listener)));
        return (Own(new SocketHandle(listener.Accept())), peer);
    }

    protected SelectionKey Register(Handle handle, Interest interest)
    {
        SelectionKey key = NewKey(handle, interest);
        Selector.Add(key.Entry);
        return key;
    }

    protected SelectionKey NewKey(Handle handle, Interest interest) =>
        new(handle, interest, new object(), Selector, _affinity);

    /// <summary>Waits as a reactor does, and collects the keys that were found in <see cref="Ready"/>.</summary>
    protected void Select(TimeSpan wait)
    {
        _entries.ForEach(static entry => entry.Ready = Interest.None);
        _entries.Clear();
        Selector.Select(wait, _entries);
        Ready.Clear();
        Ready.AddRange(_entries.Select(static entry => entry.Key!));
    }

    /// <summary>Waits until a key is ready for something, within the bound.</summary>
    protected void SelectSome()
    {
        Select(Bound);
        Assert.That(Ready, Is.Not.Empty, "nothing within the bound");
    }

    protected void AssertNothingIsReady()
    {
        Select(TimeSpan.Zero);
        Assert.That(Ready, Is.Empty);
    }

    protected static void FillSendBuffer(Handle handle)
    {
        byte[] bytes = new byte[64 * 1024];
        while (handle.Send(bytes, out _) != SocketError.WouldBlock)
        {
        }
    }
}

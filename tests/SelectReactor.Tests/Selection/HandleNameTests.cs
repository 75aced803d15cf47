using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

/// <summary>How messages name a handle, also when it is closed.</summary>
[TestFixtureSource(typeof(SelectorKind), nameof(SelectorKind.All))]
public sealed class HandleNameTests(SelectorKind kind)
{
    private readonly List<IDisposable> _opened = [];
    private ListLogger _log = null!;
    private Reactor _reactor = null!;

    [SetUp]
    public void Open()
    {
        _log = new ListLogger();
        _reactor = new Reactor(new ReactorOptions { SelectorFactory = kind.Create, Logger = _log });
    }

    [TearDown]
    public void Close()
    {
        _reactor.Dispose();
        _opened.ForEach(static opened => opened.Dispose());
        _opened.Clear();
    }

    [Test]
    public void Eviction_NamesAStreamThatWasNeverAskedForItsEndPoints()
    {
        (SocketHandle handle, Peer peer) = Connected();
        string name = $"SocketHandle on {peer.Socket.RemoteEndPoint} to {peer.Socket.LocalEndPoint}";

        AssertEvictionNames(handle, name);
    }

    [Test]
    public void Eviction_NamesAListener()
    {
        var handle = (SocketHandle)Own(SocketHandleFactory.Instance.CreateListener(AddressFamily.InterNetwork));
        handle.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        handle.Listen(1);

        AssertEvictionNames(handle, $"SocketHandle (listener) on {handle.LocalEndPoint}");
    }

    [Test]
    public void Eviction_NamesADatagramHandle()
    {
        var handle = (SocketHandle)Own(SocketHandleFactory.Instance.CreateDatagram(AddressFamily.InterNetwork));
        handle.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        AssertEvictionNames(handle, $"SocketHandle (datagrams) on {handle.LocalEndPoint}");
    }

    [Test]
    public void ConnectingHandle_IsNamedByItsTarget()
    {
        using Socket listener = Peer.Listen();
        Handle handle = Own(SocketHandleFactory.Instance.CreateStream(AddressFamily.InterNetwork));
        handle.Connect(listener.LocalEndPoint!);
        handle.Close();

        Assert.That(handle.ToString(), Does.EndWith($" to {listener.LocalEndPoint}"));
    }

    [Test]
    [Platform("Linux")]
    public void NamelessUnixPeer_ReadsUnix()
    {
        string path = UnixFile.NewPath();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        Handle client = Own(SocketHandleFactory.Instance.CreateStream(AddressFamily.Unix));
        client.Connect(listener.LocalEndPoint!);
        var server = Own(new SocketHandle(listener.Accept()));

        Assert.That(server.ToString(), Is.EqualTo($"SocketHandle on {path} to unix"));
        Assert.That(client.ToString(), Does.EndWith($" to {path}"));
    }

    [Test]
    [Platform("Linux")]
    public void OpenedConnection_OfANamelessUnixPeer_IsLoggedAsUnix()
    {
        string path = UnixFile.NewPath();
        using Listener listener = _reactor.Listen(new UnixDomainSocketEndPoint(path), new ScriptedHandler());
        using var peer = Peer.Connect(listener.LocalEndPoint!);
        for (int i = 0; i < 100 && listener.ConnectionCount == 0; i++)
        {
            _reactor.RunOnce(TimeSpan.FromSeconds(20));
        }

        Assert.That(
            _log.Entries.Select(static entry => entry.Message),
            Has.Some.Match($"^Connection \\d+ opened: {path} to unix\\.$"));
    }

    [TestCase("127.0.0.1:7", ExpectedResult = "127.0.0.1:7")]
    [TestCase(null, ExpectedResult = "unknown")]
    public string EndPointText_OfOthers(string? endPoint) =>
        new EndPointText(endPoint is null ? null : IPEndPoint.Parse(endPoint)).ToString();

    [Test]
    public void ClosedHandle_IsRefused_WithItsName()
    {
        SocketHandle handle = Connected().Handle;
        string name = handle.ToString();
        handle.Close();

        Assert.That(
            () => _reactor.Register(handle, Interest.Read, new Mock<IEventHandler>().Object),
            Throws.ArgumentException.With.Message.Contains($"{name} is closed and can't be watched."));
    }

    private void AssertEvictionNames(SocketHandle handle, string name)
    {
        SelectionKey key = _reactor.Register(handle, Interest.Read, new Mock<IEventHandler>().Object);
        handle.Socket.Dispose();

        // epoll finds out when the interest changes.
        key.Interest = Interest.Read | Interest.Write;
        _reactor.RunOnce(TimeSpan.FromSeconds(20));

        Assert.That(key.IsValid, Is.False);
        Assert.That(
            _log.Entries.Select(static entry => (entry.Level, entry.Id)), Is.EqualTo(new[] { (LogLevel.Warning, 4) }));
        Assert.That(_log.Entries[0].Message, Does.StartWith($"{name} was closed while it was registered."));
    }

    private (SocketHandle Handle, Peer Peer) Connected()
    {
        using Socket listener = Peer.Listen();
        Peer peer = Own(Peer.Connect((IPEndPoint)listener.LocalEndPoint!));
        return (Own(new SocketHandle(listener.Accept())), peer);
    }

    private T Own<T>(T opened)
        where T : IDisposable
    {
        _opened.Add(opened);
        return opened;
    }
}

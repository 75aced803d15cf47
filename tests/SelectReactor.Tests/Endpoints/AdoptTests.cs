using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Connections of sockets that somebody else has connected.</summary>
public sealed class AdoptTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly ScriptedHandler _handler = new() { Readable = ScriptedHandler.Echo };
    private Socket _listener = null!;

    private EndPoint Address => _listener.LocalEndPoint!;

    [SetUp]
    public void Listen()
    {
        _handler.Events.Clear();
        _handler.Connections.Clear();
        _handler.CloseReasons.Clear();
        _listener = Peer.Listen();
    }

    [TearDown]
    public void StopListening() => _listener.Dispose();

    [Test]
    public void EachForm_Serves([Range(0, 3)] int form)
    {
        using var peer = Peer.Connect(Address);
        Socket socket = _listener.Accept();
        Connection connection = form switch
        {
            0 => Reactor.Adopt(socket, _handler),
            1 => Reactor.Adopt(socket, _handler, new ConnectionOptions()),
            2 => Reactor.Adopt(socket, _ => _handler),
            _ => Reactor.Adopt(socket, _ => _handler, new ConnectionOptions()),
        };

        AssertEchoes(peer);
        Assert.That(_handler.Connections, Is.EqualTo(new[] { connection }));
    }

    [Test]
    public void BlockingOrNot_ItServes([Values] bool blocking)
    {
        using var peer = Peer.Connect(Address);
        Socket socket = _listener.Accept();
        socket.Blocking = blocking;
        Reactor.Adopt(socket, _handler);

        AssertEchoes(peer);
    }

    [Test]
    public void AClientThatConnectedWithoutBlocking_IsServed()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            socket.Connect(Address);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
        {
            Assert.That(socket.Poll(Bound, SelectMode.SelectWrite));
        }

        using var peer = Peer.Accept(_listener);
        Reactor.Adopt(socket, _handler);
        AssertEchoes(peer);
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void AUnixDomainSocket_IsServed()
    {
        string path = UnixFile.NewPath();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var peer = Peer.Connect(listener.LocalEndPoint!);
        Reactor.Adopt(listener.Accept(), _handler);

        AssertEchoes(peer);
    }

    [Test]
    public void OnConnected_KeepsItsPlaceAmongPosts()
    {
        List<string> order = [];
        using var peer = Peer.Connect(Address);
        Reactor.Post(() => order.Add("posted before"));
        _handler.Connected = _ => order.Add("connected");
        Reactor.Adopt(_listener.Accept(), _handler);
        Reactor.Post(() => order.Add("posted after"));
        RunUntil(() => order.Count == 3);
        _handler.Connected = null;

        Assert.That(order, Is.EqualTo(new[] { "posted before", "connected", "posted after" }));
    }

    [TestCase("the same reactor")]
    [TestCase("another reactor")]
    public void ASecondTime_IsRefused_AndTheFirstGoesOn(string where)
    {
        using var other = new Reactor(Options());
        using var peer = Peer.Connect(Address);
        Socket socket = _listener.Accept();
        Reactor.Adopt(socket, _handler);
        Reactor second = where == "another reactor" ? other : Reactor;

        AssertOwned(() => second.Adopt(socket, new ScriptedHandler()));
        AssertOwned(() => second.Listen(socket, new ScriptedHandler()));
        AssertEchoes(peer);
        AssertOwned(() => second.Adopt(socket, new ScriptedHandler()));
    }

    [Test]
    public void TheSocketOfAListener_IsRefused_AndTheListenerGoesOn()
    {
        using Listener listener = Reactor.Listen(_listener, _handler);
        AssertOwned(() => Reactor.Adopt(_listener, new ScriptedHandler()));
        AssertOwned(() => Reactor.Listen(_listener, new ScriptedHandler()));
        using var peer = Peer.Connect(listener.LocalEndPoint);

        AssertEchoes(peer);
    }

    [Test]
    public void TheSocketThatAConnectionShows_IsRefused()
    {
        Connection connection = RunUntil(Reactor.ConnectAsync(Address, _handler));
        using var peer = Peer.Accept(_listener);
        AssertOwned(() => Reactor.Adopt(connection.GetFeature<Socket>()!, new ScriptedHandler()));

        AssertEchoes(peer);
    }

    [Test]
    public void AfterAFailure_TheSocketCanBeAdopted()
    {
        using var reactor = new Reactor(Options());
        using var full = new Reactor(new ReactorOptions { MaxConnections = 1 });
        using var first = Peer.Connect(Address);
        full.Adopt(_listener.Accept(), new ScriptedHandler());
        using var peer = Peer.Connect(Address);
        Socket socket = _listener.Accept();
        Assert.That(
            () => full.Adopt(socket, new ScriptedHandler()),
            Throws.InvalidOperationException.With.Message.Contains("MaxConnections"));

        var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.That(
            () => Reactor.Adopt(late, _handler),
            Throws.ArgumentException.With.Message.Contains("is not connected"));
        late.Dispose();
        Reactor.Adopt(socket, _handler);
        AssertEchoes(peer);
    }

    [Test]
    public void ASocketThatWasNotConnected_CanBeAdoptedOnceItIs()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.That(() => Reactor.Adopt(socket, _handler), Throws.ArgumentException);
        socket.Blocking = true;
        socket.Connect(Address);
        using var peer = Peer.Accept(_listener);
        Reactor.Adopt(socket, _handler);

        AssertEchoes(peer);
    }

    [Test]
    public void ADatagramSocket_IsRefused()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(new IPEndPoint(IPAddress.Loopback, 9));

        Assert.That(
            () => Reactor.Adopt(socket, _handler), Throws.ArgumentException.With.Message.Contains("stream socket"));
        Assert.That(
            () => Reactor.Listen(socket, _handler), Throws.ArgumentException.With.Message.Contains("stream socket"));
    }

    [Test]
    public void AClosedSocket_IsRefused()
    {
        using var peer = Peer.Connect(Address);
        Socket socket = _listener.Accept();
        socket.Dispose();

        Assert.That(() => Reactor.Adopt(socket, _handler), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void AFactoryThatFails_ThrowsToTheCaller_AndCutsTheConnection([Values] bool throws)
    {
        using var peer = Peer.Connect(Address);
        Assert.That(
            () => Reactor.Adopt(
                _listener.Accept(), _ => throws ? throw new InvalidDataException("no handler") : null!),
            throws
                ? Throws.TypeOf<InvalidDataException>()
                : Throws.InvalidOperationException.With.Message.Contains("returned null"));
        RunUntil(() => Reactor.Connections.Count == 0);

        Assert.That(peer.ReceiveToEnd, Throws.InstanceOf<SocketException>(), "reset");
    }

    [Test]
    public void TheFactory_RunsInsideTheCall_AndLeavesTheCallersStateAlone()
    {
        using var peer = Peer.Connect(Address);
        var local = new AsyncLocal<string?>();
        string? seen = null, after = null;
        Connection? made = null, connection = null;
        Reactor.Post(() =>
        {
            local.Value = "the caller's";
            connection = Reactor.Adopt(_listener.Accept(), each =>
            {
                made = each;
                seen = local.Value;
                return _handler;
            });
            after = local.Value;
        });
        RunUntil(() => connection is not null);

        Assert.That((seen, after), Is.EqualTo(("the caller's", "the caller's")));
        Assert.That(made, Is.SameAs(connection));
    }

    [Test]
    public void AConnectionThatCantBeWatched_IsClosed_AndLogged()
    {
        var logger = new ListLogger();
        var selector = new FaultySelector(new SelectSelector());
        using var reactor = new Reactor(new ReactorOptions { SelectorFactory = () => selector, Logger = logger });
        using var peer = Peer.Connect(Address);
        selector.RefusesToUpdate = static _ => true;
        Connection connection = reactor.Adopt(_listener.Accept(), _handler);
        RunUntil(reactor, () => connection.State == ConnectionState.Closed);

        Assert.That(_handler.Events, Is.Empty);
        Assert.That(
            logger.Entries.Where(static entry => entry.Id == 60).Select(static entry => (entry.Level, entry.Message)),
            Is.EqualTo(new[]
            {
                (LogLevel.Error,
                    $"The adopted connection to {peer.Socket.LocalEndPoint} can't be registered and is closed."),
            }));
    }

    private static void AssertOwned(Action call)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(call)!;
        Assert.That(error.Message, Does.Contain("belongs to a connection or listener of this library already"));
        Assert.That(error.ParamName, Is.EqualTo("socket"));
    }

    private void AssertEchoes(Peer peer)
    {
        peer.Send("hi"u8);
        RunUntil(() => peer.Socket.Available == 2, "the echo");
        Assert.That(peer.Receive(2), Is.EqualTo("hi"u8.ToArray()));
    }
}

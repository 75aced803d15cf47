using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>A selector that refuses: it harms one client at most, and a listener never stays deaf.</summary>
public sealed class ListenerFaultTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly TimeSpan _retryInterval = TimeSpan.FromSeconds(1);
    private readonly List<Peer> _peers = [];
    private ScriptedHandler _handler = null!;
    private FakeTimeProvider _time = null!;
    private ListLogger _logger = null!;
    private FaultySelector _selector = null!;
    private Reactor _reactor = null!;

    [SetUp]
    public void CreateFaultyReactor()
    {
        _handler = new ScriptedHandler();
        _time = new FakeTimeProvider();
        _logger = new ListLogger();
        _selector = new FaultySelector(Options().SelectorFactory());
        _reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = () => _selector,
            TimeProvider = _time,
            Logger = _logger,
        });
    }

    [TearDown]
    public void DisposeFaultyReactor()
    {
        _reactor.Dispose();
        _selector.Dispose();
        _peers.ForEach(static peer => peer.Dispose());
        _peers.Clear();
        Assert.That(_reactor.Clients, Is.Empty, "connections left");
        Assert.That(_reactor.Buffers.Outstanding, Is.Zero, "segments not given back");
    }

    [Test]
    public void ResumeThatTheSelectorRefuses_IsTriedAgain()
    {
        using Listener listener = _reactor.Listen(AnyPort, _handler);
        listener.Pause();
        Connect(listener);
        _selector.RefusesToUpdate = static _ => true;
        Assert.That(listener.Resume, Throws.Nothing);
        RunSome();
        Assert.That(_handler.IsConnected, Is.False);

        _selector.RefusesToUpdate = static _ => false;
        _time.Advance(_retryInterval);
        RunUntil(_reactor, () => _handler.IsConnected);
        Assert.That(_logger.Entries.Count(static entry => entry.Id == 48), Is.EqualTo(1));
    }

    [Test]
    public void PauseThatTheSelectorRefuses_AcceptsNobody_AndIsTriedAgain()
    {
        using Listener listener = _reactor.Listen(AnyPort, _handler);
        _selector.RefusesToUpdate = static _ => true;
        Assert.That(listener.Pause, Throws.Nothing);
        Connect(listener);
        RunSome();
        Assert.That(_handler.IsConnected, Is.False);

        _selector.RefusesToUpdate = static _ => false;
        _time.Advance(_retryInterval);
        RunSome();
        Assert.That(_handler.IsConnected, Is.False);
        listener.Resume();
        RunUntil(_reactor, () => _handler.IsConnected);
    }

    [Test]
    public void RoomThatTheSelectorDoesNotLetItUse_IsUsedALittleLater()
    {
        using Listener listener = _reactor.Listen(AnyPort, _handler, new ListenerOptions { MaxConnections = 1 });
        Peer first = Connect(listener);
        RunUntil(_reactor, () => _handler.Connections.Count == 1);
        Connect(listener);
        RunSome();
        _selector.RefusesToUpdate = static entry => ((SocketHandle)entry.Handle).IsListening;
        first.Dispose();
        RunUntil(_reactor, () => _handler.IsClosed);
        RunSome();
        Assert.That(_handler.Connections, Has.Count.EqualTo(1));

        _selector.RefusesToUpdate = static _ => false;
        _time.Advance(_retryInterval);
        RunUntil(_reactor, () => _handler.Connections.Count == 2);
    }

    [Test]
    public void CloseThatTheSelectorRefuses_ClosesTheSocket_AndTheShutdownCompletes()
    {
        Listener listener = _reactor.Listen(AnyPort, _handler);
        _selector.RefusesToRemove = static _ => true;
        Task stopped = listener.StopAcceptingAsync();
        Task shutdown = _reactor.ShutdownAsync(TimeSpan.FromHours(1));
        RunUntil(_reactor, () => stopped.IsCompleted && shutdown.IsCompleted);

        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        _selector.RefusesToRemove = static _ => false;
    }

    [Test]
    public void ClientThatCantBeRegistered_IsReset_AndTheNextIsServed()
    {
        using Listener listener = _reactor.Listen(AnyPort, _handler);
        _selector.RefusesToAdd = static _ => true;
        AssertReset(Connect(listener));
        Assert.That((listener.Refused, listener.Accepted, listener.ConnectionCount), Is.EqualTo((1L, 0L, 0)));

        _selector.RefusesToAdd = static _ => false;
        Connect(listener);
        RunUntil(_reactor, () => _handler.IsConnected);
    }

    [Test]
    public void ClientThatCantBeWatched_IsReset_AndTheNextIsServed()
    {
        using Listener listener = _reactor.Listen(AnyPort, _handler);
        _selector.RefusesToUpdate = static _ => true;
        AssertReset(Connect(listener));
        Assert.That(listener.ConnectionCount, Is.Zero);
        Assert.That(_handler.CloseReasons, Has.Count.EqualTo(_handler.Connections.Count));

        _selector.RefusesToUpdate = static _ => false;
        int before = _handler.Connections.Count;
        Connect(listener);
        RunUntil(_reactor, () => _handler.Connections.Count == before + 1);
    }

    [Test]
    public void AttemptThatCantBeRegistered_FailsItsTask()
    {
        using Socket server = Peer.Listen();
        _selector.RefusesToAdd = static _ => true;
        Task<Connection> attempt = _reactor.ConnectAsync(server.LocalEndPoint!, _handler);
        RunUntil(_reactor, () => attempt.IsCompleted);

        Assert.That(() => attempt.GetAwaiter().GetResult(), Throws.InstanceOf<IOException>());
        Assert.That(_handler.Events, Is.Empty);
    }

    [Test]
    public void OutgoingConnectionThatCantBeWatched_IsClosed()
    {
        using Socket server = Peer.Listen();
        _selector.RefusesToUpdate = static _ => true;
        Task<Connection> attempt = _reactor.ConnectAsync(server.LocalEndPoint!, _handler);
        RunUntil(_reactor, () => attempt.IsCompleted);
        RunUntil(_reactor, () => _reactor.Connections.Count == 0);

        Assert.That(_handler.CloseReasons, Has.Count.EqualTo(_handler.Connections.Count));
    }

    [Test]
    public void AdoptedSocketThatCantBeWatched_IsClosed()
    {
        using Socket server = Peer.Listen();
        _peers.Add(Peer.Connect(server.LocalEndPoint!));
        Connection connection = _reactor.Adopt(server.Accept(), _handler, new ConnectionOptions());
        _selector.RefusesToUpdate = static _ => true;
        RunUntil(_reactor, () => connection.State == ConnectionState.Closed);

        Assert.That(_handler.CloseReasons, Has.Count.EqualTo(_handler.Connections.Count));
    }

    private Peer Connect(Listener listener)
    {
        var peer = Peer.Connect(listener.LocalEndPoint);
        _peers.Add(peer);
        return peer;
    }

    private void RunSome()
    {
        for (int i = 0; i < 10; i++)
        {
            _reactor.RunOnce(TimeSpan.FromMilliseconds(1));
        }
    }

    private void AssertReset(Peer peer)
    {
        RunUntil(_reactor, () => peer.Socket.Poll(0, SelectMode.SelectRead), "the reset");
        Assert.That(() => peer.Socket.Receive(new byte[1]), Throws.InstanceOf<SocketException>()
            .With.Property(nameof(SocketException.SocketErrorCode)).EqualTo(SocketError.ConnectionReset));
    }
}

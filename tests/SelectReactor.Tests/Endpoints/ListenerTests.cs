using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

public sealed class ListenerTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly ScriptedHandler _handler = new();

    [SetUp]
    public void Forget()
    {
        _handler.Events.Clear();
        _handler.Connections.Clear();
        _handler.CloseReasons.Clear();
        _handler.Connected = null;
        _handler.Readable = null;
        _handler.Closed = null;
    }

    [Test]
    public void PortZero_BecomesARealPort()
    {
        using Listener listener = Reactor.Listen(AnyPort, _handler);

        Assert.That(((IPEndPoint)listener.LocalEndPoint).Port, Is.Positive);
    }

    [Test]
    public void LocalEndPoint_IsACopy()
    {
        using Listener listener = Reactor.Listen(AnyPort, _handler);
        int port = ((IPEndPoint)listener.LocalEndPoint).Port;
        ((IPEndPoint)listener.LocalEndPoint).Port = 1;

        Assert.That(((IPEndPoint)listener.LocalEndPoint).Port, Is.EqualTo(port));
    }

    [Test]
    public void BusyPort_ThrowsWhatAndWhy_AndLeavesTheReactorUsable()
    {
        using Listener listener = Reactor.Listen(AnyPort, _handler);

        SocketException error = Assert.Throws<SocketException>(
            () => Reactor.Listen(listener.LocalEndPoint, _handler))!;

        Assert.That(error.SocketErrorCode, Is.EqualTo(SocketError.AddressAlreadyInUse));
        Assert.That(error.Message, Does.Contain($"Can't listen on {listener.LocalEndPoint}"));
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => _handler.IsConnected);
    }

    [Test]
    public void RestartedServer_BindsAgain_WhileOldConnectionsAreInTimeWait()
    {
        EndPoint address;
        using (Listener listener = Reactor.Listen(AnyPort, _handler))
        {
            address = listener.LocalEndPoint;
            _handler.Connected = static connection => connection.Close();
            using var peer = Peer.Connect(address);
            RunUntil(() => _handler.IsConnected);
            RunUntil(() => peer.Socket.Poll(0, SelectMode.SelectRead), "the server's FIN, sent first");
            peer.Dispose();
            RunUntil(() => _handler.IsClosed);
        }

        Assert.That(() => Reactor.Listen(address, _handler).Dispose(), Throws.Nothing);
    }

    [Test]
    public void OneTick_AcceptsNoMoreThanTheLimit()
    {
        using Listener listener = Reactor.Listen(AnyPort, _handler, new ListenerOptions { MaxAcceptsPerTick = 3 });
        List<Peer> peers = [.. Enumerable.Range(0, 7).Select(_ => Peer.Connect(listener.LocalEndPoint))];
        List<int> counts = [];
        while (_handler.Connections.Count < 7)
        {
            Reactor.RunOnce(Bound);
            counts.Add(_handler.Connections.Count);
        }

        Assert.That(counts, Is.EqualTo(new[] { 3, 6, 7 }));
        peers.ForEach(static peer => peer.Dispose());
    }

    [Test]
    public void OneTick_AcceptsNoLongerThanItsBudget_AndServesTheOpenOnesBetween()
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        _handler.Connected = _ => time.Advance(TimeSpan.FromMilliseconds(0.4));
        _handler.Readable = ScriptedHandler.Echo;
        using Listener listener = reactor.Listen(AnyPort, _handler);
        using var talker = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => _handler.IsConnected);
        List<Peer> peers = [.. Enumerable.Range(0, 7).Select(_ => Peer.Connect(listener.LocalEndPoint))];
        talker.Send("x"u8);
        List<int> counts = [];
        while (_handler.Connections.Count < 8)
        {
            reactor.RunOnce(Bound);
            counts.Add(_handler.Connections.Count - 1);
        }

        Assert.That(counts, Is.EqualTo(new[] { 3, 6, 7 }));
        Assert.That(talker.Socket.Available, Is.EqualTo(1), "the talker had its turn");
        peers.ForEach(static peer => peer.Dispose());
    }

    [Test]
    public void TwoListeners_HaveABatchEachInATick()
    {
        using Listener first = Reactor.Listen(AnyPort, _handler, new ListenerOptions { MaxAcceptsPerTick = 2 });
        using Listener second = Reactor.Listen(AnyPort, _handler, new ListenerOptions { MaxAcceptsPerTick = 2 });
        List<Peer> peers =
        [
            .. Enumerable.Range(0, 8).Select(i => Peer.Connect((i < 4 ? first : second).LocalEndPoint)),
        ];

        Reactor.RunOnce(Bound);

        Assert.That((first.Accepted, second.Accepted), Is.EqualTo((2, 2)));
        peers.ForEach(static peer => peer.Dispose());
    }

    [Test]
    public void PausedListener_AcceptsNobody_UntilResumed()
    {
        using Listener listener = Reactor.Listen(AnyPort, _handler);
        listener.Pause();
        using var peer = Peer.Connect(listener.LocalEndPoint);
        for (int i = 0; i < 5; i++)
        {
            Reactor.RunOnce(TimeSpan.FromMilliseconds(1));
        }

        Assert.That(_handler.IsConnected, Is.False);
        listener.Resume();
        RunUntil(() => _handler.IsConnected);
    }

    [Test]
    public void DisposedInsideOnConnected_AcceptsNoMore_AndServesOn()
    {
        Listener listener = null!;
        _handler.Connected = _ => listener.Dispose();
        _handler.Readable = ScriptedHandler.Echo;
        listener = Reactor.Listen(AnyPort, _handler);
        using var first = Peer.Connect(listener.LocalEndPoint);
        using var second = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => _handler.IsConnected);
        first.Send("still here"u8);
        RunUntil(() => first.Socket.Available == 10);

        Assert.That(_handler.Connections, Has.Count.EqualTo(1));
        Assert.That(() => Peer.Connect(listener.LocalEndPoint), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void DisposedOnAnotherThread_TakesEffectOnTheReactors()
    {
        Listener listener = Reactor.Listen(AnyPort, _handler);
        Reactor.RunOnce(TimeSpan.Zero);
        Task.Run(listener.Dispose).Wait();

        RunUntil(() => !Peer.CanConnect(listener.LocalEndPoint), "the socket closes");
        Assert.That(
            _handler.Connections, Has.Count.EqualTo(_handler.Events.Count(static name => name == "OnConnected")));
    }

    [Test]
    public void Factory_MakesAHandlerForEachConnection()
    {
        var made = new List<(Connection, ScriptedHandler)>();
        using Listener listener = Reactor.Listen(AnyPort, connection =>
        {
            made.Add((connection, new ScriptedHandler()));
            return made[^1].Item2;
        });
        using var first = Peer.Connect(listener.LocalEndPoint);
        using var second = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => made.Count == 2);

        foreach ((Connection connection, ScriptedHandler handler) in made)
        {
            Assert.That(handler.Connections, Is.EqualTo(new[] { connection }));
            Assert.That(connection.Handler, Is.SameAs(handler));
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public void FactoryThatFails_RefusesThatClientOnly(bool throws)
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        int calls = 0;
        using Listener listener = reactor.Listen(AnyPort, _ => calls++ > 0
            ? _handler
            : throws ? throw new InvalidDataException("no handler") : null!);
        using var refused = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => calls == 1);
        using var served = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => _handler.IsConnected);

        Assert.That(refused.ReceiveToEnd, Throws.InstanceOf<SocketException>(), "refused with a reset");
        Assert.That(logger.Entries, Has.Some.Matches<(LogLevel Level, int Id, string, Exception?)>(
            static entry => entry is { Level: LogLevel.Error, Id: 43 }));
        Assert.That(listener.ConnectionCount, Is.EqualTo(1));
    }

    [Test]
    public void StopAcceptingAsync_CompletesWithTheSocket_AndDrainedWithTheLastConnection()
    {
        Listener listener = Reactor.Listen(AnyPort, _handler);
        using var first = Peer.Connect(listener.LocalEndPoint);
        using var second = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => _handler.Connections.Count == 2);
        Task drained = listener.Drained;
        Assert.That(listener.StopAcceptingAsync().IsCompletedSuccessfully);
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);

        first.Dispose();
        RunUntil(() => listener.ConnectionCount == 1);
        Assert.That(drained.IsCompleted, Is.False);
        second.Dispose();
        RunUntil(drained);
        Assert.That(listener.ConnectionCount, Is.Zero);
        Assert.That(listener.Drained.IsCompletedSuccessfully);
    }

    [Test]
    public void StopAcceptingAsync_WithNoConnection_DrainsAtOnce()
    {
        Listener listener = Reactor.Listen(AnyPort, _handler);
        Assert.That(listener.Drained.IsCompleted, Is.False);
        Assert.That(listener.StopAcceptingAsync().IsCompletedSuccessfully);
        Assert.That(listener.StopAcceptingAsync().IsCompletedSuccessfully);
        RunUntil(listener.Drained);
    }

    [Test]
    public void WhileItListens_AListenerWithoutConnectionsIsNotDrained()
    {
        using Listener listener = Reactor.Listen(AnyPort, _handler);
        Task drained = listener.Drained;
        Peer.Connect(listener.LocalEndPoint).Dispose();
        RunUntil(() => listener is { Accepted: 1, ConnectionCount: 0 });

        Assert.That(drained.IsCompleted, Is.False);
        listener.Dispose();
        RunUntil(drained);
    }

    [Test]
    public void ResetBeforeAccept_IsAnOpenAndACloseAndNoLeak()
    {
        using Listener listener = Reactor.Listen(AnyPort, _handler);
        Descriptors.AssertNoneLeft(50, () =>
        {
            int closed = _handler.CloseReasons.Count;
            Peer.Connect(listener.LocalEndPoint).Reset();
            RunUntil(() => _handler.CloseReasons.Count == closed + 1);
        });

        Assert.That(_handler.Connections, Has.Count.EqualTo(_handler.CloseReasons.Count));
        Assert.That(_handler.CloseReasons, Has.All.Property(nameof(CloseReason.Kind)).EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void IPv6_IsServed()
    {
        Assume.That(Socket.OSSupportsIPv6);
        using Listener listener = Reactor.Listen(new IPEndPoint(IPAddress.IPv6Loopback, 0), _handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => _handler.IsConnected);

        Assert.That(_handler.Connection.RemoteEndPoint, Is.EqualTo(peer.Socket.LocalEndPoint));
        Assert.That(_handler.Connection.LocalEndPoint, Is.EqualTo(listener.LocalEndPoint));
    }

    [Test]
    public void ReactorConnections_AreThoseThatAreOpen()
    {
        using Listener listener = Reactor.Listen(AnyPort, _handler);
        using var first = Peer.Connect(listener.LocalEndPoint);
        using var second = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => _handler.Connections.Count == 2);
        Assert.That(Reactor.Connections, Is.EquivalentTo(_handler.Connections));

        first.Dispose();
        RunUntil(() => _handler.IsClosed);
        Assert.That(Reactor.Connections, Has.Count.EqualTo(1));
        Assert.That(Reactor.Connections.Single().State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void ReactorConnections_CanBeEnumerated_WhileTheBodyOpensAndClosesConnections()
    {
        using Listener listener = Reactor.Listen(AnyPort, _handler);
        Peer[] peers = [Peer.Connect(listener.LocalEndPoint), Peer.Connect(listener.LocalEndPoint)];
        RunUntil(() => _handler.Connections.Count == 2);
        using Socket other = Peer.Listen();
        List<Connection> seen = [];
        foreach (Connection connection in Reactor.Connections)
        {
            seen.Add(connection);
            peers = [.. peers, Peer.Connect(other.LocalEndPoint!)];
            Reactor.Adopt(other.Accept(), _handler, new ConnectionOptions());
            connection.Abort();
            RunUntil(() => connection.State == ConnectionState.Closed);
        }

        Assert.That(seen, Has.Count.EqualTo(2));
        Assert.That(seen, Is.SubsetOf(_handler.Connections));
        Assert.That(Reactor.Connections, Has.Count.EqualTo(2));
        Array.ForEach(peers, static peer => peer.Dispose());
    }

    [Test]
    public void Backlog_IsAsLongAsTheSystemAllows()
    {
        Assume.That(OperatingSystem.IsLinux());
        using Listener listener = Reactor.Listen(AnyPort, _handler);
        string port = $":{((IPEndPoint)listener.LocalEndPoint).Port:X4} ";
        int allowed = int.Parse(
            File.ReadAllText("/proc/sys/net/core/somaxconn"), System.Globalization.CultureInfo.InvariantCulture);

        // More than the 512 that many servers ask for wait without one lost; /proc/net/tcp shows how many.
        int clients = Math.Min(600, allowed);
        List<Peer> waiting = [.. Enumerable.Range(0, clients).Select(_ => Peer.Connect(listener.LocalEndPoint))];
        string line = File.ReadLines("/proc/self/net/tcp").Single(
            each => each.Contains(port) && each.Contains(" 0A "));
        Assert.That(Convert.ToInt32(line.Split(':')[4].Split(' ')[0], 16), Is.EqualTo(clients));
        waiting.ForEach(static peer => peer.Dispose());
        RunUntil(() => listener.Accepted == clients && listener.ConnectionCount == 0);
    }

    [Test]
    public void HostName_IsRefusedWithAdvice()
    {
        Assert.That(
            () => Reactor.Listen(new DnsEndPoint("localhost", 0), _handler),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("Dns.GetHostAddressesAsync"));
    }
}

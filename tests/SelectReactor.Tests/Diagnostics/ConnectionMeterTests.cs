using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>The instruments that show connections.</summary>
public sealed class ConnectionMeterTests : MeterFixture
{
    private static readonly (string, object)[] _tags =
    [
        ("selectreactor.role", "server"),
        ("network.transport", "tcp"),
        ("server.address", "10.0.0.1"),
        ("server.port", Port),
    ];

    [Test]
    public void ActiveAndOpened_FollowTheConnections()
    {
        Listen();
        Connection first = Connect();
        Connect();

        Assert.That(Meter.Value("selectreactor.active_connections", _tags), Is.EqualTo(2));

        OnClient(first.Close);
        Assert.That(Meter.Value("selectreactor.active_connections", _tags), Is.EqualTo(1));
        Assert.That(Meter.Value("selectreactor.opened_connections", _tags), Is.EqualTo(2));
    }

    [Test]
    public void Role_IsThatOfTheSideThatCounts()
    {
        Client.Reactor.Listen(Client.EndPoint(Port), ClientHandler);
        Server.Reactor.ConnectAsync(Client.EndPoint(Port), ServerHandler);
        Network.RunUntilIdle();

        Assert.That(
            Meter.Value("selectreactor.active_connections", ("selectreactor.role", "client")), Is.EqualTo(1));
    }

    [Test]
    public void Closed_AndDuration_CarryTheReason()
    {
        Listen();
        Connection peer = Connect();
        Network.RunFor(TimeSpan.FromSeconds(42));
        OnClient(() => peer.Abort());

        (string, object)[] reset = [.. _tags, ("selectreactor.close_reason", "peer_reset")];
        Assert.That(Meter.Value("selectreactor.closed_connections", reset), Is.EqualTo(1));
        Assert.That(Meter.Of("selectreactor.closed_connections"), Has.Length.EqualTo(1));
        Assert.That(Meter.Value("selectreactor.connection.duration", reset), Is.EqualTo(42).Within(0.1));
    }

    [Test]
    public void RefusedByTheFilter_AndByTheLimit()
    {
        bool allows = false;
        Listen(new ListenerOptions
        {
            AcceptFilter = new Filter(() => allows),
            MaxConnections = 1,
            WhenFull = WhenFull.Refuse,
        });
        Attempt();
        allows = true;
        Attempt();
        Attempt();

        Assert.That(
            Meter.Of("selectreactor.refused_connections", [.. _tags, ("error.type", "accept_filter")]),
            Is.EqualTo(new[] { 1 }));
        Assert.That(
            Meter.Of("selectreactor.refused_connections", [.. _tags, ("error.type", "connection_limit")]),
            Is.EqualTo(new[] { 1 }));
        Assert.That(Meter.Value("selectreactor.opened_connections"), Is.EqualTo(1));
    }

    [TestCase(SocketError.ConnectionAborted, "connection_aborted", TestName = "AcceptError_OfOneClient")]
    [TestCase(SocketError.NoBufferSpaceAvailable, "no_buffer_space_available", TestName = "AcceptError_OfAll")]
    public void AcceptError(SocketError error, string type)
    {
        Listen();
        Server.FailAccepts(error, 1);
        Attempt();

        Assert.That(
            Meter.Of("selectreactor.accept_errors", [.. _tags, ("error.type", type)]), Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void ConnectError_NamesTheError()
    {
        Task<Connection> refused = Server.Reactor.ConnectAsync(Client.EndPoint(Port));
        Network.RunUntil(() => refused.IsCompleted);

        Assert.That(refused.Exception, Is.Not.Null);
        Assert.That(
            Meter.Of("selectreactor.connect_errors", ("error.type", "connection_refused")),
            Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void NetworkIo_CountsBothDirections()
    {
        Listen();
        Connection peer = Connect();
        OnClient(() => peer.TryWrite(new byte[1000]));
        OnServer(() => ServerHandler.Connection.TryWrite(new byte[300]));

        Assert.That(
            Meter.Value("selectreactor.network.io", [.. _tags, ("network.io.direction", "receive")]),
            Is.EqualTo(1000));
        Assert.That(
            Meter.Value("selectreactor.network.io", [.. _tags, ("network.io.direction", "transmit")]),
            Is.EqualTo(300));
    }

    [Test]
    public void Pause_ByTheHandler_CountsWithItsTime()
    {
        Listen();
        Connect();
        OnServer(() => ServerHandler.Connection.PauseReading());
        Assert.That(Meter.Value("selectreactor.paused_connections", _tags), Is.EqualTo(1));
        Assert.That(Meter.Of("selectreactor.read_pauses"), Is.Empty, "those that are over");

        Network.RunFor(TimeSpan.FromSeconds(9));
        OnServer(() => ServerHandler.Connection.ResumeReading());
        AssertPause("handler", 9);
    }

    [Test]
    public void Pause_BecauseOfUnreadInput_EndsWithTheConnection()
    {
        Listen();
        ServerHandler.Readable = static _ => { };
        Connection peer = Connect();
        OnClient(() => peer.TryWrite(new byte[900_000]));
        Assert.That(Meter.Value("selectreactor.paused_connections", _tags), Is.EqualTo(1));

        Network.RunFor(TimeSpan.FromSeconds(9));
        OnServer(() => ServerHandler.Connection.Abort());
        AssertPause("input_full", 9);
    }

    [Test]
    public void Pause_BecauseOfOutput()
    {
        Listen();
        Connection peer = Connect();
        OnClient(peer.PauseReading);
        OnServer(() => ServerHandler.Connection.TryWrite(new byte[900_000]));
        Assert.That(Meter.Value("selectreactor.paused_connections", _tags), Is.EqualTo(1));

        Network.RunFor(TimeSpan.FromSeconds(9));
        OnClient(peer.ResumeReading);
        AssertPause("output_full", 9);
    }

    [Test]
    public void ManyAddresses_ShareTheirNumbersInTheEnd()
    {
        for (int port = 1; port <= 150; port++)
        {
            Server.Reactor.Listen(Server.EndPoint(port), ServerHandler);
            Client.Reactor.ConnectAsync(Server.EndPoint(port), ClientHandler);
        }

        Network.RunUntilIdle();
        double[] numbers = Meter.Of("selectreactor.active_connections");
        Assert.That(numbers, Has.Length.EqualTo(101));
        Assert.That(numbers.Sum(), Is.EqualTo(150));

        double[] before = Meter.Of("selectreactor.opened_connections");
        Server.Reactor.Dispose();
        Assert.That(Meter.Of("selectreactor.opened_connections"), Is.EquivalentTo(before), "no series moves");
    }

    [Test]
    public void TwoReactors_AddUp_AndTheNumbersOutliveThem()
    {
        var other = new Reactor(new ReactorOptions { MeterFactory = Meter });
        Listen();
        Connect();
        Assert.That(Meter.Value("selectreactor.reactors"), Is.EqualTo(2));

        other.Dispose();
        Assert.That(Meter.Value("selectreactor.reactors"), Is.EqualTo(1));

        Server.Reactor.Dispose();
        Assert.That(Meter.Value("selectreactor.reactors"), Is.Zero);
        Assert.That(Meter.Value("selectreactor.opened_connections", _tags), Is.EqualTo(1));
        Assert.That(Meter.Value("selectreactor.active_connections", _tags), Is.Zero);
        Assert.That(
            Meter.Value("selectreactor.closed_connections", ("selectreactor.close_reason", "reactor_stopped")),
            Is.EqualTo(1));
    }

    [Test]
    public void UnixSocket_ShowsItsPath()
    {
        using var meter = new MeterReadings();
        using var reactor = new Reactor(new ReactorOptions { MeterFactory = meter });
        string path = UnixFile.NewPath();
        using Listener listener = reactor.Listen(new UnixDomainSocketEndPoint(path), ServerHandler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        while (!ServerHandler.IsConnected)
        {
            reactor.RunOnce(TimeSpan.FromSeconds(1));
        }

        Assert.That(
            meter.Value(
                "selectreactor.active_connections",
                ("network.transport", "unix"),
                ("server.address", path)),
            Is.EqualTo(1));
    }

    private void AssertPause(string reason, double seconds)
    {
        (string, object)[] tags = [.. _tags, ("selectreactor.pause_reason", reason)];
        Assert.That(Meter.Value("selectreactor.paused_connections", _tags), Is.Zero);
        Assert.That(Meter.Value("selectreactor.read_pauses", tags), Is.EqualTo(1));
        Assert.That(Meter.Value("selectreactor.read_pause.time", tags), Is.EqualTo(seconds).Within(1));
    }

    private sealed class Filter(Func<bool> allows) : IAcceptFilter
    {
        public bool Allows(EndPoint? remoteEndPoint) => allows();
    }
}

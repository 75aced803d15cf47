using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

public sealed class NetworkTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private SimulatedNetwork _network = null!;
    private SimulatedHost _server = null!;
    private SimulatedHost _client = null!;

    [SetUp]
    public void Open()
    {
        _network = new SimulatedNetwork(1, new SimulatedNetworkOptions());
        _server = _network.AddHost("server");
        _client = _network.AddHost("client");
    }

    [TearDown]
    public void Close() => _network.Dispose();

    [Test]
    public void ConditionThatNeverComesTrue_FailsAtItsLimit_AndNamesTheSeed()
    {
        _client.Reactor.SchedulePeriodic(_second, _second, static () => { });

        Assert.That(
            () => _network.RunUntil(static () => false, TimeSpan.FromMinutes(1)),
            Throws.TypeOf<SimulationException>().With.Message.Contains("Seed 1").And.Message.Contains("00:01:00"));
        Assert.That(_network.Clock.Elapsed, Is.EqualTo(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public void ConditionThatNothingCanMakeTrue_FailsAtOnce() => Assert.That(
        () => _network.RunUntil(static () => false),
        Throws.TypeOf<SimulationException>().With.Message.Contains("nothing is left that could happen"));

    [Test]
    public void ProgramThatSpins_IsCaught()
    {
        using var network = new SimulatedNetwork(1, new SimulatedNetworkOptions { MaxSteps = 1000 });
        Reactor reactor = network.AddHost("host").Reactor;
        void PostAgain() => reactor.Post(PostAgain);
        PostAgain();

        Assert.That(() => network.RunFor(_second), Throws.TypeOf<SimulationException>().With.Message.Contains("spin"));
    }

    [Test]
    public void ReactorThatTheTestSteps_RunsTheRestWhileItWaits()
    {
        _server.Reactor.Listen(_server.EndPoint(7), new Echo());
        var sender = new Sender("hello"u8.ToArray());
        _client.Reactor.ConnectAsync(_server.EndPoint(7), sender);

        while (!sender.IsClosed)
        {
            _client.Reactor.RunOnce(_second);
        }

        Assert.That(sender.Received, Is.EqualTo("hello"u8.ToArray()));
    }

    [Test]
    public void WaitOfTheTest_LastsAsLongAsItSays()
    {
        Assert.That(_client.Reactor.RunOnce(_second), Is.Zero);
        Assert.That(_network.Clock.Elapsed, Is.EqualTo(_second));
        Assert.That(() => _client.Reactor.Run(), Throws.TypeOf<SimulationException>().With.Message.Contains("waits for ever"));
    }

    [Test]
    public void ShortPartition_DelaysWhatWasSent()
    {
        _server.Reactor.Listen(_server.EndPoint(7), new Echo());
        var sender = new Sender("hello"u8.ToArray());
        _client.Reactor.ConnectAsync(_server.EndPoint(7), sender);
        _network.Schedule(TimeSpan.FromMicroseconds(350), () => _network.Partition(_server, _client));

        _network.RunFor(TimeSpan.FromSeconds(10));
        Assert.That(sender.IsClosed, Is.False);
        _network.Heal(_client, _server);
        _network.RunUntil(() => sender.IsClosed, TimeSpan.FromSeconds(30));

        Assert.That(sender.Received, Is.EqualTo("hello"u8.ToArray()));
    }

    [Test]
    public void ResetInAPartition_IsNeverHeardOf_UntilSomebodySends()
    {
        Connection client = OpenConnection(out Connection server);
        _network.Partition(_server, _client);
        server.Abort();
        _network.RunFor(_second);
        _network.HealAll();
        _network.RunFor(TimeSpan.FromHours(1));
        Assert.That(client.State, Is.EqualTo(ConnectionState.Open));

        client.TryWrite("anybody?"u8);
        _network.RunUntil(() => client.State == ConnectionState.Closed);
        Assert.That(client.Closed.Result.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void NoAnswerForFifteenMinutes_EndsAConnection(bool isAnswerLost)
    {
        // A write progress time-out would be earlier.
        Connection client = OpenConnection(out _);
        if (!isAnswerLost)
        {
            _network.Partition(_server, _client);
        }

        client.TryWrite("x"u8);
        _network.RunFor(TimeSpan.FromMicroseconds(201));
        _network.Partition(_server, _client);
        _network.RunFor(TimeSpan.FromMinutes(15));
        Assert.That(client.State, Is.EqualTo(ConnectionState.Open));
        _network.RunFor(TimeSpan.FromMinutes(1));

        Assert.That(client.Closed.Result.Kind, Is.EqualTo(CloseKind.TimedOut));
    }

    [Test]
    public void Silence_EndsNoConnectionInAPartition()
    {
        Connection client = OpenConnection(out Connection server);
        _network.Partition(_server, _client);
        _network.RunFor(TimeSpan.FromHours(1));

        Assert.That((client.State, server.State), Is.EqualTo((ConnectionState.Open, ConnectionState.Open)));
    }

    [Test]
    public void Reset_CutsWhatIsStillDelivered_WhicheverHostIsNamedFirst([Values] bool serverFirst)
    {
        Connection client = OpenConnection(out Connection server);
        server.PauseReading();
        client.TryWrite(new byte[500_000]);
        _network.RunFor(_second);
        _network.Reset(serverFirst ? _server : _client, serverFirst ? _client : _server);
        _network.RunUntil(() => client.State == ConnectionState.Closed && server.State == ConnectionState.Closed);

        Assert.That(client.Closed.Result.Kind, Is.EqualTo(CloseKind.PeerReset));
        Assert.That(server.Closed.Result.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void StalledHost_IsServedByItsSystemOnly()
    {
        _server.Reactor.Listen(_server.EndPoint(7), new Echo());
        _server.Stall(TimeSpan.FromSeconds(5));
        var sender = new Sender("hello"u8.ToArray());
        Task<Connection> attempt = _client.Reactor.ConnectAsync(_server.EndPoint(7), sender);

        _network.RunFor(TimeSpan.FromSeconds(4));
        Assert.That(attempt.IsCompletedSuccessfully, "the system answers");
        Assert.That(sender.Received, Is.Empty);
        _network.RunUntil(() => sender.IsClosed, TimeSpan.FromSeconds(2));
    }

    [Test]
    public void SlowCallback_LetsTheOthersGoOn()
    {
        int beats = 0;
        _client.Reactor.SchedulePeriodic(_second, _second, () => beats++);
        int beatsBefore = -1;
        _server.Reactor.Post(() =>
        {
            _server.Spend(TimeSpan.FromSeconds(10.5));
            beatsBefore = beats;
        });
        _network.RunUntil(() => beatsBefore >= 0);

        Assert.That(beatsBefore, Is.EqualTo(10));
        Assert.That(() => _server.Spend(_second), Throws.InvalidOperationException.With.Message.Contains("Stall"));
    }

    [Test]
    public void ListenersOfTwoFamilies_AreFoundByName()
    {
        _server.Reactor.Listen(new IPEndPoint(_server.AddressV6, 7), new Echo());
        var sender = new Sender("hello"u8.ToArray());
        _client.Reactor.ConnectAsync(new DnsEndPoint("SERVER", 7), sender);
        _network.RunUntil(() => sender.IsClosed);
        Assert.That(sender.Received, Has.Count.EqualTo(5));

        _network.Names.Remove("server");
        Task<Connection> lost = _client.Reactor.ConnectAsync(new DnsEndPoint("server", 7), sender);
        _network.RunUntil(() => lost.IsCompleted);
        Assert.That((lost.Exception!.InnerException as SocketException)!.SocketErrorCode, Is.EqualTo(SocketError.HostNotFound));
    }

    [Test]
    public void UnixSockets_AreRefusedWithAReason() => Assert.That(
        () => _server.Reactor.Listen(new UnixDomainSocketEndPoint("/tmp/x"), new Echo()),
        Throws.TypeOf<SocketException>().With.Message.Contains("IPv4 and IPv6"));

    [Test]
    public void TwoHostsOfOneName_AreRefused() =>
        Assert.That(() => _network.AddHost("server"), Throws.ArgumentException.With.Message.Contains("server"));

    [Test]
    public void Notes_AreInTheTrace()
    {
        ulong before = _network.Trace.Hash;
        _network.Note("the test begins");

        Assert.That(_network.Trace.ToString(), Does.EndWith("0.0000000 the test begins"));
        Assert.That(_network.Trace.Hash, Is.Not.EqualTo(before));
    }

    [Test]
    public void Trace_KeepsTheLastLines_AndCountsAll()
    {
        using var network = new SimulatedNetwork(1, new SimulatedNetworkOptions { TraceCapacity = 2 });
        network.Note("one");
        network.Note("two");
        network.Note("three");

        Assert.That(network.Trace.Lines.Select(static line => line.Split(' ')[^1]), Is.EqualTo(new[] { "two", "three" }));
        Assert.That(network.Trace.Count, Is.EqualTo(3));
    }

    private Connection OpenConnection(out Connection server)
    {
        Connection? accepted = null;
        _server.Reactor.Listen(_server.EndPoint(7), connection =>
        {
            accepted = connection;
            return new Echo();
        });
        Task<Connection> connected = _client.Reactor.ConnectAsync(_server.EndPoint(7), new Sender([]));
        _network.RunUntil(() => connected.IsCompleted && accepted is not null);
        _network.RunUntilIdle();
        server = accepted!;
        return connected.Result;
    }
}

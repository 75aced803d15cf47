using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

public sealed class NetworkTests : TwoHosts
{
    [Test]
    public void ConditionThatNeverComesTrue_FailsAtItsLimit_AndNamesTheSeed()
    {
        Client.Reactor.SchedulePeriodic(Second, Second, static () => { });

        Assert.That(
            () => Network.RunUntil(static () => false, TimeSpan.FromMinutes(1)),
            Throws.TypeOf<SimulationException>().With.Message.Contains("Seed 1").And.Message.Contains("00:01:00"));
        Assert.That(Network.Clock.Elapsed, Is.EqualTo(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public void ConditionThatNothingCanMakeTrue_FailsAtOnce() => Assert.That(
        () => Network.RunUntil(static () => false),
        Throws.TypeOf<SimulationException>().With.Message.Contains("nothing is left that could happen")
            .And.Message.Contains("without the TimeProvider of the reactor"));

    [Test]
    public void ProgramThatSpins_IsCaught()
    {
        using var network = new SimulatedNetwork(1, new SimulatedNetworkOptions { MaxSteps = 1000 });
        Reactor reactor = network.AddHost("host").Reactor;
        void PostAgain() => reactor.Post(PostAgain);
        PostAgain();

        Assert.That(() => network.RunFor(Second), Throws.TypeOf<SimulationException>().With.Message.Contains("spin"));
    }

    [Test]
    public void ReactorThatTheTestSteps_RunsTheRestWhileItWaits()
    {
        Server.Reactor.Listen(Server.EndPoint(7), new Echo());
        var sender = new Sender("hello"u8.ToArray());
        Client.Reactor.ConnectAsync(Server.EndPoint(7), sender);

        while (!sender.IsClosed)
        {
            Client.Reactor.RunOnce(Second);
        }

        Assert.That(sender.Received, Is.EqualTo("hello"u8.ToArray()));
    }

    [Test]
    public void WaitOfTheTest_LastsAsLongAsItSays()
    {
        Assert.That(Client.Reactor.RunOnce(Second), Is.Zero);
        Assert.That(Network.Clock.Elapsed, Is.EqualTo(Second));
        Assert.That(
            () => Client.Reactor.Run(), Throws.TypeOf<SimulationException>().With.Message.Contains("waits for ever"));
    }

    [Test]
    public void ShortPartition_DelaysWhatWasSent()
    {
        Server.Reactor.Listen(Server.EndPoint(7), new Echo());
        var sender = new Sender("hello"u8.ToArray());
        Client.Reactor.ConnectAsync(Server.EndPoint(7), sender);
        Network.Schedule(TimeSpan.FromMicroseconds(350), () => Network.Partition(Server, Client));

        Network.RunFor(TimeSpan.FromSeconds(10));
        Assert.That(sender.IsClosed, Is.False);
        Network.Heal(Client, Server);
        Network.RunUntil(() => sender.IsClosed, TimeSpan.FromSeconds(30));

        Assert.That(sender.Received, Is.EqualTo("hello"u8.ToArray()));
    }

    [Test]
    public void ResetInAPartition_IsNeverHeardOf_UntilSomebodySends()
    {
        Connection client = OpenConnection(out Connection server);
        Network.Partition(Server, Client);
        server.Abort();
        Network.RunFor(Second);
        Network.HealAll();
        Network.RunFor(TimeSpan.FromHours(1));
        Assert.That(client.State, Is.EqualTo(ConnectionState.Open));

        client.TryWrite("anybody?"u8);
        Network.RunUntil(() => client.State == ConnectionState.Closed);
        Assert.That(client.Completion.Result.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void NoAnswerForFifteenMinutes_EndsAConnection(bool isAnswerLost)
    {
        // A write progress time-out would be earlier.
        Connection client = OpenConnection(out _);
        if (!isAnswerLost)
        {
            Network.Partition(Server, Client);
        }

        client.TryWrite("x"u8);
        Network.RunFor(TimeSpan.FromMicroseconds(201));
        Network.Partition(Server, Client);
        Network.RunFor(TimeSpan.FromMinutes(15));
        Assert.That(client.State, Is.EqualTo(ConnectionState.Open));
        Network.RunFor(TimeSpan.FromMinutes(1));

        Assert.That(client.Completion.Result.Kind, Is.EqualTo(CloseKind.TimedOut));
    }

    [Test]
    public void Silence_EndsNoConnectionInAPartition()
    {
        Connection client = OpenConnection(out Connection server);
        Network.Partition(Server, Client);
        Network.RunFor(TimeSpan.FromHours(1));

        Assert.That((client.State, server.State), Is.EqualTo((ConnectionState.Open, ConnectionState.Open)));
    }

    [Test]
    public void Reset_CutsWhatIsStillDelivered_WhicheverHostIsNamedFirst([Values] bool serverFirst)
    {
        Connection client = OpenConnection(out Connection server);
        server.PauseReading();
        client.TryWrite(new byte[500_000]);
        Network.RunFor(Second);
        Network.Reset(serverFirst ? Server : Client, serverFirst ? Client : Server);
        Network.RunUntil(() => client.State == ConnectionState.Closed && server.State == ConnectionState.Closed);

        Assert.That(client.Completion.Result.Kind, Is.EqualTo(CloseKind.PeerReset));
        Assert.That(server.Completion.Result.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void StalledHost_IsServedByItsSystemOnly()
    {
        Server.Reactor.Listen(Server.EndPoint(7), new Echo());
        Server.Stall(TimeSpan.FromSeconds(5));
        var sender = new Sender("hello"u8.ToArray());
        Task<Connection> attempt = Client.Reactor.ConnectAsync(Server.EndPoint(7), sender);

        Network.RunFor(TimeSpan.FromSeconds(4));
        Assert.That(attempt.IsCompletedSuccessfully, "the system answers");
        Assert.That(sender.Received, Is.Empty);
        Network.RunUntil(() => sender.IsClosed, TimeSpan.FromSeconds(2));
    }

    [Test]
    public void SlowCallback_LetsTheOthersGoOn()
    {
        int beats = 0;
        Client.Reactor.SchedulePeriodic(Second, Second, () => beats++);
        int beatsBefore = -1;
        Server.Reactor.Post(() =>
        {
            Server.Spend(TimeSpan.FromSeconds(10.5));
            beatsBefore = beats;
        });
        Network.RunUntil(() => beatsBefore >= 0);

        Assert.That(beatsBefore, Is.EqualTo(10));
        Assert.That(() => Server.Spend(Second), Throws.InvalidOperationException.With.Message.Contains("Stall"));
    }

    [Test]
    public void ListenersOfTwoFamilies_AreFoundByName()
    {
        Server.Reactor.Listen(new IPEndPoint(Server.AddressV6, 7), new Echo());
        var sender = new Sender("hello"u8.ToArray());
        Client.Reactor.ConnectAsync(new DnsEndPoint("SERVER", 7), sender);
        Network.RunUntil(() => sender.IsClosed);
        Assert.That(sender.Received, Has.Count.EqualTo(5));

        Network.Names.Remove("server");
        Task<Connection> lost = Client.Reactor.ConnectAsync(new DnsEndPoint("server", 7), sender);
        Network.RunUntil(() => lost.IsCompleted);
        Assert.That((lost.Exception!.InnerException as SocketException)!.SocketErrorCode,
            Is.EqualTo(SocketError.HostNotFound));
    }

    [Test]
    public void UnixSockets_AreRefusedWithAReason() => Assert.That(
        () => Server.Reactor.Listen(new UnixDomainSocketEndPoint("/tmp/x"), new Echo()),
        Throws.TypeOf<SocketException>().With.Message.Contains("does not support Unix addresses"));

    [Test]
    public void TwoHostsOfOneName_AreRefused() =>
        Assert.That(() => Network.AddHost("server"), Throws.ArgumentException.With.Message.Contains("server"));

    [Test]
    public void Notes_AreInTheTrace()
    {
        ulong before = Network.Trace.Hash;
        Network.Note("the test begins");

        Assert.That(Network.Trace.ToString(), Does.EndWith("0.0000000 the test begins"));
        Assert.That(Network.Trace.Hash, Is.Not.EqualTo(before));
    }

    [Test]
    public void Trace_KeepsTheLastLines_AndCountsAll()
    {
        using var network = new SimulatedNetwork(1, new SimulatedNetworkOptions { TraceCapacity = 2 });
        network.Note("one");
        network.Note("two");
        network.Note("three");

        Assert.That(
            network.Trace.Lines.Select(static line => line.Split(' ')[^1]), Is.EqualTo(new[] { "two", "three" }));
        Assert.That(network.Trace.Count, Is.EqualTo(3));
    }

    private Connection OpenConnection(out Connection server)
    {
        Connection? accepted = null;
        Server.Reactor.Listen(Server.EndPoint(7), connection =>
        {
            accepted = connection;
            return new Echo();
        });
        Task<Connection> connected = Client.Reactor.ConnectAsync(Server.EndPoint(7), new Sender([]));
        Network.RunUntil(() => connected.IsCompleted && accepted is not null);
        Network.RunUntilIdle();
        server = accepted!;
        return connected.Result;
    }
}

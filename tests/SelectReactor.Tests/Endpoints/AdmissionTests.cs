using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Who is let in, and what becomes of the others.</summary>
public sealed class AdmissionTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly ScriptedHandler _handler = new();
    private readonly List<Peer> _peers = [];

    [SetUp]
    public void Forget()
    {
        _handler.Connections.Clear();
        _handler.CloseReasons.Clear();
    }

    [TearDown]
    public void ClosePeers()
    {
        _peers.ForEach(static peer => peer.Dispose());
        _peers.Clear();
    }

    [Test]
    public void AtTheLimit_ClientsWait_UntilOneCloses()
    {
        using Listener listener = Listen(new ListenerOptions { MaxConnections = 2 });
        Peer[] peers = [Connect(listener), Connect(listener), Connect(listener), Connect(listener)];
        RunSome();
        Assert.That((listener.ConnectionCount, listener.Accepted), Is.EqualTo((2, 2L)));

        peers[0].Dispose();
        RunUntil(() => listener.Accepted == 3);
        peers[1].Dispose();
        RunUntil(() => listener.Accepted == 4);
        RunSome();
        Assert.That((listener.ConnectionCount, listener.Refused), Is.EqualTo((2, 0L)));
    }

    [Test]
    public void AtTheLimit_APauseIsWarnedOf_AndItsEndTold()
    {
        var log = new ListLogger();
        var time = new FakeTimeProvider();
        using var meter = new Diagnostics.MeterReadings();
        ReactorOptions reactorOptions = Options(time, log);
        reactorOptions.MeterFactory = meter;
        using var reactor = new Reactor(reactorOptions);
        using Listener listener = reactor.Listen(AnyPort, _handler, new ListenerOptions { MaxConnections = 2 });
        Peer[] peers = [Connect(listener), Connect(listener)];
        RunUntil(reactor, () => listener.Accepted == 2);
        Assert.That(log.Entries[^1].Level, Is.EqualTo(LogLevel.Warning));
        Assert.That(log.Entries[^1].Message, Is.EqualTo(
            $"Accepting on {listener.LocalEndPoint} pauses: 2 connections of 2, ListenerOptions.MaxConnections. "
            + "Further clients wait until a connection closes."));
        Assert.That(PausedAtLimit(), Is.EqualTo(1));

        time.Advance(TimeSpan.FromSeconds(3));
        peers[0].Dispose();
        RunUntil(reactor, () => listener.ConnectionCount == 1);
        Assert.That(log.Entries.Count(static entry => entry.Id == 68), Is.EqualTo(1));
        Assert.That(log.Entries.Single(static entry => entry.Id == 68).Message, Does.EndWith("after 3 s."));
        Assert.That(PausedAtLimit(), Is.Zero);

        for (int i = 3; i < 6; i++)
        {
            Peer next = Connect(listener);
            RunUntil(reactor, () => listener.Accepted == i);
            next.Dispose();
            RunUntil(reactor, () => listener.ConnectionCount == 1);
        }

        Assert.That(log.Entries.Count(static entry => entry.Id is 68 or 69), Is.EqualTo(2), "once in ten seconds");

        double PausedAtLimit() => meter.Value(
            "selectreactor.paused_listeners", ("selectreactor.pause_reason", "connection_limit"));
    }

    [Test]
    public void AtTheLimit_ClientsAreCut_WhereThatIsAskedFor()
    {
        using Listener listener = Listen(new ListenerOptions { MaxConnections = 1, WhenFull = WhenFull.Refuse });
        Connect(listener);
        RunUntil(() => listener.Accepted == 1);
        Peer second = Connect(listener);
        RunUntil(() => listener.Refused == 1);

        AssertCut(second);
        Assert.That((listener.ConnectionCount, _handler.Connections.Count), Is.EqualTo((1, 1)));
    }

    [Test]
    public void ClientsThatAreCut_AreWarnedOf_OnceInTenSeconds()
    {
        var log = new ListLogger();
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time, log));
        using Listener listener = reactor.Listen(
            AnyPort, _handler, new ListenerOptions { MaxConnections = 1, WhenFull = WhenFull.Refuse });
        Connect(listener);
        RunUntil(reactor, () => listener.Accepted == 1);
        IEnumerable<string> warnings = log.Entries
            .Where(static entry => entry.Level >= LogLevel.Warning).Select(static entry => entry.Message);
        Assert.That(warnings, Is.Empty);

        Connect(listener);
        Connect(listener);
        RunUntil(reactor, () => listener.Refused == 2);
        Assert.That(warnings.Single(), Does.StartWith($"Clients on {listener.LocalEndPoint} are refused: a limit"));

        time.Advance(TimeSpan.FromSeconds(10));
        Connect(listener);
        RunUntil(reactor, () => listener.Refused == 3);
        Assert.That(warnings.Last(), Does.EndWith("of the group. Messages like this that were left out since the "
            + "last one: 1."));
        Assert.That(warnings.Count(), Is.EqualTo(2));
    }

    [Test]
    public void LimitOfTheReactor_CountsAllListenersAndClients()
    {
        using var reactor = new Reactor(
            new ReactorOptions { MaxConnections = 2, SelectorFactory = Options().SelectorFactory });
        using Listener one = reactor.Listen(AnyPort, _handler);
        using Listener other = reactor.Listen(AnyPort, _handler);
        Peer first = Connect(one);
        Connect(other);
        RunUntil(reactor, () => one.Accepted + other.Accepted == 2);
        Connect(one);
        Connect(other);
        Task<Connection> attempt = reactor.ConnectAsync(one.LocalEndPoint, _handler);
        RunUntil(reactor, () => attempt.IsCompleted);
        Assert.That(
            () => attempt.GetAwaiter().GetResult(),
            Throws.InvalidOperationException.With.Message.Contains("MaxConnections"));
        Assert.That(one.Accepted + other.Accepted, Is.EqualTo(2));

        first.Dispose();
        RunUntil(reactor, () => one.Accepted + other.Accepted == 3);
        for (int i = 0; i < 10; i++)
        {
            reactor.RunOnce(TimeSpan.FromMilliseconds(1));
        }

        Assert.That((one.Accepted + other.Accepted, one.Refused + other.Refused), Is.EqualTo((3L, 0L)));
    }

    [Test]
    public void Filter_CutsWhomItDoesNotAllow_BeforeAnythingIsMadeForThem()
    {
        var filter = new Mock<IAcceptFilter>();
        using Listener listener = Listen(new ListenerOptions { AcceptFilter = filter.Object });
        Peer peer = Connect(listener);
        RunUntil(() => listener.Refused == 1);
        AssertCut(peer);
        filter.Verify(static mock => mock.Allows(
            It.Is<EndPoint?>(from => ((IPEndPoint)from!).Address.Equals(IPAddress.Loopback))));

        filter.Setup(static mock => mock.Allows(It.IsAny<EndPoint?>())).Throws<InvalidDataException>();
        AssertCut(Connect(listener), () => listener.Refused == 2);

        filter.Setup(static mock => mock.Allows(It.IsAny<EndPoint?>())).Returns(true);
        Connect(listener);
        RunUntil(() => listener.Accepted == 1);
        Assert.That(_handler.Connections, Has.Count.EqualTo(1));
    }

    [Test]
    public void Filter_ThatClosesTheListener_LetsNobodyIn()
    {
        Listener listener = null!;
        Task stopped = null!;
        var filter = new Mock<IAcceptFilter>();
        filter.Setup(static mock => mock.Allows(It.IsAny<EndPoint?>())).Returns(() =>
        {
            stopped = listener.StopAcceptingAsync();
            return true;
        });
        listener = Listen(new ListenerOptions { AcceptFilter = filter.Object });
        AssertCut(Connect(listener), () => listener.Refused == 1);

        Assert.That(stopped.IsCompletedSuccessfully);
        Assert.That((listener.ConnectionCount, listener.Accepted, _handler.Connections.Count), Is.EqualTo((0, 0L, 0)));
    }

    private void AssertCut(Peer peer, Func<bool>? until = null)
    {
        RunUntil(until ?? (() => true));
        Assert.That(() => peer.Socket.Receive(new byte[1]), Throws.InstanceOf<SocketException>()
            .With.Property(nameof(SocketException.SocketErrorCode)).EqualTo(SocketError.ConnectionReset));
    }

    private Listener Listen(ListenerOptions options) => Reactor.Listen(AnyPort, _handler, options);

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
            Reactor.RunOnce(TimeSpan.FromMilliseconds(1));
        }
    }
}

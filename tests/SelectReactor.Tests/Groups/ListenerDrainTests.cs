using System.Net;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>The end of one listener with its connections, while the reactors go on.</summary>
public sealed class ListenerDrainTests(SelectorKind selector) : GroupFixture(selector)
{
    private static readonly TimeSpan _long = TimeSpan.FromMinutes(10);

    private static readonly ProxyProtocolOptions _loopback =
        new() { TrustedNetworks = [new IPNetwork(IPAddress.Loopback, 32)], Timeout = _long };

    [Test]
    public void Drain_TellsTheConnectionsOfTheListener_AndNoOthers([Values] ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing);
        var handler = new StoppingHandler();
        var other = new StoppingHandler();
        GroupListener listener = Listen(group, handler);
        GroupListener otherListener = Listen(group, other);
        Peer[] peers = Connect(listener, 6);
        Connect(otherListener, 2);
        Connection outgoing = Run(group, group.ConnectAsync(otherListener.LocalEndPoint, other));
        Run(group, () => listener.Accepted == 6 && otherListener.Accepted == 3);

        Task draining = listener.DrainAsync(_long);
        Run(group, () => handler.Told.Count == 6);
        Assert.That(handler.Told.Distinct().Count(), Is.EqualTo(6));
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        Assert.That(draining.IsCompleted, Is.False);
        Array.ForEach(peers, static peer => peer.EndOutput());
        Run(group, draining);

        Assert.That(other.Told, Is.Empty);
        Assert.That(outgoing.State, Is.EqualTo(ConnectionState.Open));
        Exchange(group, otherListener);
    }

    [Test]
    public void AtTheDeadline_ConnectionsAndHandshakesEnd_AndNoOthers([Values] bool isEarlier)
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        var handler = new StoppingHandler();
        var other = new StoppingHandler();
        GroupListener listener = Listen(group, handler, new ListenerOptions { ProxyProtocol = _loopback });
        GroupListener otherListener = Listen(group, other);
        Peer[] open = Connect(listener, 4);
        Array.ForEach(open, static peer => peer.Send("PROXY UNKNOWN\r\n"u8));
        Run(group, () => listener.Accepted == 4);
        Connect(listener, 4);
        Connect(otherListener, 2);
        Run(group, () => group.Statistics.Connections == 10);

        Task draining = listener.DrainAsync(isEarlier ? _long : TimeSpan.FromMilliseconds(50));
        if (isEarlier)
        {
            RunUntilQuiet(group);
            Assert.That(draining.IsCompleted, Is.False);
            Assert.That(handler.Reasons, Is.Empty);
            _ = listener.DrainAsync(TimeSpan.Zero);
        }

        Run(group, draining);

        Assert.That(handler.Told, Has.Count.EqualTo(4));
        Assert.That(handler.Reasons, Is.EqualTo(Enumerable.Repeat(CloseKind.ReactorStopped, 4)));
        Assert.That(other.Reasons, Is.Empty);
        Assert.That(group.Statistics.Connections, Is.EqualTo(2));
    }

    [Test]
    public void ClientsInAHandshake_AreToldWhenTheyAreOpen()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        var handler = new StoppingHandler();
        GroupListener listener = Listen(group, handler, new ListenerOptions { ProxyProtocol = _loopback });
        Peer[] peers = Connect(listener, 4);
        Run(group, () => group.Statistics.Connections == 4);

        Task draining = listener.DrainAsync(_long);
        RunUntilQuiet(group);
        Assert.That(draining.IsCompleted, Is.False);
        Array.ForEach(peers, static peer => peer.Send("PROXY UNKNOWN\r\n"u8));
        Run(group, () => handler.Told.Count == 4);
        Array.ForEach(peers, static peer => peer.EndOutput());
        Run(group, draining);
    }

    [Test]
    public void AShutdownAfterwards_DoesNotTellTwice_AndANewHandlerIsTold()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        var handler = new StoppingHandler();
        var next = new StoppingHandler();
        GroupListener listener = Listen(group, handler);
        Connect(listener, 2);
        Run(group, () => listener.Accepted == 2);
        _ = listener.DrainAsync(Timeout.InfiniteTimeSpan);
        Run(group, () => handler.Told.Count == 2);

        Connection first = handler.Told[0];
        first.Reactor.Post(() => first.Handler = next);
        Run(group, () => next.Told.Count == 1);
        Task shutdown = group.ShutdownAsync(_long);
        RunUntilQuiet(group);

        Assert.That(handler.Told, Has.Count.EqualTo(2));
        Assert.That(next.Told, Is.EqualTo(new[] { first }));
        Assert.That(shutdown.IsCompleted, Is.False);
    }

    [Test]
    public void AListenerOfOneReactor_DrainsAsWell()
    {
        var handler = new StoppingHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        using var other = Peer.Connect(listener.LocalEndPoint);
        RunUntil(Reactor, () => listener.Accepted == 2);

        Task draining = listener.DrainAsync(_long);
        RunUntil(Reactor, () => handler.Told.Count == 2);
        peer.EndOutput();
        RunUntil(Reactor, () => handler.Reasons.Count == 1);
        Assert.That(draining.IsCompleted, Is.False);
        _ = listener.DrainAsync(TimeSpan.Zero);
        RunUntil(Reactor, () => draining.IsCompleted);

        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        Assert.That(handler.Told, Has.Count.EqualTo(2));
        Assert.That(
            handler.Reasons, Is.EqualTo(new[] { CloseKind.PeerClosed, CloseKind.ReactorStopped }));
    }

    [Test]
    public void ANegativeDeadline_IsRefused()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        GroupListener listener = Listen(group, new StoppingHandler());

        Assert.That(
            () => listener.DrainAsync(TimeSpan.FromSeconds(-1)), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.True);
    }

    private void Exchange(ReactorGroup group, GroupListener listener)
    {
        long before = listener.Accepted;
        Connect(listener, 1);
        Run(group, () => listener.Accepted == before + 1);
    }

    private sealed class StoppingHandler : ConnectionHandler
    {
        public List<Connection> Told { get; } = [];

        public List<CloseKind> Reasons { get; } = [];

        public override void OnReadable(Connection connection)
        {
        }

        public override void OnStopping(Connection connection) => Told.Add(connection);

        public override void OnClosed(Connection connection, CloseReason reason) => Reasons.Add(reason.Kind);
    }
}

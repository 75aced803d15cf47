using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>The end of one reactor of a group, and of the whole group.</summary>
public sealed class GroupDrainTests(SelectorKind selector) : GroupFixture(selector)
{
    private static readonly TimeSpan _long = TimeSpan.FromMinutes(10);

    // The clients wait in the backlog when the reactor is taken out of use, and more come while it is.
    [Test]
    public void DrainedReactor_LosesNoQueuedClient([Values] ClientSharing sharing, [Values(0, 1)] int drained)
    {
        ReactorGroup group = Stepped(sharing);
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        GroupListener listener = Listen(group, handler);
        Peer[] queued = Connect(listener, 30);

        Task draining = group.DrainAsync(group.Reactors[drained], _long);
        Peer[] later = Connect(listener, 30);
        Exchange(group, [.. queued, .. later]);
        Run(group, draining);

        int other = 1 - drained;
        Assert.That(group.Statistics.ConnectionsOfReactors[other], Is.EqualTo(60));
        Assert.That(handler.Connections, Has.All.Property(nameof(Connection.Reactor)).SameAs(group.Reactors[other]));
        Assert.That((listener.Accepted, listener.Refused), Is.EqualTo((60L, 0L)));
    }

    [Test]
    public void DrainedReactor_HandsOnTheClientsThatAreOnTheirWayToIt()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        Peer[] peers = Connect(Listen(group, handler), 10);
        RunUntil(group.Reactors[0], () => group.Statistics.ConnectionsOfReactors[1] == 5);

        Task draining = group.DrainAsync(group.Reactors[1], _long);
        Exchange(group, peers);
        Run(group, draining);

        Assert.That(group.Statistics.ConnectionsOfReactors, Is.EqualTo(new[] { 10, 0 }));
    }

    [Test]
    public void ReactorThatEndsAlone_HandsOnTheClientsThatAreOnTheirWayToIt()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        GroupListener listener = Listen(group, handler);
        Peer[] peers = Connect(listener, 10);
        RunUntil(group.Reactors[0], () => group.Statistics.ConnectionsOfReactors[1] == 5);

        group.Reactors[1].Dispose();
        Exchange(group, peers);
        Exchange(group, Connect(listener, 10));

        Assert.That(group.Statistics.ConnectionsOfReactors, Is.EqualTo(new[] { 20, 0 }));
    }

    [Test]
    public void Drain_TellsTheConnections_AndClosesThoseThatAreLeftAtTheDeadline()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        List<Connection> told = [];
        var handler = new StoppingHandler(told);
        GroupListener listener = Listen(group, handler);
        Connect(listener, 6);
        Run(group, () => listener.Accepted == 6);

        Task draining = group.DrainAsync(group.Reactors[1], _long);
        Run(group, () => told.Count == 3);
        Assert.That(told, Has.All.Property(nameof(Connection.Reactor)).SameAs(group.Reactors[1]));
        Assert.That(draining.IsCompleted, Is.False);
        Run(group, group.DrainAsync(group.Reactors[1], TimeSpan.Zero));
        Run(group, draining);

        Assert.That(handler.Reasons, Is.EqualTo(Enumerable.Repeat(CloseKind.ReactorStopped, 3)));
        Assert.That(group.Statistics.ConnectionsOfReactors, Is.EqualTo(new[] { 3, 0 }));
    }

    [Test]
    public void TheLastReactor_CannotBeDrained()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin, count: 3);
        _ = group.DrainAsync(group.Reactors[0], _long);
        _ = group.DrainAsync(group.Reactors[2], _long);

        Assert.That(
            () => group.DrainAsync(group.Reactors[1], _long),
            Throws.InvalidOperationException.With.Message.Contains("ShutdownAsync"));
        Assert.That(group.ChooseReactor(), Is.SameAs(group.Reactors[1]));
        Assert.That(() => group.DrainAsync(Reactor, _long), Throws.ArgumentException);
    }

    [Test]
    public void Shutdown_ClosesListenersAndConnections([Values] ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing);
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        GroupListener listener = Listen(group, handler);
        Exchange(group, Connect(listener, 10));

        Task shutdown = group.ShutdownAsync(TimeSpan.Zero);
        Run(group, shutdown);

        Assert.That(handler.CloseReasons, Has.Count.EqualTo(10));
        Assert.That(listener.Drained.Wait(Bound), "drained");
        Assert.That(listener.StopAcceptingAsync().IsCompleted);
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        Assert.That(() => group.ChooseReactor(), Throws.InvalidOperationException);
        Assert.That(group.Statistics.Accepted, Is.EqualTo(10));
    }

    [Test]
    public void StopAccepting_ClosesTheSockets_AndDrainedWaitsForTheConnections([Values] ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing);
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        GroupListener listener = Listen(group, handler);
        Peer[] peers = Connect(listener, 6);
        Exchange(group, peers);

        Run(group, listener.StopAcceptingAsync());
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        Exchange(group, peers);
        Assert.That(listener.Drained.IsCompleted, Is.False);
        Array.ForEach(peers, static peer => peer.EndOutput());
        Run(group, listener.Drained);
    }

    private sealed class StoppingHandler(List<Connection> told) : ConnectionHandler
    {
        public List<CloseKind> Reasons { get; } = [];

        public override void OnReadable(Connection connection)
        {
        }

        public override void OnStopping(Connection connection) => told.Add(connection);

        public override void OnClosed(Connection connection, CloseReason reason) => Reasons.Add(reason.Kind);
    }
}

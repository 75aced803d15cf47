using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>The end of one reactor of a group, and of the whole group.</summary>
public sealed class GroupDrainTests(SelectorKind selector) : GroupFixture(selector)
{
    private static readonly TimeSpan _long = TimeSpan.FromMinutes(10);

    private static readonly ProxyProtocolOptions _loopback =
        new() { TrustedNetworks = [new IPNetwork(IPAddress.Loopback, 32)], Timeout = _long };

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
        Assert.That(group.Reactors[1].State, Is.EqualTo(ReactorState.Draining));
        Assert.That(group.Dump(), Does.Contain("(3, 3 draining)").And.Contain("\n2. Reactor: draining, 3"));
        Run(group, group.DrainAsync(group.Reactors[1], TimeSpan.Zero));
        Run(group, draining);

        Assert.That(
            group.Statistics.StatesOfReactors, Is.EqualTo(new[] { ReactorState.NotRunning, ReactorState.Drained }));
        Assert.That(group.Dump(), Does.Contain("(3, 0 drained)").And.Contain("\n2. Reactor: drained, 0 connections"));
        Assert.That(handler.Reasons, Is.EqualTo(Enumerable.Repeat(CloseKind.ReactorStopped, 3)));
        Assert.That(group.Statistics.ConnectionsOfReactors, Is.EqualTo(new[] { 3, 0 }));
    }

    // They are no connections yet, and become some.
    [Test]
    public void ClientsInAHandshake_AreToldWhenTheyAreOpen_AndTheDrainWaitsForThem()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        List<Connection> told = [];
        var handler = new StoppingHandler(told);
        Peer[] peers = Connect(Listen(group, handler, new ListenerOptions { ProxyProtocol = _loopback }), 4);
        Run(group, () => group.Statistics.Connections == 4);

        Task draining = group.DrainAsync(group.Reactors[1], _long);
        RunUntilQuiet(group);
        Assert.That(draining.IsCompleted, Is.False);
        Array.ForEach(peers, static peer => peer.Send("PROXY UNKNOWN\r\n"u8));
        Run(group, () => told.Count == 2);
        Assert.That(told, Has.All.Property(nameof(Connection.Reactor)).SameAs(group.Reactors[1]));
        Array.ForEach(peers, static peer => peer.EndOutput());
        Run(group, draining);
        Assert.That(group.Statistics.ConnectionsOfReactors[1], Is.Zero);
    }

    [Test]
    public void ClientsInAHandshake_AndAttempts_EndAtTheDeadline()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        GroupListener listener = Listen(
            group, new StoppingHandler([]), new ListenerOptions { ProxyProtocol = _loopback });
        Connect(listener, 4);
        Run(group, () => group.Statistics.Connections == 4);
        using Socket full = FullBacklog(out List<Socket> others);
        Task<Connection> attempt = group.Reactors[1].ConnectAsync(full.LocalEndPoint!, new ScriptedHandler());
        RunUntilQuiet(group);
        Assert.That(attempt.IsCompleted, Is.False);

        Task draining = group.DrainAsync(group.Reactors[1], _long);
        RunUntilQuiet(group);
        Assert.That(draining.IsCompleted, Is.False);
        Run(group, group.DrainAsync(group.Reactors[1], TimeSpan.Zero));
        Run(group, draining);

        Assert.That(attempt.IsCanceled);
        Assert.That(group.Statistics.ConnectionsOfReactors, Is.EqualTo(new[] { 2, 0 }));
        others.ForEach(static other => other.Dispose());
    }

    [Test]
    public void Disposal_EndsADrain([Values] bool isOfTheGroup)
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        using Socket full = FullBacklog(out List<Socket> others);
        Task<Connection> attempt = group.Reactors[1].ConnectAsync(full.LocalEndPoint!, new ScriptedHandler());
        Task draining = group.DrainAsync(group.Reactors[1], Timeout.InfiniteTimeSpan);
        RunUntilQuiet(group);
        Assert.That(draining.IsCompleted, Is.False);

        ((IDisposable)(isOfTheGroup ? group : group.Reactors[1])).Dispose();

        Assert.That(draining.Wait(Bound), "the drain");
        Assert.That(() => attempt.Wait(Bound), Throws.Exception);
        others.ForEach(static other => other.Dispose());
    }

    [Test]
    public void Disposal_EndsADrain_ThatWaitsForAHandshakeAlone([Values] bool isOfTheGroup)
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        Connect(Listen(group, new StoppingHandler([]), new ListenerOptions { ProxyProtocol = _loopback }), 2);
        Run(group, () => group.Statistics.ConnectionsOfReactors.SequenceEqual([1, 1]));
        Task draining = group.DrainAsync(group.Reactors[1], Timeout.InfiniteTimeSpan);
        RunUntilQuiet(group);
        Assert.That(draining.IsCompleted, Is.False);

        ((IDisposable)(isOfTheGroup ? group : group.Reactors[1])).Dispose();

        Assert.That(draining.Wait(Bound), "the drain");
    }

    [Test]
    public void ALaterDrain_HasADeadlineOfItsOwn()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        Reactor drained = group.Reactors[1];
        using Socket listening = Peer.Listen();
        List<Connection> told = [];
        var handler = new StoppingHandler(told);
        Run(group, drained.ConnectAsync(listening.LocalEndPoint!, handler));
        Run(group, group.DrainAsync(drained, TimeSpan.Zero));
        Assert.That(handler.Reasons, Is.EqualTo(new[] { CloseKind.ReactorStopped }));
        Connection next = Run(group, drained.ConnectAsync(listening.LocalEndPoint!, handler));
        RunUntilQuiet(group);

        Task draining = group.DrainAsync(drained, _long);
        RunUntilQuiet(group);
        Assert.That((draining.IsCompleted, next.State), Is.EqualTo((false, ConnectionState.Open)));
        Assert.That(told, Has.One.SameAs(next));
        next.Abort();
        Run(group, draining);
    }

    [Test]
    public void AHandler_IsToldOnce_OfADrainAndAShutdown([Values] bool isShutDownFirst)
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        using Socket listening = Peer.Listen();
        List<Connection> told = [];
        var handler = new StoppingHandler(told);
        Run(group, group.Reactors[1].ConnectAsync(listening.LocalEndPoint!, handler));

        Task draining = isShutDownFirst ? group.ShutdownAsync(_long) : group.DrainAsync(group.Reactors[1], _long);
        RunUntilQuiet(group);
        Assert.That(told, Has.Count.EqualTo(1));
        draining = isShutDownFirst ? group.DrainAsync(group.Reactors[1], _long) : group.ShutdownAsync(_long);
        RunUntilQuiet(group);

        Assert.That((draining.IsCompleted, told.Count), Is.EqualTo((false, 1)));
    }

    [Test]
    public void AHandlerThatTakesOverDuringADrain_IsToldToo()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        using Socket listening = Peer.Listen();
        List<Connection> told = [];
        var handler = new StoppingHandler(told);
        Connection connection = Run(
            group, group.Reactors[1].ConnectAsync(listening.LocalEndPoint!, new ScriptedHandler()));
        _ = group.DrainAsync(group.Reactors[1], _long);
        RunUntilQuiet(group);

        connection.Handler = handler;
        RunUntilQuiet(group);

        Assert.That(told, Has.Count.EqualTo(1));
    }

    [Test]
    public void AReactorThatHasEnded_IsLeftOutOfNewListeners([Values] ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing, count: 3);
        group.Reactors[1].Dispose();
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        for (int i = 0; i < 3; i++)
        {
            GroupListener listener = Listen(group, handler);
            Exchange(group, Connect(listener, 10));
            Run(group, listener.StopAcceptingAsync());
        }

        Assert.That(handler.Connections, Has.None.Property(nameof(Connection.Reactor)).SameAs(group.Reactors[1]));
        Assert.That(handler.Connections.Select(static each => each.Reactor).Distinct().Count(), Is.EqualTo(2));
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

    // The end comes in the middle of a batch.
    [TestCase(ClientSharing.SharedSocket)]
    [TestCase(ClientSharing.ReusePort)]
    public void ClientsThatWait_WhenTheGroupIsDisposed_AreNotAcceptedAnyMore(ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing);
        var handler = new ScriptedHandler { Connected = _ => group.Dispose() };
        GroupListener listener = Listen(group, handler);
        Peer[] peers = Connect(listener, 12);

        Run(group, () => group.Reactors.All(static reactor => reactor.State == ReactorState.Ended));

        Assert.That((listener.Refused, listener.ConnectionCount), Is.EqualTo((0L, 0)));
        Assert.That(peers, Has.All.Matches<Peer>(IsOver));
    }

    [Test]
    public void ClientsOnTheirWay_WhenTheGroupEnds_AreClosed_AndLeaveTheirPlaces([Values] bool isOfListener)
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin, maxConnections: isOfListener ? int.MaxValue : 10);
        GroupListener listener = Listen(
            group,
            new ScriptedHandler(),
            new ListenerOptions { MaxConnections = isOfListener ? 10 : int.MaxValue });
        Peer[] peers = Connect(listener, 10);
        RunUntil(group.Reactors[0], () => group.Statistics.ConnectionsOfReactors[1] == 5);

        group.Dispose();

        Assert.That(peers, Has.All.Matches<Peer>(IsOver));
        Assert.That((listener.ConnectionCount, listener.Refused), Is.EqualTo((0, 5L)));
        Assert.That(group.Reactors, Has.None.Property(nameof(Reactor.IsFull)).True);
        Assert.That(listener.Drained.Wait(Bound));
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

    private static bool IsOver(Peer? peer)
    {
        try
        {
            return peer!.Socket.Receive(new byte[1]) == 0;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    /// <summary>A socket that answers no attempt to connect: nobody accepts, and its queue is full.</summary>
    private static Socket FullBacklog(out List<Socket> others)
    {
        Socket listening = Peer.Listen(backlog: 0);
        others = [];
        for (int i = 0; i < 4; i++)
        {
            var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            other.Blocking = false;
            others.Add(other);
            try
            {
                other.Connect(listening.LocalEndPoint!);
            }
            catch (SocketException exception)
            {
                Assert.That(exception.SocketErrorCode, Is.EqualTo(SocketError.WouldBlock));
            }
        }

        return listening;
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

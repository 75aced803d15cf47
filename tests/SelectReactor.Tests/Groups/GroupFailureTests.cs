using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>Reactors that end alone, most of them because their selector can no longer wait. Those that are left serve
/// the clients of all listeners.</summary>
public sealed class GroupFailureTests(SelectorKind selector) : GroupFixture(selector)
{
    private readonly IOException _fault = new("epoll_wait failed: Bad file descriptor.");
    private ScriptedHandler _handler = null!;
    private ListLogger _log = null!;
    private List<FaultySelector> _selectors = null!;

    public enum End
    {
        Failure,
        Disposal,
        Shutdown,
    }

    [SetUp]
    public void Create()
    {
        _handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        _log = new ListLogger();
    }

    // The clients wait in the backlog when the reactor ends, and more come later.
    [Test]
    public void ReactorThatEndsAlone_LosesNoQueuedClient(
        [Values] ClientSharing sharing, [Values(0, 1, 2)] int ended, [Values] End end)
    {
        ReactorGroup group = WithFaults(sharing);
        GroupListener listener = Listen(group, _handler);
        Peer[] queued = Connect(listener, 30);

        EndAlone(group, ended, end);
        Peer[] later = Connect(listener, 30);
        Exchange(group, [.. queued, .. later]);

        Assert.That((listener.Accepted, listener.Refused, listener.IsAccepting), Is.EqualTo((60L, 0L, true)));
        Assert.That(group.Statistics.Connections, Is.EqualTo(60));
        Run(group, listener.StopAcceptingAsync());
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
    }

    // One after the other takes over what its predecessors had.
    [Test]
    public void TheLastReactor_ServesTheClientsOfAll(
        [Values] ClientSharing sharing, [Values] End end, [Values] bool settlesBetween)
    {
        ReactorGroup group = WithFaults(sharing);
        GroupListener[] listeners = [.. Enumerable.Range(0, 3).Select(_ => Listen(group, _handler))];
        if (settlesBetween)
        {
            EndAlone(group, 0, end);
            RunUntilQuiet(group);
        }

        Peer[] queued = [.. listeners.SelectMany(listener => Connect(listener, 10))];
        if (!settlesBetween)
        {
            EndAlone(group, 0, end);
        }

        EndAlone(group, 2, end);
        Exchange(group, [.. queued, .. listeners.SelectMany(listener => Connect(listener, 10))]);

        Assert.That(listeners.Sum(static listener => listener.Accepted), Is.EqualTo(60));
        Assert.That(listeners.Sum(static listener => listener.Refused), Is.Zero);
        Assert.That(group.Dump(), Does.Contain(sharing == ClientSharing.ReusePort ? ", 3 sockets" : "accepted"));
        Connection connection = Run(group, group.ConnectAsync(listeners[0].LocalEndPoint, new ScriptedHandler()));
        Assert.That(connection.Reactor, Is.SameAs(group.Reactors[1]));
        Exchange(group, Connect(Listen(group, _handler), 5));
    }

    [Test]
    public void AFailure_IsLogged_AndShown_AndFailsTheTask()
    {
        ReactorGroup group = WithFaults(ClientSharing.RoundRobin);
        GroupListener listener = Listen(group, _handler);
        Peer[] peers = Connect(listener, 6);
        Exchange(group, peers);
        Assert.That(group.FirstFault.IsCompleted, Is.False);

        EndAlone(group, 1, End.Failure);

        Assert.That(group.FirstFault.Exception?.InnerException, Is.SameAs(_fault));
        Assert.That(_handler.CloseReasons.Select(static reason => reason.Kind), Is.EqualTo(
            Enumerable.Repeat(CloseKind.ReactorStopped, 2)));
        Assert.That(
            _log.Entries.FindAll(static entry => entry.Level >= LogLevel.Warning),
            Is.EqualTo(new[]
            {
                (LogLevel.Critical, 8, "Reactor 2 of 3 of a group has failed, and its connections are closed. "
                    + "The group goes on with 2, which take over its listeners.", (Exception)_fault),
            }));
        Assert.That(
            group.Statistics.StatesOfReactors,
            Is.EqualTo(new[] { ReactorState.NotRunning, ReactorState.Failed, ReactorState.NotRunning }));
        Assert.That($"{group.Statistics}", Does.StartWith("4 connections (2, 0 failed, 2), "));
        Assert.That(
            group.Dump(),
            Does.Contain("\n2. Reactor: failed (IOException: epoll_wait failed: Bad file descriptor.), 0 "));
    }

    [Test]
    public void TheEndOfOthers_IsNoFault()
    {
        ReactorGroup group = WithFaults(ClientSharing.RoundRobin);
        EndAlone(group, 1, End.Disposal);
        Assert.That(group.Statistics.StatesOfReactors[1], Is.EqualTo(ReactorState.Ended));
        Assert.That(group.FirstFault.IsCompleted, Is.False);

        group.Dispose();

        Assert.That(group.FirstFault.IsCompletedSuccessfully);
    }

    [Test]
    public void WhereNoReactorTakesClients_TheyAreRefused_AndTheListenerSaysSo([Values] ClientSharing sharing)
    {
        ReactorGroup group = WithFaults(sharing, count: 2);
        GroupListener listener = Listen(group, _handler);
        Run(group, group.DrainAsync(group.Reactors[0], Timeout.InfiniteTimeSpan));
        Assert.That(listener.IsAccepting);

        EndAlone(group, 1, End.Failure);
        Connect(listener, 4);
        Run(group, () => listener.Refused == 4);

        Assert.That(listener.IsAccepting, Is.False);
        Assert.That(
            _log.Entries.Find(static entry => entry.Id == 8).Message,
            Does.EndWith("No other takes clients: they are refused from now on."));
        Assert.That(
            () => group.ChooseReactor(),
            Throws.InvalidOperationException.With.Message.Contains("(0 drained, 0 failed)"));
    }

    [Test]
    public void TheLastFailure_EndsTheListeners([Values] ClientSharing sharing)
    {
        ReactorGroup group = WithFaults(sharing, count: 2);
        GroupListener listener = Listen(group, _handler);
        Connect(listener, 4);
        EndAlone(group, 1, End.Failure);
        RunUntilQuiet(group);

        EndAlone(group, 0, End.Failure);

        Assert.That(listener.Drained.Wait(Bound));
        Assert.That(listener.IsAccepting, Is.False);
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        Assert.That(
            _log.Entries.FindLast(static entry => entry.Id == 8).Message,
            Does.EndWith("No other is left: the group serves nobody any more."));
        Assert.That(() => group.ChooseReactor(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => Listen(group, _handler), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void APausedListener_StaysPaused([Values] ClientSharing sharing)
    {
        ReactorGroup group = WithFaults(sharing);
        GroupListener listener = Listen(group, _handler);
        listener.Pause();
        RunUntilQuiet(group);
        Peer[] peers = Connect(listener, 12);

        EndAlone(group, 0, End.Failure);
        RunUntilQuiet(group);
        Assert.That((listener.Accepted, listener.IsAccepting), Is.EqualTo((0L, false)));

        listener.Resume();
        Exchange(group, peers);
    }

    [Test]
    public void AListenerThatCloses_WhileItsSocketIsOnTheWay_IsClosed([Values] ClientSharing sharing)
    {
        ReactorGroup group = WithFaults(sharing);
        GroupListener listener = Listen(group, _handler);
        EndAlone(group, 0, End.Failure);

        Task closed = listener.StopAcceptingAsync();
        Run(group, closed);

        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        Run(group, listener.Drained);
    }

    [Test]
    public void AGroupThatEnds_WhileASocketIsOnTheWay_ClosesIt([Values] ClientSharing sharing, [Values] bool disposes)
    {
        ReactorGroup group = WithFaults(sharing);
        GroupListener listener = Listen(group, _handler);
        EndAlone(group, 0, End.Failure);

        if (disposes)
        {
            group.Dispose();
        }
        else
        {
            Run(group, group.ShutdownAsync(TimeSpan.Zero));
        }

        Assert.That(listener.Drained.Wait(Bound));
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
    }

    [Test]
    public void ASocketThatTheNextReactorCannotWatch_Closes_AndTheLogSaysSo()
    {
        ReactorGroup group = WithFaults(ClientSharing.LeastConnections, count: 2);
        GroupListener listener = Listen(group, _handler);
        _selectors[1].RefusesToAdd = static _ => true;

        EndAlone(group, 0, End.Failure);
        Run(group, listener.Drained);

        Assert.That(
            _log.Entries.Find(static entry => entry.Id == 67).Message,
            Does.StartWith($"The reactor that accepts on {listener.LocalEndPoint} ends, "));
        Assert.That(listener.IsAccepting, Is.False);
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
    }

    [Test]
    public void AUnixSocket_IsTakenOver()
    {
        var path = new UnixDomainSocketEndPoint(UnixFile.NewPath());
        ReactorGroup group = WithFaults(ClientSharing.LeastConnections, count: 2);
        GroupListener listener = Listen(group, _handler, endPoint: path);
        Peer[] queued = Connect(listener, 3);

        EndAlone(group, 0, End.Failure);

        Exchange(group, queued);
        Exchange(group, Connect(listener, 3));
        Run(group, listener.StopAcceptingAsync());
        Assert.That(Peer.CanConnect(path), Is.False);
    }

    // The listening is under way on a reactor that ends.
    [Test]
    public void AReactorThatEnds_WhileAListenerOpens_IsLeftOut([Values] ClientSharing sharing, [Values] End end)
    {
        ReactorGroup group = WithFaults(sharing);
        for (int i = 0; i < 2; i++)
        {
            Task<GroupListener> listening = group.ListenAsync(AnyPort, _handler);
            EndAlone(group, i, end);
            GroupListener listener = Run(group, listening);
            Exchange(group, Connect(listener, 10));
            Assert.That(listener.IsAccepting);
        }
    }

    private ReactorGroup WithFaults(ClientSharing sharing, int count = 3)
    {
        ReactorGroupOptions options = GroupOptions(sharing);
        options.Reactor.Logger = _log;
        _selectors = WithFaultySelectors(options);
        return Stepped(options, count);
    }

    private void EndAlone(ReactorGroup group, int index, End end)
    {
        Reactor reactor = group.Reactors[index];
        switch (end)
        {
            case End.Failure:
                _selectors[index].Fault = _fault;
                Assert.That(() => reactor.RunOnce(TimeSpan.Zero), Throws.Exception.SameAs(_fault));
                break;
            case End.Disposal:
                reactor.Dispose();
                break;
            default:
                // It serves those that it has accepted until they end.
                _ = reactor.ShutdownAsync(Timeout.InfiniteTimeSpan);
                RunUntil(reactor, () => reactor.State == ReactorState.Stopping);
                break;
        }
    }
}

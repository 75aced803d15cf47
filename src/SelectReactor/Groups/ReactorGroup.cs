using System.Diagnostics;
using System.Net.Sockets;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;
using SelectReactor.Groups;

namespace SelectReactor;

/// <summary>
/// Several reactors, each on a thread of its own, that share the clients of their listeners: for a program that needs
/// more than one processor. A connection belongs to one reactor, and its handler is called on that reactor's thread.
/// So handlers that are made for each connection need no lock; what they share, and one handler for all connections,
/// must work on several threads at once. All members may be used on any thread.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public sealed partial class ReactorGroup : IDisposable
{
    private readonly ReactorGroupOptions _options;
    private readonly ReactorThread[] _threads;
    private readonly GroupMembers _members;
    private readonly SharedLimit _limit;
    private readonly LoopEnds _ends;
    private readonly ListenerTotals _totals = new();
    private int _listenCalls = -1;

    /// <summary>Starts one reactor for each processor, with default options.</summary>
    /// <inheritdoc cref="ReactorGroup(int, ReactorGroupOptions)"/>
    public ReactorGroup()
        : this(Environment.ProcessorCount)
    {
    }

    /// <summary>Starts reactors with default options.</summary>
    /// <inheritdoc cref="ReactorGroup(int, ReactorGroupOptions)"/>
    public ReactorGroup(int count)
        : this(count, new ReactorGroupOptions())
    {
    }

    /// <summary>Starts reactors.</summary>
    /// <param name="count">How many, at least one: usually <see cref="Environment.ProcessorCount"/>.</param>
    /// <param name="options">How. They are copied.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below one.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException"><see cref="ReactorOptions.MaxConnections"/> of
    /// <see cref="ReactorGroupOptions.Reactor"/> is set.</exception>
    /// <exception cref="SocketException">A selector can't open its wake-up.</exception>
    public ReactorGroup(int count, ReactorGroupOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Clone();
        _options.Verify();
        _limit = new SharedLimit(_options.MaxConnections, NoteRoom);
        _options.Reactor.SharedLimit = _limit;
        _ends = new LoopEnds(count);
        _threads = _options.StartThreads ? Start(count) : [];
        Reactors = _options.StartThreads
            ? [.. _threads.Select(static thread => thread.Reactor)]
            : CreateBound(count);
        _members = new GroupMembers([.. Reactors.Select(static reactor => new GroupMember(reactor))]);
        _ends.Members = _members;
    }

    /// <summary>The reactors. On a reactor's own thread all of its members may be used, on others those for any
    /// thread. A listener or a connection that you make on one of them belongs to it alone, and counts for the limit
    /// of the group. To end the connections of one of them, use <see cref="DrainAsync"/>.</summary>
    public IReadOnlyList<Reactor> Reactors { get; }

    /// <summary>Completes when all loops have ended and everything is closed. It fails with the exceptions that ended
    /// loops, if there were any. Without <see cref="ReactorGroupOptions.StartThreads"/> the loops are the caller's,
    /// and it is complete at once.</summary>
    public Task Completion => Task.WhenAll(_threads.Select(static thread => thread.Completion));

    /// <summary>Fails as soon as a reactor has failed, with the exception that ended its loop: the selector can no
    /// longer wait, for example. The connections of that reactor are closed by then. The others go on, and accept in
    /// its place: decide whether the program does. The log has the exception, too, with the number of the reactor.
    /// Completes when all reactors have ended and none has failed. Also without
    /// <see cref="ReactorGroupOptions.StartThreads"/>.</summary>
    public Task FirstFault => _ends.FirstFault;

    /// <summary>The numbers of this moment.</summary>
    public ReactorGroupStatistics Statistics
    {
        get
        {
            (long accepted, long refused) = _totals.Read();
            return new ReactorGroupStatistics
            {
                ConnectionsOfReactors = [.. _members.All.Select(static member => member.Load)],
                StatesOfReactors = [.. Reactors.Select(static reactor => reactor.State)],
                Accepted = accepted,
                Refused = refused,
            };
        }
    }

    /// <summary>The reactor that has the fewest connections, of those that take new ones. Use it for what the group
    /// has no method for.</summary>
    /// <exception cref="InvalidOperationException">The group is shutting down, or the reactors that are left are
    /// drained.</exception>
    /// <exception cref="ObjectDisposedException">The group is disposed, or all its reactors have ended.</exception>
    public Reactor ChooseReactor()
    {
        if (_members.LeastLoaded() is { } member)
        {
            return member.Reactor;
        }

        ObjectDisposedException.ThrowIf(Reactors.All(static reactor => reactor.IsDisposed), this);
        throw new InvalidOperationException(_members.IsEnding
            ? "The group is shutting down: nothing new can be started on it."
            : $"No reactor of the group takes connections: {this}.");
    }

    /// <summary>
    /// Takes one reactor out of use, which the other reactors do not notice: it gets no new clients, its connections
    /// are told by <see cref="IConnectionHandler.OnStopping"/> and go on until they close by themselves, and those
    /// that are left at the deadline are closed with <see cref="CloseKind.ReactorStopped"/>. No client is lost that
    /// waits to be accepted: where the reactor has a socket of its own, or accepts for all, it goes on accepting and
    /// gives the clients to the others until the listener closes. For that its loop goes on. Clients in a handshake,
    /// and attempts to connect that are under way, go on: when they are open they are told, too, and at the deadline
    /// they end.
    /// </summary>
    /// <param name="reactor">One of <see cref="Reactors"/>.</param>
    /// <param name="deadline">From now; zero closes its connections at once; <see cref="Timeout.InfiniteTimeSpan"/>
    /// waits until every connection has closed by itself.</param>
    /// <returns>A task that completes when the reactor has no connection left, and none that is being made.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="reactor"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="reactor"/> is not one of the group.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="deadline"/> is negative and not
    /// infinite.</exception>
    /// <exception cref="InvalidOperationException">It is the last one that takes clients.</exception>
    public Task DrainAsync(Reactor reactor, TimeSpan deadline)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        if (deadline != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(deadline, TimeSpan.Zero);
        }

        GroupMember member = _members.All.FirstOrDefault(member => member.Reactor == reactor)
            ?? throw new ArgumentException("The reactor is not one of this group.", nameof(reactor));
        _members.Drain(member);
        return reactor.InvokeAsync(() => ReactorDrain.RunAsync(reactor, deadline));
    }

    /// <summary>Ends all reactors in good order, as <see cref="Reactor.ShutdownAsync"/> does: listeners close at once,
    /// connections go on until they close by themselves, and those that are left at the deadline are closed.</summary>
    /// <param name="deadline">From now; zero closes everything at once; <see cref="Timeout.InfiniteTimeSpan"/> waits
    /// until every connection has closed by itself, or a further call sets a deadline.</param>
    /// <returns>A task that also completes when the group is disposed. It never fails.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="deadline"/> is negative and not
    /// infinite.</exception>
    public Task ShutdownAsync(TimeSpan deadline)
    {
        if (deadline != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(deadline, TimeSpan.Zero);
        }

        _members.End();
        return Task.WhenAll([.. Reactors.Select(reactor => reactor.ShutdownAsync(deadline))]);
    }

    /// <summary>Disposes all reactors, which closes everything, and waits for their threads to end, but not longer
    /// than <see cref="ReactorGroupOptions.DisposeTimeout"/>. On one of these threads it does not wait.
    /// Idempotent.</summary>
    public void Dispose()
    {
        _members.End();
        bool waits = !Reactors.Any(static reactor => reactor.IsReactorThread);
        foreach (Reactor reactor in Reactors)
        {
            reactor.Dispose();
        }

        if (waits && Task.WaitAny([Completion], _options.DisposeTimeout) >= 0)
        {
            Array.ForEach(_threads, static thread => thread.Dispose());
        }
    }

    /// <summary>Its numbers. Any thread.</summary>
    public override string ToString() => $"Group of {Reactors.Count} reactors: {Statistics}";

    /// <summary>What each reactor is doing, as <see cref="Reactor.Dump()"/> says. If a loop does not answer, the
    /// caller is blocked for a second for each such loop. Any thread.</summary>
    public string Dump() => Join(static reactor => reactor.Dump());

    /// <summary>What each reactor is doing, as <see cref="Reactor.Dump(int, TimeSpan)"/> says. Any thread.</summary>
    /// <param name="maxConnections">How many connections, and how many listeners, are shown of each reactor at
    /// most.</param>
    /// <param name="wait">How long to wait for each loop at most. If none answers, the caller is blocked for the
    /// sum of these times.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxConnections"/> or <paramref name="wait"/> is
    /// negative.</exception>
    public string Dump(int maxConnections, TimeSpan wait) => Join(reactor => reactor.Dump(maxConnections, wait));

    private string Join(Func<Reactor, string> dump) => string.Join(
        "\n", Reactors.Select((reactor, i) => $"{i + 1}. {dump(reactor)}").Prepend($"{this}"));

    private ReactorThread[] Start(int count)
    {
        List<ReactorThread> threads = [];
        try
        {
            for (int i = 0; i < count; i++)
            {
                int index = i;
                threads.Add(new ReactorThread(
                    OptionsOf(index), () => _options.ThreadStart?.Invoke(index), $"ReactorThread {index + 1}"));
            }

            return [.. threads];
        }
        catch
        {
            threads.ForEach(static thread => thread.Dispose());
            throw;
        }
    }

    private Reactor[] CreateBound(int count)
    {
        List<Reactor> reactors = [];
        try
        {
            for (int i = 0; i < count; i++)
            {
                reactors.Add(new Reactor(OptionsOf(i)));
                reactors[i].Affinity.Bind();
            }

            return [.. reactors];
        }
        catch
        {
            reactors.ForEach(static reactor => reactor.Dispose());
            throw;
        }
    }

    private ReactorOptions OptionsOf(int index)
    {
        ReactorOptions options = _options.Reactor.Copy();
        options.Ended = reactor => _ends.Note(index, reactor);
        return options;
    }

    private void NoteRoom()
    {
        foreach (Reactor reactor in Reactors)
        {
            reactor.NoteRoom();
        }
    }

    private async Task<GroupListener> ListenAsync(
        ListeningSocket socket, Func<Connection, IConnectionHandler> handlerFactory, ListenerOptions options)
    {
        // The clients of several listeners are accepted by several reactors.
        GroupMember first = _members.All[Interlocked.Increment(ref _listenCalls) % _members.All.Count];
        first = first.TakesClients ? first : _members.Acceptor() ?? first;
        var accept = new GroupAccept(
            _members, _limit, _options.Sharing == ClientSharing.RoundRobin, handlerFactory, options);
        ListenerPart part = accept.Parts.First(part => part.Member == first);
        GroupListener listener = await new GroupListenCall(accept, socket, _options.Sharing).RunAsync(part)
            .ConfigureAwait(false);
        _totals.Add(accept);
        return listener;
    }
}

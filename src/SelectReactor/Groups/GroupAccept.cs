using System.Net;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;

namespace SelectReactor.Groups;

/// <summary>Which queues of clients the reactors of a group accept from.</summary>
internal enum ClientQueue
{
    /// <summary>One reactor accepts for all.</summary>
    OneReactor,

    /// <summary>All accept from one queue.</summary>
    Shared,

    /// <summary>Each has a queue of its own.</summary>
    Each,
}

/// <summary>What the parts of a <see cref="GroupListener"/> have in common: the limits, the choice of the reactor that
/// gets a client, and the end. Any thread.</summary>
internal sealed class GroupAccept
{
    private readonly ListenerPart[] _parts;
    private readonly bool _inTurn;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly GroupMembers _members;

    /// <summary>One more until the listener is made: the first may close before the next is open.</summary>
    private int _openSockets = 1;
    private volatile bool _isPaused;
    private volatile bool _isClosed;

    public GroupAccept(
        GroupMembers members,
        SharedLimit groupLimit,
        bool inTurn,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options)
    {
        _members = members;
        GroupLimit = groupLimit;
        HandlerFactory = handlerFactory;
        Options = options.Copy();
        if (Options.AcceptFilter is { } filter)
        {
            Options.AcceptFilter = new SynchronizedFilter(filter);
        }

        _inTurn = inTurn;
        Limit = new SharedLimit(options.MaxConnections, UpdateInterest);
        Reactor first = members.All[0].Reactor;
        LimitNotice = new LimitNotice(first.Logger, first.TimeProvider);
        _parts = [.. members.All.Select(member => new ListenerPart(this, member))];
    }

    public IReadOnlyList<ListenerPart> Parts => _parts;

    public SharedLimit GroupLimit { get; }

    /// <summary>The limit of this listener.</summary>
    public SharedLimit Limit { get; }

    /// <summary>What tells the log of pauses at a limit: once for all parts.</summary>
    public LimitNotice LimitNotice { get; }

    public Func<Connection, IConnectionHandler> HandlerFactory { get; }

    /// <summary>A copy.</summary>
    public ListenerOptions Options { get; }

    public ClientQueue Queue { get; set; }

    /// <summary>Whether the user wants it to pause.</summary>
    public bool IsPaused => _isPaused;

    /// <summary>Completes when all sockets are closed.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Completes when all sockets and all accepted connections are closed.</summary>
    public Task Drained => _drained.Task;

    public long Accepted => _parts.Sum(static part => part.Admission?.Accepted ?? 0);

    public long Refused => _parts.Sum(static part => part.Admission?.Refused ?? 0);

    /// <summary>Whether clients are accepted at the moment.</summary>
    public bool IsAccepting => !Limit.IsFull && !GroupLimit.IsFull && _members.TakesClients
        && Array.Exists(_parts, static part => part.Sockets.AreAccepting);

    /// <summary>Whether it goes on when a reactor ends.</summary>
    public bool OutlivesReactors => !_isClosed && !_members.IsEnding;

    /// <summary>The smallest number of connections that a reactor has that takes clients. Null if none does.</summary>
    public int? LeastLoad => _members.LeastLoaded()?.Load;

    /// <summary>The part that is to have the next client.</summary>
    /// <returns>Null if no reactor takes clients.</returns>
    public ListenerPart? Choose() => PartOf(_inTurn ? _members.Next() : _members.LeastLoaded());

    /// <summary>The part that is to accept for all, or in place of one whose reactor ends.</summary>
    /// <returns>Null if no loop goes on, or if the listener ends.</returns>
    public ListenerPart? ChooseAcceptor() => OutlivesReactors ? PartOf(_members.Acceptor()) : null;

    public void Prepare(EndPoint listening)
    {
        foreach (ListenerPart part in _parts)
        {
            part.Prepare(listening);
        }
    }

    public void SetPaused(bool isPaused)
    {
        _isPaused = isPaused;
        foreach (ListenerPart part in _parts)
        {
            part.Sockets.Post(isPaused ? static acceptor => acceptor.Pause() : static acceptor => acceptor.Resume());
        }
    }

    /// <summary>Closes all sockets. Idempotent.</summary>
    public void Close()
    {
        _isClosed = true;
        Array.ForEach(_parts, static part => part.Sockets.Dispose());
    }

    /// <summary>A socket of a reactor that ends goes to another one, with the clients in its queue. If there is none,
    /// it closes.</summary>
    public void Move(Handle listening)
    {
        while (ChooseAcceptor() is { } part)
        {
            if (part.Sockets.TryTakeOver(listening))
            {
                return;
            }
        }

        listening.Close();
        NoteClosed();
    }

    public void NoteOpened() => Interlocked.Increment(ref _openSockets);

    /// <summary>A socket is closed, or the last one that the listener begins with is open.</summary>
    public void NoteClosed()
    {
        if (Interlocked.Decrement(ref _openSockets) == 0)
        {
            _closed.TrySetResult();
            CompleteDrain();
        }
    }

    public void CompleteDrain()
    {
        if (_closed.Task.IsCompleted && Limit.Taken == 0)
        {
            _drained.TrySetResult();
        }
    }

    /// <summary>Lets the other parts look for clients for which the system has woken the one that looks no
    /// more.</summary>
    public void LookAgain(ListenerPart except)
    {
        foreach (ListenerPart part in _parts)
        {
            if (part != except)
            {
                part.Sockets.Post(static acceptor => acceptor.LookAgain());
            }
        }
    }

    private ListenerPart? PartOf(GroupMember? member) => Array.Find(_parts, part => part.Member == member);

    private void UpdateInterest()
    {
        foreach (ListenerPart part in _parts)
        {
            part.Sockets.Post(static acceptor => acceptor.UpdateInterest());
        }
    }
}

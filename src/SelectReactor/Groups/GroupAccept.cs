using System.Net;
using SelectReactor.Dispatch;

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
    private int _openParts;
    private volatile bool _isPaused;

    public GroupAccept(
        GroupMembers members,
        SharedLimit groupLimit,
        bool inTurn,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options)
    {
        Members = members;
        GroupLimit = groupLimit;
        HandlerFactory = handlerFactory;
        Options = options.Copy();
        if (Options.AcceptFilter is { } filter)
        {
            Options.AcceptFilter = new SynchronizedFilter(filter);
        }

        _inTurn = inTurn;
        Limit = new SharedLimit(options.MaxConnections, UpdateInterest);
        _parts = [.. members.All.Select(member => new ListenerPart(this, member))];
    }

    public GroupMembers Members { get; }

    public IReadOnlyList<ListenerPart> Parts => _parts;

    public SharedLimit GroupLimit { get; }

    /// <summary>The limit of this listener.</summary>
    public SharedLimit Limit { get; }

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

    /// <summary>The part that is to have the next client.</summary>
    /// <returns>Null if no reactor takes clients.</returns>
    public ListenerPart? Choose()
    {
        GroupMember? member = _inTurn ? Members.Next() : Members.LeastLoaded();
        return Array.Find(_parts, part => part.Member == member);
    }

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
            part.Post(isPaused ? static acceptor => acceptor.Pause() : static acceptor => acceptor.Resume());
        }
    }

    public void NoteOpened() => Interlocked.Increment(ref _openParts);

    public void NoteClosed()
    {
        if (Interlocked.Decrement(ref _openParts) == 0)
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
                part.Post(static acceptor => acceptor.LookAgain());
            }
        }
    }

    private void UpdateInterest()
    {
        foreach (ListenerPart part in _parts)
        {
            part.Post(static acceptor => acceptor.UpdateInterest());
        }
    }
}

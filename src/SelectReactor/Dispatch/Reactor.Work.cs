using SelectReactor.Dispatch;

namespace SelectReactor;

/// <content>What the loop is given to do: callbacks, timers, handles to watch.</content>
public sealed partial class Reactor
{
    private long _lastId;

    /// <summary>Calls back in a later phase of the loop, never inside this call. Any thread; callbacks posted by one
    /// thread run in their order.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed: the callback will not run.</exception>
    public void Post(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Post(static callback => ((Action)callback!)(), callback);
    }

    /// <summary>As the other overload, with an argument in place of a closure.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed: the callback will not run.</exception>
    public void Post(Action<object?> callback, object? state)
    {
        if (!TryPost(callback, state))
        {
            throw DisposedError();
        }
    }

    /// <summary>As <see cref="Post(Action)"/>, and false in place of an exception: for code that may come after the
    /// reactor's end. Any thread.</summary>
    /// <returns>False once the reactor is disposed: the callback will not run.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    public bool TryPost(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return TryPost(static callback => ((Action)callback!)(), callback);
    }

    /// <summary>As the other overload, with an argument in place of a closure.</summary>
    /// <returns>False once the reactor is disposed: the callback will not run.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    public bool TryPost(Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return TryPost(new WorkItem(callback, state));
    }

    /// <summary>Calls back once, <paramref name="due"/> from now; never once the reactor is disposed, when the timer
    /// that it returns is not active.</summary>
    /// <param name="due">Zero means in the next tick.</param>
    /// <param name="callback">Called on the reactor's thread; an exception is logged.</param>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="due"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public ReactorTimer Schedule(TimeSpan due, Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Schedule(due, static callback => ((Action)callback!)(), callback);
    }

    /// <summary>Calls back again and again. A loop that is late leaves beats out and keeps the rhythm.</summary>
    /// <param name="due">Until the first call; zero means in the next tick.</param>
    /// <param name="period">Between two calls; more than zero.</param>
    /// <param name="callback">Called on the reactor's thread; an exception is logged, and the timer goes on.</param>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="due"/> is negative or <paramref name="period"/>
    /// is not above zero.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public ReactorTimer SchedulePeriodic(TimeSpan due, TimeSpan period, Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        return _timers.Add(due, period, static callback => ((Action)callback!)(), callback);
    }

    /// <summary>
    /// Watches a handle and calls <paramref name="handler"/> whenever it is ready. A handle has one registration at a
    /// time, with one reactor: cancel its key before you register it again, also if that reactor is disposed.
    /// </summary>
    /// <returns>The registration. Change its interest, or cancel it before you close the handle.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The selector can't watch this kind of handle.</exception>
    /// <exception cref="InvalidOperationException">The handle is registered already, the selector is full, or the
    /// method is called on another thread.</exception>
    /// <exception cref="IOException">The system refused, for example because it is out of memory.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public SelectionKey Register(Handle handle, Interest interest, IEventHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handle);
        ArgumentNullException.ThrowIfNull(handler);
        VerifyAccess();
        ThrowIfDisposed();
        return _demultiplexer.Register(handle, interest, handler);
    }

    internal ReactorTimer Schedule(TimeSpan due, Action<object?> callback, object? state) =>
        _timers.Add(due, TimeSpan.Zero, callback, state);

    /// <summary>How many posted callbacks fit into the memory that is held for them.</summary>
    internal int PostCapacity => _mailbox.Capacity;

    internal IReadOnlyList<IReactorClient> Clients => _clients.All;

    /// <summary>Whether there are as many connections as allowed.</summary>
    internal bool IsFull => _clients.IsFull;

    /// <summary>The limit on connections that is reached; null if there is room.</summary>
    internal ReachedLimit? ReachedLimit => _clients.ReachedLimit;

    /// <summary>The number of connections. Any thread; on another one it may be a moment old.</summary>
    internal int ConnectionCount => _clients.Count;

    /// <summary>The connections that have closed and wait for their peers.</summary>
    internal LingeringClients Lingering { get; }

    internal long NextId() => ++_lastId;

    internal void Add(IReactorClient client) => _clients.Add(client);

    internal void Remove(IReactorClient client) => _clients.Remove(client);

    /// <summary>Takes the place of a connection that is yet to be made, until <see cref="EndOpening"/>.</summary>
    internal void BeginOpening() => _clients.BeginOpening();

    internal void EndOpening() => _clients.EndOpening();

    /// <summary>Calls back once, in a later phase of the loop, when <see cref="IsFull"/> no longer holds.</summary>
    internal void WaitForRoom(Action callback) => _clients.WaitForRoom(callback);

    /// <summary>Calls those who wait for room, if there is some in the limit of the group. Any thread.</summary>
    internal void NoteRoom() => TryPost(static clients => ((ClientRegistry)clients!).TellOfRoom(), _clients);

    /// <summary>Whether the limit on connections is that of a group.</summary>
    internal bool SharesLimit => _clients.SharesLimit;

    /// <summary>Reserves a place for one more connection, of this reactor and in the limit of the group, until the end
    /// of the tick.</summary>
    /// <returns>False if there is none.</returns>
    internal bool TryReservePlace() => _clients.TryReservePlace();

    /// <summary>Gives back what was reserved and not used, before the end of the tick.</summary>
    internal void GiveBackPlaces() => _clients.GiveBackPlaces();

    /// <summary>Gives the reserved place to another reactor of the group.</summary>
    internal void PassPlace() => _clients.PassPlace();

    /// <summary>Takes over the reserved place of another reactor of the group.</summary>
    internal void GrantPlace() => _clients.GrantPlace();

    /// <summary>The reactor's connections, for whoever ends them while the reactor goes on.</summary>
    internal ClientRegistry Registry => _clients;

    /// <summary>Takes note of a part that starts connections and is to be told of the end. Throws as
    /// <see cref="VerifyCanStart"/>.</summary>
    internal void AddStarter(IStoppable starter)
    {
        VerifyCanStart();
        _clients.AddStarter(starter);
    }

    internal void RemoveStarter(IStoppable starter) => _clients.RemoveStarter(starter);

    internal void MarkDirty(IReactorClient client) => _clients.MarkDirty(client);

    internal void FinishLater(IReactorClient client) => _clients.FinishLater(client);

    /// <summary>Lets a part of the library resume in a later phase of the loop. The reactor's thread only.</summary>
    internal void ResumeLater(IResumable item) =>
        _resumed.Add(new WorkItem(static item => ((IResumable)item!).Resume(), item));

    /// <summary>Runs the continuation of an await with the reactor's synchronization context current, or with none. An
    /// exception of it is logged. Only in a phase of the loop, never inside a user's call.</summary>
    internal void Invoke(Action<object?> continuation, object? state, bool withContext) =>
        _guard.Invoke(continuation, state, withContext);

    /// <summary>To be called before each call of a handler, so that a message can name it if it takes too long.
    /// </summary>
    internal void BeginCallback(object handler, IStoppable? connection = null) =>
        _guard.BeginCallback(handler, connection);

    /// <summary>To be called after each call of a user's code: restores the loop's own synchronization context and
    /// execution context if the callback has changed them.</summary>
    internal void EndCallback() => _guard.EndCallback();

    /// <summary>For callers who can't be told that the reactor is disposed, such as awaits and pipes: what they post
    /// runs in any case. Never throws. Any thread.</summary>
    internal void PostAlways(WorkItem item)
    {
        if (_place.IsMine)
        {
            _resumed.Add(item);
        }
        else if (!TryPost(item))
        {
            _late.Add(item);
        }
    }

    /// <summary>Runs a short action of the library now on the reactor's thread, and while there is none, on the thread
    /// that made the reactor or ran its loop last. Posts it on any other: it runs when the loop does, or with
    /// <see cref="Dispose"/>. After the reactor's end there is nothing left to do. Any thread.</summary>
    /// <returns>False if the reactor has ended.</returns>
    internal bool Execute(Action<object?> action, object? state) =>
        _place.TryRun(action, state) || TryPost(action, state);

    private bool TryPost(WorkItem item)
    {
        bool isPosted = _mailbox.TryPost(item);

        // In a callback the loop looks at its mailbox afterwards in any case.
        if (isPosted)
        {
            WakeLoop();
        }

        return isPosted;
    }
}

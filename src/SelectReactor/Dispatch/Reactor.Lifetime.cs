using System.Runtime.ExceptionServices;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <content>Whom the reactor serves, and how it ends.</content>
public sealed partial class Reactor
{
    private readonly List<IReactorClient> _clients = [];
    private readonly HashSet<IStoppable> _starters = [];
    private readonly List<Action> _waitingForRoom = [];
    private readonly TaskCompletionSource _shutdown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ReactorTimer? _deadline;
    private long _lastId;
    private int _disposed;

    internal IReadOnlyList<IReactorClient> Clients => _clients;

    /// <summary>Whether there are as many connections as may be.</summary>
    internal bool IsFull => _clients.Count >= _options.MaxConnections;

    /// <summary>Whether the caller is one of the callbacks, after which the loop looks at its mailbox in any case. Between two
    /// ticks it may be somebody else's turn: that of another reactor on this thread.</summary>
    private bool IsInTick => IsReactorThread && _running != 0;

    internal bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>Ends <see cref="Run"/> after the tick under way, and the wait of <see cref="RunOnce"/>; connections stay open.
    /// Without a run under way, ends the next one at once. Any thread; idempotent.</summary>
    public void Stop()
    {
        _stopRequested = true;
        Wake();
    }

    /// <summary>
    /// Ends in good order: listeners stop to accept and attempts to connect are cancelled at once; connections go on until
    /// they close by themselves, and those that are left at the deadline are closed with
    /// <see cref="CloseKind.ReactorStopped"/>. As soon as the last one is gone, <see cref="Run"/> returns and the task
    /// completes. The loop must be running for that. Any thread; a further call replaces the deadline.
    /// </summary>
    /// <param name="deadline">From now; zero closes everything at once.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="deadline"/> is negative.</exception>
    public Task ShutdownAsync(TimeSpan deadline)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(deadline, TimeSpan.Zero);
        TryPost(_ => BeginShutdown(deadline), null);
        return _shutdown.Task;
    }

    /// <summary>
    /// Closes every connection and listener that is left with <see cref="CloseKind.ReactorStopped"/>, runs what was posted
    /// before, and releases the selector. When the loop is running, on this thread or another, it ends after the tick
    /// under way and its thread does this; the call does not wait for it. Any thread; idempotent.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            // In this order, so that a loop that is running closes by itself: stopped first, it could be gone by the time
            // its place is looked at, and its connections would close on this thread instead of theirs.
            CloseAllUnlessRunning();
            Stop();
        }
    }

    internal long NextId() => ++_lastId;

    internal void Add(IReactorClient client)
    {
        client.ClientIndex = _clients.Count;
        _clients.Add(client);
    }

    internal void Remove(IReactorClient client)
    {
        IReactorClient last = _clients[^1];
        _clients[client.ClientIndex] = last;
        last.ClientIndex = client.ClientIndex;
        _clients.RemoveAt(_clients.Count - 1);
        if (_waitingForRoom.Count > 0 && !IsFull)
        {
            _waitingForRoom.ForEach(callback => TryPost(static callback => ((Action)callback!)(), callback));
            _waitingForRoom.Clear();
        }
    }

    /// <summary>Calls back once, in a later phase of the loop, when <see cref="IsFull"/> no longer holds.</summary>
    internal void WaitForRoom(Action callback) => _waitingForRoom.Add(callback);

    /// <summary>Takes note of what begins new connections, to be told of the end.</summary>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or called on another thread.</exception>
    internal void AddStarter(IStoppable starter)
    {
        VerifyAccess();
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (_deadline is not null)
        {
            throw new InvalidOperationException("The reactor is shutting down: nothing new can be started on it.");
        }

        _starters.Add(starter);
    }

    internal void RemoveStarter(IStoppable starter) => _starters.Remove(starter);

    internal void MarkDirty(IReactorClient client) => _dirty.Add(client);

    internal void FinishLater(IReactorClient client) => _closing.Add(client);

    /// <summary>Lets a part of the library resume in a later phase of the loop. The reactor's thread only.</summary>
    internal void ResumeLater(IResumable item) => _resumed.Add(item);

    /// <summary>Runs the continuation of an await with the reactor's synchronization context current, or with none. An
    /// exception of it is logged. Only in a phase of the loop, never inside a user's call.</summary>
    internal void Invoke(Action<object?> continuation, object? state, bool withContext) =>
        _guard.Invoke(continuation, state, withContext);

    /// <summary>To be called after each call of a user's code: restores the loop's own synchronization context and execution
    /// context if the callback has changed them.</summary>
    internal void EndCallback() => _guard.EndCallback();

    private void Fail(IFallible part, Exception error)
    {
        ReactorLog.ClientFault(Logger, error);
        try
        {
            part.Fail(error);
        }
        catch (Exception failure)
        {
            ReactorLog.ClientFault(Logger, failure);
        }
    }

    private CallbackGuard.Ambient Enter()
    {
        if (Interlocked.CompareExchange(ref _running, 1, 0) != 0)
        {
            // A disposed reactor keeps the loop's place for ever. Asked only now, so that a Dispose between the two is seen.
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            throw new InvalidOperationException(IsReactorThread
                ? "The loop runs already: Run and RunOnce can't be called inside a callback."
                : "The loop runs already on another thread: a reactor has one thread at a time.");
        }

        return Bind();
    }

    private void Leave(CallbackGuard.Ambient outer)
    {
        _guard.Leave(outer);

        // A full fence: one that only releases may let the loop miss a Dispose that in turn still sees it running.
        Interlocked.Exchange(ref _running, 0);
        if (IsDisposed)
        {
            CloseAllUnlessRunning();
        }
    }

    private CallbackGuard.Ambient Bind()
    {
        _affinity.Bind();

        // Before the mailbox is looked at: the thread that was bound until now posts without a wake-up for as long as it
        // takes itself for the reactor's.
        Interlocked.MemoryBarrier();
        return _guard.Enter();
    }

    private void BeginShutdown(TimeSpan deadline)
    {
        if (_deadline is not null)
        {
            _deadline.Change(deadline);
            return;
        }

        _deadline = Schedule(deadline, static self => ((Reactor)self!).BeginStop(StopPhase.Close), this);
        BeginStop(StopPhase.Drain);
    }

    private void BeginStop(StopPhase phase)
    {
        foreach (IStoppable starter in _starters.ToArray())
        {
            starter.BeginStop(phase);
        }

        foreach (IReactorClient client in _clients.ToArray())
        {
            client.BeginStop(phase);
        }
    }

    private void CompleteShutdown()
    {
        if (_deadline is not null && _clients.Count == 0 && _starters.Count == 0)
        {
            _deadline.Cancel();
            _shutdown.TrySetResult();
        }
    }

    // The loop's thread and the disposing one may both come here; whoever takes the loop's place does it.
    private void CloseAllUnlessRunning()
    {
        if (Interlocked.CompareExchange(ref _running, 1, 0) != 0)
        {
            return;
        }

        CallbackGuard.Ambient outer = Bind();
        try
        {
            BeginStop(StopPhase.Close);
            while (_closing.Count > 0)
            {
                FinishCloses();
            }

            _mailbox.Close();
            EmptyMailbox();
        }
        finally
        {
            _selector.Dispose();
            _shutdown.TrySetResult();
            _affinity.Release();
            _guard.Leave(outer);
        }
    }

    // Every callback that was accepted runs, also after one whose exception is to leave Dispose in the end.
    private void EmptyMailbox()
    {
        ExceptionDispatchInfo? first = null;
        while (_resumed.Count > 0 || !_mailbox.IsEmpty)
        {
            try
            {
                RunResumed();
                RunMailbox();
            }
            catch (Exception exception)
            {
                first ??= ExceptionDispatchInfo.Capture(exception);
            }
        }

        first?.Throw();
    }
}

namespace SelectReactor.Threading;

/// <summary>
/// The place that a thread takes while it runs the loop: one thread at a time, and nobody after the end. Whoever has
/// the place is bound as the reactor's thread. A short lock makes each change of hands one step. Any thread.
/// </summary>
internal sealed class LoopPlace(ThreadAffinity affinity)
{
    private const int Nobody = 0;
    private const int Ended = -1;
    private readonly Lock _gate = new();
    private int _holder = Nobody;
    private readonly Thread _maker = Thread.CurrentThread;
    private Thread? _lastRunner;
    private int _isDisposed;

    public bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    /// <summary>Whether everything is closed. Any thread.</summary>
    public bool HasEnded => Volatile.Read(ref _holder) == Ended;

    /// <summary>Whether the calling thread has the place.</summary>
    public bool IsMine => Volatile.Read(ref _holder) == Environment.CurrentManagedThreadId;

    /// <summary>Takes the place for the loop; false if another thread or a caller around this one has it, or the loop
    /// has ended for good.</summary>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (_holder != Nobody)
            {
                return false;
            }

            Take();
            _lastRunner = Thread.CurrentThread;
            return true;
        }
    }

    /// <summary>Gives the place back, unless the reactor was disposed meanwhile.</summary>
    /// <param name="staysBound">Whether the thread stays the reactor's thread.</param>
    /// <returns>False if the reactor is disposed: the caller keeps the place and must close everything.</returns>
    public bool TryLeave(bool staysBound)
    {
        lock (_gate)
        {
            if (_isDisposed != 0)
            {
                return false;
            }

            if (!staysBound)
            {
                affinity.Release();
            }

            Interlocked.Exchange(ref _holder, Nobody);
            return true;
        }
    }

    /// <summary>Marks the reactor as disposed.</summary>
    /// <returns>True if the caller has the place now and must close everything. False if somebody else does it: the
    /// thread that has the place, or the one that is bound to the reactor, when it enters or disposes.</returns>
    public bool TryDispose()
    {
        lock (_gate)
        {
            Interlocked.Exchange(ref _isDisposed, 1);
            if (_holder != Nobody || !affinity.IsCurrentOrUnbound)
            {
                return false;
            }

            Take();
            return true;
        }
    }

    /// <summary>Runs a short action of the library as the reactor's thread: inside the loop, or in its place while
    /// nobody has it. The action must not call the user.</summary>
    /// <returns>False, and nothing was run, if another thread is or may be the reactor's.</returns>
    public bool TryRun(Action<object?> action, object? state)
    {
        lock (_gate)
        {
            if (_holder == Nobody && IsAtHome)
            {
                RunInPlace(action, state);
                return true;
            }

            if (!IsMine)
            {
                return false;
            }
        }

        action(state);
        return true;
    }

    /// <summary>The end: the place stays taken for good, and no thread is the reactor's any more.</summary>
    public void End()
    {
        lock (_gate)
        {
            affinity.Release();
            Interlocked.Exchange(ref _holder, Ended);
        }
    }

    // While no thread is bound, another one may be setting the reactor up, and must not meet this one in the middle of
    // it. The thread that made the reactor, and the one that ran the loop last, are those that use it then.
    private bool IsAtHome => affinity.IsCurrent
        || (affinity.IsCurrentOrUnbound && (Thread.CurrentThread == _maker || Thread.CurrentThread == _lastRunner));

    // With the lock held, so that a loop that begins meanwhile waits for the end of the action.
    private void RunInPlace(Action<object?> action, object? state)
    {
        bool wasBound = affinity.IsCurrent;
        Take();
        try
        {
            action(state);
        }
        finally
        {
            if (!wasBound)
            {
                affinity.Release();
            }

            Interlocked.Exchange(ref _holder, Nobody);
        }
    }

    // The exchange is a full fence before the mailbox is looked at: until it sees another holder, the thread that had
    // the place before posts without a wake-up.
    private void Take()
    {
        affinity.Bind();
        Interlocked.Exchange(ref _holder, Environment.CurrentManagedThreadId);
    }
}

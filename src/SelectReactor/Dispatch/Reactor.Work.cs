namespace SelectReactor;

/// <content>What the loop is given to do: callbacks, timers, handles to watch.</content>
public sealed partial class Reactor
{
    private int _wakePending;

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
        ArgumentNullException.ThrowIfNull(callback);
        ObjectDisposedException.ThrowIf(!TryPost(callback, state), this);
    }

    /// <summary>Runs a function on the reactor's thread, in a later phase of the loop. Any thread.</summary>
    /// <returns>A task with its result, or with the exception that it threw; with an
    /// <see cref="ObjectDisposedException"/> when the reactor is disposed.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="function"/> is null.</exception>
    public Task<T> InvokeAsync<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        var invocation = new Invocation<T>(function);
        return TryPost(static work => ((Invocation<T>)work!).Run(), invocation)
            ? invocation.Task
            : Task.FromException<T>(new ObjectDisposedException(nameof(Reactor)));
    }

    /// <summary>Calls back once, <paramref name="due"/> from now; never once the reactor is disposed.</summary>
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
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="due"/> is negative or <paramref name="period"/> is
    /// not above zero.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public ReactorTimer SchedulePeriodic(TimeSpan due, TimeSpan period, Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        return _timers.Add(due, period, static callback => ((Action)callback!)(), callback);
    }

    /// <summary>
    /// Watches a handle and calls <paramref name="handler"/> whenever it is ready. A handle has one registration at a time,
    /// with one reactor: cancel its key before you register it again, also if that reactor is disposed.
    /// </summary>
    /// <returns>The registration. Change its interest, or cancel it before you close the handle.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The selector can't watch this kind of handle.</exception>
    /// <exception cref="InvalidOperationException">The handle is registered already, the selector is full, or the method is
    /// called on another thread.</exception>
    /// <exception cref="IOException">The system refused, for example because it is out of memory.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public SelectionKey Register(Handle handle, Interest interest, IEventHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handle);
        ArgumentNullException.ThrowIfNull(handler);
        VerifyAccess();
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (handle.Registration is { IsEvicted: false })
        {
            throw new InvalidOperationException(
                $"{handle} is registered already. A handle has one key: change its interest, or cancel it first.");
        }

        var key = new SelectionKey(handle, interest, handler, _selector, _affinity);
        _selector.Add(key.Entry);
        handle.Registration = key;
        return key;
    }

    internal ReactorTimer Schedule(TimeSpan due, Action<object?> callback, object? state) =>
        _timers.Add(due, TimeSpan.Zero, callback, state);

    /// <summary>As <see cref="Post(Action{object}, object)"/>, and false in place of an exception.</summary>
    internal bool TryPost(Action<object?> callback, object? state)
    {
        bool posted = _mailbox.TryPost(callback, state);
        if (posted && !IsInTick)
        {
            Wake();
        }

        return posted;
    }

    private void Select(TimeSpan wait)
    {
        foreach (SelectorEntry entry in _ready)
        {
            entry.Ready = Interest.None;
        }

        _ready.Clear();
        try
        {
            _selector.Select(wait, _ready);
        }
        finally
        {
            // Cleared before the mailbox is looked at: a thread that saw the flag set has posted before.
            if (Volatile.Read(ref _wakePending) != 0)
            {
                Interlocked.Exchange(ref _wakePending, 0);
            }
        }
    }

    /// <summary>Ends the wait of the loop. Many calls before the loop looks are one wake-up of the selector. Any thread.</summary>
    private void Wake()
    {
        if (Interlocked.Exchange(ref _wakePending, 1) == 0)
        {
            _selector.Wake();
        }
    }

    /// <summary>Runs a callback now when this thread may use the reactor, and posts it otherwise; after the reactor's end
    /// there is nothing left to do. Any thread.</summary>
    internal void Execute(Action<object?> callback, object? state)
    {
        if (_affinity.IsCurrentOrUnbound)
        {
            callback(state);
        }
        else
        {
            TryPost(callback, state);
        }
    }

    private sealed class Invocation<T>(Func<T> function) : TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public void Run()
        {
            try
            {
                SetResult(function());
            }
            catch (Exception exception)
            {
                SetException(exception);
            }
        }
    }
}

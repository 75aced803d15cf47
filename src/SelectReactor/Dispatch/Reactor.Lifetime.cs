using SelectReactor.Dispatch;

namespace SelectReactor;

/// <content>How the loop is entered and left, and how it ends.</content>
public sealed partial class Reactor
{
    /// <summary>The exception that ended the loop for good. Null if there was none. Any thread.</summary>
    internal Exception? Fault { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    /// <summary>Ends <see cref="Run()"/> after the tick under way; connections stay open. If it is
    /// not under way, the next one returns at once, also when <see cref="RunOnce"/> is called in between. Ends the
    /// wait of a <see cref="RunOnce"/> that is under way, or else of the next one. Any thread; idempotent.</summary>
    public void Stop()
    {
        // The wake-up ends the wait, of RunOnce too; the flag is for Run alone, which clears it.
        _stopRequested = true;
        _demultiplexer.Wake();
    }

    /// <summary>
    /// Ends in good order: <see cref="Stopping"/> is cancelled, listeners stop to accept and attempts to connect are
    /// cancelled at once; connections go on until they close by themselves, and those that are left at the deadline
    /// are closed with <see cref="CloseKind.ReactorStopped"/>. When the last one is gone and the code that waited for
    /// its end has run, the task completes and <see cref="Run()"/> returns. The loop must be running for that.
    /// Afterwards nothing new can be started; what is posted then runs with the next <see cref="Run()"/> or
    /// <see cref="RunOnce"/>, or with <see cref="Dispose"/>. Any thread; a further call replaces the deadline.
    /// </summary>
    /// <param name="deadline">From now; zero closes everything at once; <see cref="Timeout.InfiniteTimeSpan"/> waits
    /// until every connection has closed by itself, or a further call sets a deadline.</param>
    /// <returns>A task that also completes when the reactor is disposed. It never fails.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="deadline"/> is negative and not
    /// infinite.</exception>
    public Task ShutdownAsync(TimeSpan deadline)
    {
        if (deadline != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(deadline, TimeSpan.Zero);
        }

        TryPost(_ => _shutdown.Begin(deadline), null);
        return _shutdown.Task;
    }

    /// <summary>
    /// Closes every connection and listener that is left with <see cref="CloseKind.ReactorStopped"/>, runs what was
    /// posted and the code that waited for these ends, and releases the selector. This happens on the reactor's
    /// thread: when the loop is running, its thread does it after the tick under way; when another thread steps the
    /// loop with <see cref="RunOnce"/>, its next call of that method or of this one does it; otherwise, and when that
    /// thread has ended, the calling thread does it now. The call never waits. Any thread; idempotent.
    /// </summary>
    public void Dispose()
    {
        if (_place.TryDispose())
        {
            CloseAll(_guard.Enter());
        }
        else
        {
            _demultiplexer.Wake();
        }
    }

    /// <summary>Whether the owner of the group knows already that this exception has ended the loop.</summary>
    internal bool HasToldOf(Exception exception) => _options.Ended is not null && Fault == exception;

    /// <summary>Whether a shutdown has begun.</summary>
    internal bool IsStopping => _shutdown.HasBegun;

    /// <summary>The gate for whatever starts something new: listeners, connects, adopted sockets.</summary>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or called on another
    /// thread.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    internal void VerifyCanStart()
    {
        VerifyAccess();
        ThrowIfDisposed();
        if (_shutdown.IsOver)
        {
            throw new InvalidOperationException("The reactor has shut down: start on a new one.");
        }

        if (_shutdown.HasBegun)
        {
            throw new InvalidOperationException("The reactor is shutting down: nothing new can be started on it.");
        }
    }

    internal static ObjectDisposedException DisposedError() => new(
        typeof(Reactor).FullName, "The reactor is disposed and runs nothing any more. Create a new one.");

    private void ThrowIfDisposed()
    {
        if (IsDisposed)
        {
            throw DisposedError();
        }
    }

    private CallbackGuard.Ambient Enter()
    {
        if (!_place.TryEnter())
        {
            // The place of a reactor that has ended stays taken. Asked only now, so that a Dispose between the two is
            // seen.
            ThrowIfDisposed();
            throw new InvalidOperationException(IsReactorThread
                ? "The loop runs already: Run and RunOnce can't be called inside a callback."
                : "The loop runs already on another thread: a reactor has one thread at a time.");
        }

        return _guard.Enter();
    }

    private void Leave(CallbackGuard.Ambient outer, bool staysBound)
    {
        if (_place.TryLeave(staysBound))
        {
            _guard.Leave(outer);
        }
        else
        {
            CloseAll(outer);
        }
    }

    // On the loop itself nothing waits.
    private void WakeLoop()
    {
        if (!_place.IsMine)
        {
            _demultiplexer.Wake();
        }
    }

    // By the thread that has the loop's place, which it keeps for good.
    private void CloseAll(CallbackGuard.Ambient outer)
    {
        try
        {
            EndClients();
        }
        finally
        {
            _resumed.End();
            _timers.End();
            Buffers.Close();
            _place.End();
            _guard.Leave(outer);
            _late.Open();
            _meter.EndServing();
            Counts.End();
            Watch?.Dispose();
            _options.Ended?.Invoke(this);
            _demultiplexer.Dispose();
        }

        _guard.ThrowKept();
    }

    private void EndClients()
    {
        try
        {
            Watch?.Awake();
            _meter.BeginServing(Clock.Now);
            _shutdown.Announce();
            _clients.BeginStop(StopPhase.Close);
            for (int round = 0; round == 0 || (HasWork && round < GracefulShutdown.MaxEndRounds); round++)
            {
                // Other threads may post faster than this one can run it, until the mailbox closes.
                RunRound(_options.MaxPostsPerTick);
            }

            _shutdown.Complete();
            _mailbox.Close();
            for (int round = 0; !_mailbox.IsEmpty || (HasWork && round < GracefulShutdown.MaxEndRounds); round++)
            {
                RunRound(int.MaxValue);
            }
        }
        finally
        {
            // It calls those who wait for a drain.
            _clients.End();
        }
    }

    private void RunRound(int maxPosts)
    {
        _clients.SettleDirty();
        _clients.FinishCloses();
        RunResumed();
        RunMailbox(maxPosts);
    }
}

using SelectReactor.Timing;

namespace SelectReactor.Diagnostics;

/// <summary>Takes the times of a loop. Without a listener that is one branch and two stores a tick. For the reactor's
/// thread, except <see cref="Lag"/>.</summary>
internal sealed class LoopMeter(Instruments instruments, MonotonicClock clock)
{
    private const long Waiting = long.MinValue;
    private long _busySince = Waiting;
    private long _waitsSince;
    private long _tickSince;
    private bool _isListenedTo;

    /// <summary>For how long the tick under way has kept the loop from its next wait. Any thread.</summary>
    public TimeSpan Lag
    {
        get
        {
            long since = Volatile.Read(ref _busySince);
            return since == Waiting ? TimeSpan.Zero : clock.Until(clock.Now, since);
        }
    }

    public void BeginWait()
    {
        // Once for the tick, so that no listener sees half of it.
        _isListenedTo = instruments.IsLoopListenedTo;
        if (_isListenedTo)
        {
            _waitsSince = clock.Now;
        }
    }

    /// <summary>The loop serves from now on.</summary>
    public void BeginServing(long now) => Volatile.Write(ref _busySince, now);

    /// <summary>The loop has nothing to serve.</summary>
    public void EndServing() => Volatile.Write(ref _busySince, Waiting);

    /// <summary>The tick begins to serve.</summary>
    public void EndWait(long now)
    {
        BeginServing(now);
        if (_isListenedTo)
        {
            _tickSince = now;
            instruments.RecordWait(clock.SecondsBetween(_waitsSince, now));
        }
    }

    public void EndTick(int readyKeys)
    {
        EndServing();
        if (_isListenedTo)
        {
            instruments.RecordTick(clock.SecondsBetween(_tickSince, clock.Now), readyKeys);
        }
    }
}

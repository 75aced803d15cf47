namespace SelectReactor.Testing.Time;

/// <summary>A timer of <see cref="SimulatedClock.CreateTimer"/>. Its callback runs on the network's thread, in the
/// execution context in which the timer was made. Any thread may change or dispose it: the runtime disposes the
/// timers of its own waits on the thread that ends the wait.</summary>
internal sealed class SimulatedTimer(
    SimulatedNetwork network, SimulatedClock clock, TimerCallback callback, object? state)
    : ITimer
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private readonly Lock _gate = new();
    private EventQueue.ScheduledEvent? _next;
    private TimeSpan _period;
    private long? _dueAt;
    private bool _isDisposed;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        VerifyTime(dueTime);
        VerifyTime(period);
        lock (_gate)
        {
            if (_isDisposed)
            {
                return false;
            }

            _period = period;
            Start(dueTime);
            return true;
        }
    }

    /// <summary>Waits for the rest of its time, which a change of the clock may have made shorter or longer; not
    /// while the clock stands.</summary>
    public void Arm()
    {
        lock (_gate)
        {
            _next?.Cancel();
            if (_dueAt is { } dueAt)
            {
                var left = TimeSpan.FromTicks(Math.Max(0, dueAt - clock.GetTimestamp()));
                _next = clock.Stands && left > TimeSpan.Zero ? null : network.ScheduleTimer(left, Fire);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            Stop();
        }
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private static void VerifyTime(TimeSpan time)
    {
        if (time != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        }
    }

    private void Start(TimeSpan due)
    {
        Stop();
        if (due != Timeout.InfiniteTimeSpan)
        {
            _dueAt = clock.GetTimestamp() + due.Ticks;
            clock.Add(this);
            Arm();
        }
    }

    private void Stop()
    {
        _dueAt = null;
        _next?.Cancel();
        clock.Remove(this);
    }

    private void Fire()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            Start(_period == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : _period);
        }

        network.CallUser(Call);
    }

    private void Call()
    {
        if (_context is null)
        {
            callback(state);
        }
        else
        {
            ExecutionContext.Run(_context, static timer => ((SimulatedTimer)timer!).CallInContext(), this);
        }
    }

    private void CallInContext() => callback(state);
}

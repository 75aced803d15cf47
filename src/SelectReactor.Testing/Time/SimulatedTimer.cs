namespace SelectReactor.Testing.Time;

/// <summary>What <see cref="SimulatedClock.CreateTimer"/> makes.</summary>
internal sealed class SimulatedTimer(SimulatedNetwork network, SimulatedClock clock, Action callback) : ITimer
{
    private EventQueue.ScheduledEvent? _next;
    private TimeSpan _period;
    private long _dueAt;
    private bool _disposed;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        VerifyTime(dueTime);
        VerifyTime(period);
        if (_disposed)
        {
            return false;
        }

        _period = period;
        Start(dueTime);
        return true;
    }

    /// <summary>Waits for the rest of its time, which the clock may just have changed; not while the clock stands.</summary>
    public void Arm()
    {
        _next?.Cancel();
        var left = TimeSpan.FromTicks(Math.Max(0, _dueAt - clock.GetTimestamp()));
        _next = clock.Stands && left > TimeSpan.Zero ? null : network.ScheduleTimer(left, Fire);
    }

    public void Dispose()
    {
        _disposed = true;
        Stop();
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
        _next?.Cancel();
        clock.Remove(this);
    }

    private void Fire()
    {
        Start(_period == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : _period);
        network.CallUser(callback);
    }
}

namespace SelectReactor.Testing.Time;

/// <summary>What <see cref="SimulatedClock.CreateTimer"/> makes.</summary>
internal sealed class SimulatedTimer(SimulatedNetwork network, Action callback) : ITimer
{
    private EventQueue.ScheduledEvent? _next;
    private TimeSpan _period;
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

    public void Dispose()
    {
        _disposed = true;
        _next?.Cancel();
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
        _next?.Cancel();
        _next = due == Timeout.InfiniteTimeSpan ? null : network.ScheduleTimer(due, Fire);
    }

    private void Fire()
    {
        Start(_period == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : _period);
        network.CallUser(callback);
    }
}

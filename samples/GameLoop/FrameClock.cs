namespace GameLoop;

/// <summary>Says when the next frame is due.</summary>
internal sealed class FrameClock(TimeProvider time, int framesPerSecond)
{
    private readonly TimeSpan _period = TimeSpan.FromSeconds(1) / framesPerSecond;
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _due;

    /// <summary>Sleeps until the next frame is due.</summary>
    /// <returns>How late it is.</returns>
    public TimeSpan WaitForFrame()
    {
        _due += _period;
        TimeSpan left = _due - time.GetElapsedTime(_start);
        if (left > TimeSpan.Zero)
        {
            // In whole milliseconds: rounded down, it would return too early.
            Thread.Sleep((int)Math.Ceiling(left.TotalMilliseconds));
        }

        TimeSpan lag = time.GetElapsedTime(_start) - _due;
        if (lag > _period)
        {
            // Frames that were missed are left out: catching up would make the next ones late as well.
            _due += lag;
        }

        return lag;
    }
}

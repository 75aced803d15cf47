namespace SelectReactor.Timing;

/// <summary>
/// The monotonic side of a <see cref="TimeProvider"/>, in its own units, so that no rounding makes a timer early and a
/// step of the wall clock moves nothing.
/// </summary>
internal sealed class MonotonicClock
{
    private readonly TimeProvider _provider;
    private readonly long _frequency;
    private readonly long _unitsPerTick;

    public MonotonicClock(TimeProvider provider)
    {
        _provider = provider;
        _frequency = provider.TimestampFrequency;
        _unitsPerTick = _frequency % TimeSpan.TicksPerSecond == 0 ? _frequency / TimeSpan.TicksPerSecond : 0;
    }

    public long Now => _provider.GetTimestamp();

    /// <summary>The moment <paramref name="span"/> after another, rounded up; far beyond the end of time is its end.</summary>
    public long After(long moment, TimeSpan span)
    {
        Int128 units = _unitsPerTick != 0
            ? (Int128)span.Ticks * _unitsPerTick
            : (((Int128)span.Ticks * _frequency) + (TimeSpan.TicksPerSecond - 1)) / TimeSpan.TicksPerSecond;
        return (long)Int128.Min(units + moment, long.MaxValue);
    }

    /// <summary>How long it is until a moment, rounded up; zero when it has passed.</summary>
    public TimeSpan Until(long moment, long now)
    {
        if (moment <= now)
        {
            return TimeSpan.Zero;
        }

        Int128 units = (Int128)moment - now;
        Int128 ticks = ((units * TimeSpan.TicksPerSecond) + (_frequency - 1)) / _frequency;
        return TimeSpan.FromTicks((long)Int128.Min(ticks, long.MaxValue));
    }
}

namespace SelectReactor.Timing;

/// <summary>
/// The monotonic clock of a <see cref="TimeProvider"/>, in the provider's own units. No rounding makes a timer early,
/// and a step of the wall clock changes nothing.
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

    /// <summary>The time <paramref name="span"/> after <paramref name="moment"/>, rounded up and at most
    /// <see cref="long.MaxValue"/>.</summary>
    public long After(long moment, TimeSpan span)
    {
        Int128 units = _unitsPerTick != 0
            ? (Int128)span.Ticks * _unitsPerTick
            : (((Int128)span.Ticks * _frequency) + (TimeSpan.TicksPerSecond - 1)) / TimeSpan.TicksPerSecond;
        return (long)Int128.Min(units + moment, long.MaxValue);
    }

    /// <summary>The time from <paramref name="now"/> until <paramref name="moment"/>, rounded up; zero if it has
    /// passed.</summary>
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

    /// <summary>For statistics.</summary>
    public double SecondsBetween(long earlier, long later) => (later - earlier) / (double)_frequency;
}

namespace SelectReactor.Clients;

/// <summary>
/// How long to wait after so many failures in a row: anything from zero to a bound that doubles each time up to a
/// maximum, all of it drawn anew ("full jitter"). So clients that have failed together spread over the whole bound,
/// also once it has reached its maximum.
/// </summary>
internal sealed class Backoff(TimeSpan baseDelay, TimeSpan maxDelay, Random random)
{
    /// <param name="failures">At least 1.</param>
    public TimeSpan Next(int failures) =>
        TimeSpan.FromTicks(random.NextInt64(Math.Min(Bound(failures).Ticks, long.MaxValue - 1) + 1));

    /// <summary>The longest delay after so many failures.</summary>
    public TimeSpan Bound(int failures)
    {
        // In floating point, which does not overflow.
        double ticks = baseDelay.Ticks * Math.Pow(2, Math.Max(failures, 1) - 1);
        return ticks < maxDelay.Ticks ? TimeSpan.FromTicks((long)ticks) : maxDelay;
    }
}

namespace SelectReactor.Dispatch;

/// <summary>Lets through one message in ten seconds, and counts those that it keeps back.</summary>
internal sealed class MessageLimiter(TimeProvider clock)
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(10);
    private long? _last;
    private int _omitted;

    /// <param name="omitted">How many were kept back since the last one that passed.</param>
    public bool TryPass(out int omitted)
    {
        omitted = _omitted;
        if (_last is { } last && clock.GetElapsedTime(last) < _interval)
        {
            _omitted++;
            return false;
        }

        _last = clock.GetTimestamp();
        _omitted = 0;
        return true;
    }
}

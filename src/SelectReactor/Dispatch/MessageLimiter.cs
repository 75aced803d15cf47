namespace SelectReactor.Dispatch;

/// <summary>Lets through one message in ten seconds, and counts those that it leaves out.</summary>
internal sealed class MessageLimiter(TimeProvider clock)
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(10);
    private long? _last;
    private int _omitted;

    /// <param name="omitted">A sentence that tells how many were left out since the last one that passed; empty if
    /// there were none.</param>
    public bool TryPass(out string omitted)
    {
        omitted = "";
        if (_last is { } last && clock.GetElapsedTime(last) < _interval)
        {
            _omitted++;
            return false;
        }

        if (_omitted > 0)
        {
            omitted = $" Messages like this that were left out since the last one: {_omitted}.";
        }

        _last = clock.GetTimestamp();
        _omitted = 0;
        return true;
    }
}

using SelectReactor.Timing;

namespace SelectReactor.Endpoints;

/// <summary>
/// How many clients one tick may accept. Time is what counts, since the open connections wait: a millisecond.
/// While batch after batch leaves clients waiting, it doubles each tenth of a second, up to four milliseconds: the
/// queue of the listener must not overflow, since a client that finds it full tries again only a second later. A bound
/// in number comes on top. It is the only one where the clock stands still during a tick, as in a simulation. A second
/// without a batch ends the backlog: a batch may end by its bound just when the queue is empty, and nobody waits then.
/// </summary>
internal sealed class AcceptBudget
{
    private const int Doublings = 2;
    private static readonly TimeSpan _batch = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _untilDoubled = TimeSpan.FromMilliseconds(100);

    /// <summary>Longer than the ticks of a busy loop last.</summary>
    private static readonly TimeSpan _quiet = TimeSpan.FromSeconds(1);
    private readonly MonotonicClock _clock;
    private readonly int _maxAccepts;
    private readonly long _batchUnits;
    private readonly long _untilDoubledUnits;
    private readonly long _quietUnits;

    /// <summary>When a batch left clients waiting first; null if the last one did not.</summary>
    private long? _backlogStart;

    /// <summary>When the last batch ended that left clients waiting.</summary>
    private long _backlogSeen;
    private long _end;
    private int _left;

    public AcceptBudget(MonotonicClock clock, int maxAccepts)
    {
        _clock = clock;
        _maxAccepts = maxAccepts;
        _batchUnits = clock.After(0, _batch);
        _untilDoubledUnits = clock.After(0, _untilDoubled);
        _quietUnits = clock.After(0, _quiet);
    }

    /// <summary>Begins a batch. It may have one client at least.</summary>
    public void Begin()
    {
        long now = _clock.Now;
        if (now - _backlogSeen >= _quietUnits)
        {
            EndBacklog();
        }

        long backlog = now - (_backlogStart ?? now);
        _end = now + (_batchUnits << (int)Math.Min(backlog / _untilDoubledUnits, Doublings));
        _left = _maxAccepts;
    }

    /// <summary>Counts a client.</summary>
    /// <returns>Whether the batch may have another one.</returns>
    public bool TryGoOn()
    {
        long now = _clock.Now;
        if (--_left > 0 && now < _end)
        {
            return true;
        }

        _backlogStart ??= now;
        _backlogSeen = now;
        return false;
    }

    /// <summary>Notes that nobody waits any more, or that those who wait are not to be accepted now.</summary>
    public void EndBacklog() => _backlogStart = null;
}

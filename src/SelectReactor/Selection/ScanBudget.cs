namespace SelectReactor.Selection;

/// <summary>
/// Decides how many slices of the cold sockets a wait may look at. A slice is earned each time that twenty times its
/// cost has gone by, so that looking takes about a twentieth of the thread, or sooner if a whole round would otherwise
/// take more than 50 ms. The cost is the least of the last measurements: a thread that was stopped during one of them
/// has not measured the slice.
/// </summary>
internal sealed class ScanBudget(TimeProvider clock)
{
    private const int ElapsedPerCost = 20;
    private const int MinElapsedPerCost = 2;
    private const int WaitPerCost = 50;
    private const int MinSlicesAtOnce = 10;
    private static readonly TimeSpan _maxRound = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _minMaxWait = TimeSpan.FromMilliseconds(100);
    private readonly long[] _costs = [.. Enumerable.Repeat(long.MaxValue, 8)];
    private readonly long _maxRoundInClockTicks = (long)(_maxRound.TotalSeconds * clock.TimestampFrequency);
    private int _measurements;
    private long _cost;
    private int _slicesInRound = 1;
    private long _elapsedPerSlice = 1;
    private long _now;
    private long _end;
    private long _sliceStart;
    private long _spentUntil;

    /// <summary>Whether a whole round is earned, so that a wait may be one for all sockets.</summary>
    public bool CoversRound => _now - _spentUntil >= _slicesInRound * _elapsedPerSlice;

    /// <summary>The time until that is so.</summary>
    public TimeSpan UntilRound =>
        clock.GetElapsedTime(_now - _spentUntil, _slicesInRound * _elapsedPerSlice);

    /// <summary>
    /// How many slices to look at now. Those that were earned while the loop waited are not all spent at once, until
    /// they make a round: a tick gets longer by about 0.1 ms or by a twentieth.
    /// </summary>
    public int Slices
    {
        get
        {
            long earned = (_now - _spentUntil) / _elapsedPerSlice;
            long earnedBusy = (_now - _end) / _elapsedPerSlice;
            return (int)(CoversRound ? earned : Math.Min(earned, Math.Max(earnedBusy, MinSlicesAtOnce)));
        }
    }

    /// <summary>
    /// The longest wait that is worth asking for in one system call: short enough to bound how late a timer is when
    /// signals prolong the wait, and long enough that an idle loop spends no more than a fiftieth of its time on
    /// looking.
    /// </summary>
    public TimeSpan MaxWait { get; private set; } = _minMaxWait;

    /// <summary>Begins a wait. No more than one round is ever earned.</summary>
    public void Begin(int slicesInRound)
    {
        _now = clock.GetTimestamp();
        _slicesInRound = slicesInRound;
        _elapsedPerSlice = Math.Max(
            Math.Min(ElapsedPerCost * _cost, _maxRoundInClockTicks / slicesInRound),
            Math.Max(MinElapsedPerCost * _cost, 1));
        _spentUntil = Math.Max(_spentUntil, _now - (slicesInRound * _elapsedPerSlice));
    }

    /// <summary>Ends a wait.</summary>
    public void End() => _end = clock.GetTimestamp();

    /// <summary>All sockets are asked for: nothing that was earned is left.</summary>
    public void SpendRound() => _spentUntil = _now;

    /// <summary>Spends a slice, and begins to measure it.</summary>
    public void BeginSlice()
    {
        _spentUntil += _elapsedPerSlice;
        _sliceStart = clock.GetTimestamp();
    }

    public void EndSlice()
    {
        _costs[_measurements++ % _costs.Length] = clock.GetTimestamp() - _sliceStart;
        _cost = _costs.Min();
        TimeSpan wait = WaitPerCost * clock.GetElapsedTime(0, _cost * _slicesInRound);
        MaxWait = wait > _minMaxWait ? wait : _minMaxWait;
    }
}

namespace SelectReactor.Selection;

/// <summary>
/// Decides how many slices of the cold sockets a wait may look at. A slice is earned each time that forty times its
/// cost has gone by, so that looking takes about a fortieth of the thread, or sooner if a whole round would otherwise
/// take more than <see cref="MaxRound"/>. The cost is the mean of the last measurements, since sockets that the
/// processor's cache has lost cost twice as much as others. Each counts as four times the least at most: a thread that
/// was stopped during one of them has not measured the slice. Before there are three, no slice is left out.
/// </summary>
internal sealed class ScanBudget(TimeProvider clock)
{
    private const int ElapsedPerCost = 40;
    private const int MinElapsedPerCost = 2;
    private const int WaitPerCost = 50;
    private const int MinSlicesAtOnce = 10;
    private const int Measurements = 8;
    private const int MinMeasurements = 3;
    private const int MaxPerLeast = 4;
    private static readonly TimeSpan _minMaxWait = TimeSpan.FromMilliseconds(100);
    private readonly long[] _costs = new long[Measurements];
    private int _measurements;
    private long _cost;
    private int _slicesInRound = 1;
    private long _elapsedPerSlice = 1;
    private long _now;
    private long _end;
    private long _sliceStart;
    private long _spentUntil;

    /// <summary>A round of all cold sockets takes no longer, except where it would use more than half of the
    /// thread.</summary>
    public TimeSpan MaxRound { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether a whole round is earned, so that a wait may be one for all sockets.</summary>
    public bool CoversRound => _now - _spentUntil >= _slicesInRound * _elapsedPerSlice;

    /// <summary>Whether a wait may be one for all sockets if the loop has nothing else to do and cold ones were active
    /// lately: such waits use half of the thread at most.</summary>
    public bool CoversIdleRound => _now - _spentUntil >= IdleRound;

    /// <summary>The time until <see cref="CoversRound"/>.</summary>
    public TimeSpan UntilRound =>
        clock.GetElapsedTime(_now - _spentUntil, _slicesInRound * _elapsedPerSlice);

    /// <summary>The time until <see cref="CoversIdleRound"/>.</summary>
    public TimeSpan UntilIdleRound => clock.GetElapsedTime(_now - _spentUntil, IdleRound);

    /// <summary>
    /// How many slices to look at now. Those that were earned while the loop waited are not all spent at once, until
    /// they make a round: a tick gets longer by about 0.3 ms or by a fortieth.
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

    private long IdleRound => _slicesInRound * Math.Min(_elapsedPerSlice, MinElapsedPerCost * _cost);

    /// <summary>Begins a wait. No more than one round is ever earned.</summary>
    public void Begin(int slicesInRound)
    {
        _now = clock.GetTimestamp();
        _slicesInRound = slicesInRound;
        long maxRound = (long)(MaxRound.TotalSeconds * clock.TimestampFrequency);
        _elapsedPerSlice = Math.Max(
            Math.Min(ElapsedPerCost * _cost, maxRound / slicesInRound),
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
        _costs[_measurements++ % Measurements] = clock.GetTimestamp() - _sliceStart;
        if (_measurements >= MinMeasurements)
        {
            _cost = Mean(_costs.AsSpan(0, Math.Min(_measurements, Measurements)));
        }

        TimeSpan wait = WaitPerCost * clock.GetElapsedTime(0, _cost * _slicesInRound);
        MaxWait = wait > _minMaxWait ? wait : _minMaxWait;
    }

    private static long Mean(ReadOnlySpan<long> costs)
    {
        long least = long.MaxValue;
        foreach (long cost in costs)
        {
            least = Math.Min(least, cost);
        }

        long sum = 0;
        foreach (long cost in costs)
        {
            sum += Math.Min(cost, MaxPerLeast * least);
        }

        return sum / costs.Length;
    }
}

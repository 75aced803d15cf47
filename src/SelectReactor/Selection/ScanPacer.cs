namespace SelectReactor.Selection;

/// <summary>
/// Decides when all sockets are asked for again, not only the hot ones: after ten times the cost of such a scan, so
/// that scanning takes about a tenth of the thread, and after 50 ms at most, so that a cold socket never waits
/// longer. The cost is the least of the last measurements: a thread that is stopped during one of them has not
/// measured the scan.
/// </summary>
internal sealed class ScanPacer(TimeProvider clock)
{
    private const int RestPerCost = 10;
    private const int WaitPerCost = 50;
    private const int ScansPerMeasurement = 16;
    private static readonly TimeSpan _maxRest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _minMaxWait = TimeSpan.FromMilliseconds(100);
    private readonly long[] _costs = [long.MaxValue, long.MaxValue, long.MaxValue];
    private readonly long _maxRestInClockTicks =
        (long)(_maxRest.TotalSeconds * clock.TimestampFrequency);

    private int _measurements;
    private long _scanStart;
    private long _nextScan;
    private long _cost;

    /// <summary>How many scans there were.</summary>
    public int Scans { get; private set; }

    /// <summary>Whether the next scan should not wait, so that its time is its cost.</summary>
    public bool IsMeasurementDue => Scans % ScansPerMeasurement == 0;

    /// <summary>
    /// The longest wait that is worth asking for in one system call: short enough to bound how late a timer is when
    /// signals prolong the wait, and long enough that an idle loop spends no more than a fiftieth of its time on
    /// scans.
    /// </summary>
    public TimeSpan MaxWait { get; private set; } = _minMaxWait;

    /// <summary>How long the cold members may still be left alone; zero when a scan is due.</summary>
    public TimeSpan UntilScan()
    {
        long now = clock.GetTimestamp();
        return now >= _nextScan ? TimeSpan.Zero : clock.GetElapsedTime(now, _nextScan);
    }

    public void BeginScan() => _scanStart = clock.GetTimestamp();

    public void EndScan(bool measured)
    {
        long now = clock.GetTimestamp();
        if (measured)
        {
            Measure(now - _scanStart);
        }

        Scans++;
        _nextScan = now + Math.Min(RestPerCost * _cost, _maxRestInClockTicks);
    }

    private void Measure(long cost)
    {
        _costs[_measurements++ % _costs.Length] = cost;
        _cost = _costs.Min();
        TimeSpan wait = WaitPerCost * clock.GetElapsedTime(0, _cost);
        MaxWait = wait > _minMaxWait ? wait : _minMaxWait;
    }
}

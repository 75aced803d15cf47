namespace SelectReactor.Selection;

/// <summary>
/// Says when a selector with a hot set must look at its cold members too: after ten times what the last such scan cost, so
/// that scanning takes at most a tenth of the thread and a cold member waits for a bounded time.
/// </summary>
internal sealed class ScanPacer(TimeProvider clock)
{
    private const int RestPerCost = 10;
    private const int ScansPerMeasurement = 16;
    private long _scanStart;
    private long _nextScan;
    private long _cost;

    /// <summary>How many scans there were.</summary>
    public int Scans { get; private set; }

    /// <summary>Whether the coming scan should not wait, so that its time is its cost.</summary>
    public bool IsMeasurementDue => Scans % ScansPerMeasurement == 0;

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
            _cost = now - _scanStart;
        }

        Scans++;
        _nextScan = now + (RestPerCost * _cost);
    }
}

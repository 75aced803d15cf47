using System.Diagnostics;
using HdrHistogram;

namespace SelectReactor.LoadTest.Load;

/// <summary>The stretch of time that is measured: clocks and counters at its two ends.</summary>
internal sealed class Meter(LoadOptions options)
{
    private readonly int _serverClock = options.ServerPid == 0 ? -1 : Libc.CpuClock(options.ServerPid);
    private readonly LongHistogram _nanoseconds = new(TimeSpan.FromMinutes(1).Ticks * 100, 3);
    private long _started;
    private double _serverCpu;
    private double _loadCpu;
    private long _allocated;

    /// <summary>Forgets the warm-up.</summary>
    public void Start()
    {
        _nanoseconds.Reset();
        _loadCpu = Libc.ReadClock(Libc.ProcessCpuTime);
        _serverCpu = Libc.ReadClock(_serverClock);
        _allocated = GC.GetAllocatedBytesForCurrentThread();
        _started = Stopwatch.GetTimestamp();
    }

    public void Record(long timestamps)
    {
        long nanoseconds = (long)(timestamps * (1e9 / Stopwatch.Frequency));
        _nanoseconds.RecordValue(Math.Min(nanoseconds, _nanoseconds.HighestTrackableValue));
    }

    public LoadResult Stop(long messages, long bytes)
    {
        double seconds = Stopwatch.GetElapsedTime(_started).TotalSeconds;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - _allocated;
        double serverCpu = Libc.ReadClock(_serverClock) - _serverCpu;
        double loadCpu = Libc.ReadClock(Libc.ProcessCpuTime) - _loadCpu;
        if (messages == 0)
        {
            throw new LoadTestException($"nothing came back in {seconds:F1} seconds");
        }

        return new LoadResult
        {
            Seconds = seconds,
            Messages = messages,
            Bytes = bytes,
            ServerCpuSeconds = double.IsNaN(serverCpu) ? null : serverCpu,
            LoadCpuSeconds = loadCpu,
            LoadAllocatedBytes = allocated,
            Latency = _nanoseconds.TotalCount == 0 ? null : Summarize(),
        };
    }

    private Latency Summarize() =>
        new(Percentile(50), Percentile(90), Percentile(99), Percentile(99.9), _nanoseconds.GetMaxValue() / 1e3);

    private double Percentile(double percentile) => _nanoseconds.GetValueAtPercentile(percentile) / 1e3;
}

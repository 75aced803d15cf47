using BenchmarkDotNet.Attributes;

namespace SelectReactor.Benchmarks;

/// <summary>Timers on a reactor that holds many of them already.</summary>
[MemoryDiagnoser]
public class TimerBenchmark
{
    private static readonly TimeSpan _longest = TimeSpan.FromHours(1);
    private Reactor _reactor = null!;
    private ReactorTimer _timer = null!;
    private Random _random = null!;

    [Params(10, 1_000, 100_000, 1_000_000)]
    public int Timers { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _random = new Random(1);
        _reactor = new Reactor();
        for (int i = 0; i < Timers; i++)
        {
            _timer = _reactor.Schedule(NextDue(), static () => { });
        }
    }

    [GlobalCleanup]
    public void CleanUp() => _reactor.Dispose();

    [Benchmark]
    public void AddAndCancel() => _reactor.Schedule(NextDue(), static () => { }).Cancel();

    [Benchmark]
    public void Change() => _timer.Change(NextDue());

    [Benchmark]
    public int Fire()
    {
        _reactor.Schedule(TimeSpan.Zero, static () => { });
        return _reactor.RunOnce(TimeSpan.Zero);
    }

    private TimeSpan NextDue() => TimeSpan.FromMinutes(5) + (_longest * _random.NextDouble());
}

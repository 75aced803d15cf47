using BenchmarkDotNet.Attributes;

namespace SelectReactor.Benchmarks;

/// <summary>Callbacks posted to a running reactor: by another thread, and by the reactor's own.</summary>
[MemoryDiagnoser]
public class PostBenchmark
{
    private const int Posts = 10_000;
    private readonly ManualResetEventSlim _done = new();
    private ReactorThread _thread = null!;
    private Action _count = null!;
    private Action _burst = null!;
    private int _left;

    [GlobalSetup]
    public void SetUp()
    {
        _thread = new ReactorThread();
        _count = () =>
        {
            if (--_left == 0)
            {
                _done.Set();
            }
        };
        _burst = () =>
        {
            for (int i = 0; i < Posts; i++)
            {
                _thread.Reactor.Post(_count);
            }
        };
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _thread.Dispose();
        _done.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Posts)]
    public void FromAnotherThread()
    {
        Begin();
        _burst();
        _done.Wait();
    }

    [Benchmark(OperationsPerInvoke = Posts)]
    public void FromTheReactor()
    {
        Begin();
        _thread.Reactor.Post(_burst);
        _done.Wait();
    }

    private void Begin()
    {
        _done.Reset();
        _left = Posts;
    }
}

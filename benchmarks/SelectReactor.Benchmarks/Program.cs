using BenchmarkDotNet.Running;
using SelectReactor.Benchmarks;

if (args is ["group-memory"])
{
    GroupBenchmark.PrintMemory();
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(EchoBenchmark).Assembly).Run(args);

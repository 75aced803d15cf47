using BenchmarkDotNet.Running;
using SelectReactor.Benchmarks;

BenchmarkSwitcher.FromAssembly(typeof(EchoBenchmark).Assembly).Run(args);

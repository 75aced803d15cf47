using CsCheck;
using SelectReactor.Soak.Workloads;

namespace SelectReactor.Testing.Tests;

/// <summary>What must hold for every workload, under every fault. Where one fails, CsCheck looks for a smaller one
/// that does.</summary>
public sealed class WorkloadTests
{
    private const int Workloads = 500;

    [Test]
    public void EveryWorkload_KeepsWhatIsPromised() => WorkloadGen.All.Sample(
        static workload => Run(workload), iter: Workloads, threads: 1, print: static workload => workload.ToString());

    [Test]
    public void SameWorkload_IsTheSameRun() => WorkloadGen.All.Sample(
        static workload =>
        {
            ulong first = Run(workload);
            Assert.That(Run(workload), Is.EqualTo(first));
        },
        iter: 50,
        threads: 1,
        print: static workload => workload.ToString());

    private static ulong Run(Workload workload)
    {
        using var network = new SimulatedNetwork(workload.Seed);
        WorkloadRun.Execute(network, workload);
        return network.Trace.Hash;
    }
}

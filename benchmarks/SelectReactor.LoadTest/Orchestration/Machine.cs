using System.Runtime.InteropServices;

namespace SelectReactor.LoadTest.Orchestration;

/// <summary>What the figures were measured on.</summary>
internal sealed record Machine(
    string Cpu, int Cores, double MemoryGiB, string Kernel, string Architecture, string DotNet)
{
    public static Machine Read() => new(
        ReadField("/proc/cpuinfo", "model name") ?? "unknown",
        Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30), 1),
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        $"{RuntimeInformation.ProcessArchitecture}".ToLowerInvariant(),
        $"{Environment.Version}");

    private static string? ReadField(string file, string name) => File.ReadLines(file)
        .Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Select(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())
        .FirstOrDefault();
}

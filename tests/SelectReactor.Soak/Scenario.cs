using System.Reflection;
using SelectReactor.Soak.Workloads;
using SelectReactor.Testing;

namespace SelectReactor.Soak;

/// <summary>Something that must hold on every seed.</summary>
internal sealed record Scenario(string Name, Action<SimulatedNetwork> Run)
{
    /// <summary>All of them: the random workload, and each public method of the classes of faults.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("Workload", static network => WorkloadRun.Execute(network, WorkloadGen.Of(network.Seed))),
        .. typeof(Scenario).Assembly.GetTypes()
            .Where(static type => type.Namespace == "SelectReactor.Soak.Faults" && type.IsAbstract && type.IsSealed)
            .OrderBy(static type => type.Name, StringComparer.Ordinal)
            .SelectMany(static type => type.GetMethods(BindingFlags.Public | BindingFlags.Static))
            .Select(static method => new Scenario(method.Name, method.CreateDelegate<Action<SimulatedNetwork>>())),
    ];

    public override string ToString() => Name;
}

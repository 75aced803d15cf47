using System.Reflection;
using SelectReactor.Testing;

namespace SelectReactor.Soak;

/// <summary>Something that must hold on every seed.</summary>
internal sealed record Scenario(string Name, Action<SimulatedNetwork> Run)
{
    /// <summary>All of them: each public method of the classes of faults is one.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        .. typeof(Scenario).Assembly.GetTypes()
            .Where(static type => type.Namespace == "SelectReactor.Soak.Faults" && type.IsAbstract && type.IsSealed)
            .OrderBy(static type => type.Name, StringComparer.Ordinal)
            .SelectMany(static type => type.GetMethods(BindingFlags.Public | BindingFlags.Static))
            .Select(static method => new Scenario(method.Name, method.CreateDelegate<Action<SimulatedNetwork>>())),
    ];

    public override string ToString() => Name;
}

namespace SelectReactor.Tests.Support;

/// <summary>The selectors that the suite runs over: a fixture that names <see cref="All"/> as its source runs once for
/// each.</summary>
public sealed class SelectorKind(string name, Func<ISelector> create)
{
    public static IEnumerable<SelectorKind> All { get; } =
        OperatingSystem.IsLinux() ? [Select, new("Epoll", EpollSelector.Create)] : [Select];

    private static SelectorKind Select => new("Select", static () => new SelectSelector());

    public Func<ISelector> Create => create;

    public override string ToString() => name;
}

namespace SelectReactor.Tests.Support;

/// <summary>The selectors that the suite runs over, each with its own kind of handle: a fixture that names
/// <see cref="All"/> as its source runs once for each.</summary>
public sealed class SelectorKind(string name, ReactorOptions options)
{
    public static IEnumerable<SelectorKind> All { get; } =
        OperatingSystem.IsLinux() ? [Select, new("Epoll", new ReactorOptions().UseEpoll())] : [Select];

    private static SelectorKind Select => new("Select", new ReactorOptions());

    public Func<ISelector> Create => options.SelectorFactory;

    public IHandleFactory Handles => options.HandleFactory;

    public override string ToString() => name;
}

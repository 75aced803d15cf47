namespace SelectReactor.Tests.Repository;

/// <summary>The files of the repository that these tests read.</summary>
internal static class Sources
{
    /// <summary>The repository's folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The C# files that people write: those of the packages, tests, samples and benchmarks.</summary>
    public static string[] All { get; } = [.. new[] { "src", "tests", "samples", "benchmarks" }.SelectMany(Below)];

    /// <summary>The C# files of the core.</summary>
    public static string[] Core { get; } = [.. Below("src/SelectReactor/")];

    /// <summary>The text of a file, whose path is relative to the repository.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>The paths of the C# files in a folder and those below it, relative to the repository.</summary>
    public static IEnumerable<string> Below(string folder) => Directory
        .EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
        .Select(static file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
        .Where(static file => !file.Split('/').Any(static part => part is "bin" or "obj"))
        .Order(StringComparer.Ordinal);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SelectReactor.sln")))
        {
            folder = folder.Parent
                ?? throw new DirectoryNotFoundException("SelectReactor.sln is not above the tests.");
        }

        return folder.FullName;
    }
}

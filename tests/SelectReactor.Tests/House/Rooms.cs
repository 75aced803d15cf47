using System.Text.RegularExpressions;

namespace SelectReactor.Tests.House;

/// <summary>The rooms (folders) below src/SelectReactor, their floors, and which of them each type lives in.</summary>
internal static partial class Rooms
{
    /// <summary>A room may use rooms of its own floor and of lower ones.</summary>
    public static IReadOnlyDictionary<string, int> Floors { get; } = new Dictionary<string, int>
    {
        ["Threading"] = 0,
        ["Selection"] = 0,
        ["Timing"] = 0,
        ["Buffers"] = 0,
        ["Dispatch"] = 1,
        ["Connections"] = 2,
        ["Endpoints"] = 3,
    };

    public static string Source { get; } = Path.Combine(Root(), "src", "SelectReactor");

    public static IEnumerable<string> Files => Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
        .Where(static file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}")
            && !file.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}"));

    /// <summary>The room of each type, by the type's name without its arity.</summary>
    public static IReadOnlyDictionary<string, string> OfTypes { get; } = Files
        .SelectMany(static file => Declaration().Matches(File.ReadAllText(file))
            .Select(match => (Type: match.Groups[1].Value, Room: RoomOf(file))))
        .Distinct()
        .ToDictionary(static pair => pair.Type, static pair => pair.Room);

    private static string RoomOf(string file) =>
        Path.GetRelativePath(Source, file).Split(Path.DirectorySeparatorChar)[0];

    // Types of a namespace begin at the margin; nested ones belong to the type around them.
    [GeneratedRegex(@"^(?:\[.*\]\n)?(?:(?:public|internal|abstract|sealed|static|partial|readonly|file) )*(?:class|interface|struct|record struct|record|enum) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    public static string Root()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SelectReactor.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("SelectReactor.sln is not above the tests.");
        }

        return folder.FullName;
    }
}

using System.Text.RegularExpressions;

namespace SelectReactor.Tests.Repository;

/// <summary>The folders of src/SelectReactor, the layer of each, and the folder of each type.</summary>
internal static partial class Layers
{
    private const string ModifierPattern = "public|internal|abstract|sealed|static|partial|readonly|file";

    private const string KindPattern = "class|interface|struct|record struct|record|enum";

    /// <summary>The layer of each folder. A folder may use those of its own layer and of lower ones.</summary>
    public static IReadOnlyDictionary<string, int> OfFolders { get; } = new Dictionary<string, int>
    {
        ["Threading"] = 0,
        ["Selection"] = 0,
        ["Timing"] = 0,
        ["Buffers"] = 0,
        ["Diagnostics"] = 0,
        ["Dispatch"] = 1,
        ["Connections"] = 2,
        ["Tls"] = 3,
        ["Endpoints"] = 4,
        ["Framing"] = 3,
        ["ProxyProtocol"] = 3,
        ["Datagrams"] = 5,
        ["Groups"] = 5,
        ["Broadcasting"] = 5,
        ["Clients"] = 5,
    };

    /// <summary>The folder of each type, by the type's name without its arity.</summary>
    public static IReadOnlyDictionary<string, string> FoldersOfTypes { get; } = Sources.Core
        .SelectMany(static file => Declaration().Matches(Sources.Read(file))
            .Select(match => (Type: match.Groups[1].Value, Folder: FolderOf(file))))
        .Distinct()
        .ToDictionary(static pair => pair.Type, static pair => pair.Folder);

    // src/SelectReactor/<folder>/<file>
    private static string FolderOf(string file) => file.Split('/')[2];

    // Types of a namespace begin at the margin; nested ones belong to the type around them.
    [GeneratedRegex(
        @$"^(?:\[.*\]\n)?(?:(?:{ModifierPattern}) )*(?:{KindPattern}) (\w+)",
        RegexOptions.Multiline)]
    private static partial Regex Declaration();
}

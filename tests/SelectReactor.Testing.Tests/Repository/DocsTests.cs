using System.Text.RegularExpressions;

namespace SelectReactor.Testing.Tests.Repository;

public sealed partial class DocsTests
{
    private static readonly string _root = FindRoot();
    private static readonly string _page = File.ReadAllText(Path.Combine(_root, "docs", "testing.md"));

    // What the compiler takes and the runner runs there can't be wrong here.
    [Test]
    public void EveryProgramOfThePage_IsOneOfTheGuidesTests()
    {
        string[] programs = [.. CSharp().Matches(_page).Select(static match => match.Groups[1].Value)];
        Assert.That(programs, Has.Length.GreaterThan(5));

        string guide = Path.Combine(_root, "tests", "SelectReactor.Testing.Tests", "Guide");
        string[] sources = [.. Directory.EnumerateFiles(guide, "*.cs").Select(File.ReadAllText).Select(Unindented)];
        Assert.That(programs.Where(program => !sources.Any(source => source.Contains(Unindented(program)))), Is.Empty);
    }

    [Test]
    public void EveryOption_IsOnThePage() => Assert.That(
        typeof(SimulatedNetworkOptions).GetProperties()
            .Where(static property => property.CanWrite)
            .Select(static property => property.Name)
            .Where(static name => !_page.Contains($"| `{name}` |")),
        Is.Empty);

    [Test]
    public void EveryMemberThatThePageNames_Exists()
    {
        var types = new Dictionary<string, Type>
        {
            ["network"] = typeof(SimulatedNetwork),
            ["SimulatedNetwork"] = typeof(SimulatedNetwork),
            ["host"] = typeof(SimulatedHost),
            ["Clock"] = typeof(SimulatedClock),
        };
        string[] missing =
        [
            .. Member().Matches(_page)
                .Where(match => types[match.Groups[1].Value].GetMember(match.Groups[2].Value).Length == 0)
                .Select(static match => match.Value)
                .Distinct(),
        ];

        Assert.That(missing, Is.Empty);
    }

    private static string Unindented(string text) =>
        string.Join('\n', text.Trim().Split('\n').Select(static line => line.Trim()));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SelectReactor.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException(
                "SelectReactor.sln is not above the tests.");
        }

        return folder.FullName;
    }

    [GeneratedRegex("^```csharp\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"`(network|SimulatedNetwork|host|Clock)\.(\w+)")]
    private static partial Regex Member();
}

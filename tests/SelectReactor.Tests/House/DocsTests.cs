using System.Text.RegularExpressions;

namespace SelectReactor.Tests.House;

public sealed partial class DocsTests
{
    [Test]
    public void EveryTestThatThePageOnReliabilityNames_Exists()
    {
        string page = File.ReadAllText(Path.Combine(Rooms.Root(), "docs", "reliability.md"));
        string[] named = [.. TestName().Matches(page).Select(static match => match.Value).Distinct()];
        Assert.That(named, Has.Length.GreaterThan(50));

        string[] missing = [.. named.Where(static name => !Exists(name.Trim('`').Split('.')))];
        Assert.That(missing, Is.Empty);
    }

    private static bool Exists(string[] name) =>
        Directory.EnumerateFiles(Path.Combine(Rooms.Root(), "tests"), $"{name[0]}.cs", SearchOption.AllDirectories)
            .Any(file => Regex.IsMatch(File.ReadAllText(file), $@"\b(void|Task) {name[1]}\("));

    [GeneratedRegex(@"`\w+Tests\.\w+`")]
    private static partial Regex TestName();
}

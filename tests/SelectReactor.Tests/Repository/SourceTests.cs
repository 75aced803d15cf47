namespace SelectReactor.Tests.Repository;

/// <summary>The rules of CONTRIBUTING.md that a program can check.</summary>
public sealed class SourceTests
{
    private const int MaxLineLength = 119;
    private const int MaxLines = 299;

    /// <summary>One fixture says all about one thing.</summary>
    private const int MaxLinesOfTests = 499;

    [Test]
    public void EveryLine_FitsTheWidth()
    {
        Assert.That(Sources.All, Has.Length.GreaterThan(200));
        Assert.That(
            Sources.All.SelectMany(static file => Sources.Read(file).Split('\n')
                .Index()
                .Where(static line => line.Item.TrimEnd('\r').Length > MaxLineLength)
                .Select(line => $"{file}:{line.Index + 1}")),
            Is.Empty);
    }

    [Test]
    public void EveryFile_CanBeReadInOneGo() =>
        Assert.That(
            Sources.All
                .Select(static file => (File: file, Lines: Sources.Read(file).TrimEnd('\n').Split('\n').Count(IsCode)))
                .Where(static file => file.Lines > (IsTest(file.File) ? MaxLinesOfTests : MaxLines)),
            Is.Empty,
            "files with too many lines that are not doc comments");

    // One such call moves a socket into the runtime's own loop, and its completions come on other threads.
    [TestCaseSource(typeof(Sources), nameof(Sources.Core))]
    public void Core_CallsNoSocketAsynchronously(string file)
    {
        string source = Sources.Read(file);

        Assert.That(source, Does.Not.Match(@"\.(Receive|Send|Accept|Disconnect)(From|To)?Async\b"));
        Assert.That(source, Does.Not.Contain("SocketAsyncEventArgs"));
    }

    [TestCaseSource(typeof(Sources), nameof(Sources.Core))]
    public void Core_IsManaged(string file)
    {
        string source = Sources.Read(file);

        Assert.That(source, Does.Not.Contain("DllImport").And.Not.Contain("LibraryImport"));
        Assert.That(source, Does.Not.Match(@"\bunsafe\b"));
    }

    private static bool IsTest(string file) => file.StartsWith("tests/", StringComparison.Ordinal);

    private static bool IsCode(string line) => !line.TrimStart().StartsWith("///", StringComparison.Ordinal);
}

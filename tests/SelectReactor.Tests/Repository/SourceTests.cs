namespace SelectReactor.Tests.Repository;

/// <summary>The rules of CONTRIBUTING.md that a program can check.</summary>
public sealed class SourceTests
{
    private const int MaxLines = 299;

    [Test]
    public void EveryFile_CanBeReadInOneGo() =>
        Assert.That(
            Sources.Core
                .Select(static file => (File: file, Lines: Sources.Read(file).Split('\n').Count(IsCode)))
                .Where(static file => file.Lines > MaxLines),
            Is.Empty,
            "files with too many lines that are not doc comments");

    // One such call moves a socket into the runtime's own loop, and its completions come on other threads.
    [TestCaseSource(typeof(Sources), nameof(Sources.Core))]
    public void Core_CallsNoSocketAsynchronously(string file)
    {
        string source = Sources.Read(file);

        Assert.That(source, Does.Not.Match(@"\b(Receive|Send|Accept|Disconnect)(From|To)?Async\b"));
        Assert.That(source, Does.Not.Contain("SocketAsyncEventArgs"));
    }

    [TestCaseSource(typeof(Sources), nameof(Sources.Core))]
    public void Core_IsManaged(string file)
    {
        string source = Sources.Read(file);

        Assert.That(source, Does.Not.Contain("DllImport").And.Not.Contain("LibraryImport"));
        Assert.That(source, Does.Not.Match(@"\bunsafe\b"));
    }

    private static bool IsCode(string line) => !line.TrimStart().StartsWith("///", StringComparison.Ordinal);
}

namespace SelectReactor.Tests.House;

public sealed class SourceTests
{
    private const int MostLines = 300;

    [TestCaseSource(typeof(Rooms), nameof(Rooms.Files))]
    public void File_CanBeReadInOneGo(string file)
    {
        int lines = File.ReadLines(file).Count(static line => !line.TrimStart().StartsWith("///", StringComparison.Ordinal));

        Assert.That(lines, Is.LessThanOrEqualTo(MostLines), "lines that are not doc comments");
    }

    // One such call moves a socket into the runtime's own loop, and its completions come on other threads.
    [TestCaseSource(typeof(Rooms), nameof(Rooms.Files))]
    public void Core_CallsNoSocketAsynchronously(string file)
    {
        string source = File.ReadAllText(file);

        Assert.That(source, Does.Not.Match(@"\b(Receive|Send|Accept|Disconnect)(From|To)?Async\b").And.Not.Contain("SocketAsyncEventArgs"));
    }

    [TestCaseSource(typeof(Rooms), nameof(Rooms.Files))]
    public void Core_IsManaged(string file)
    {
        string source = File.ReadAllText(file);

        Assert.That(source, Does.Not.Contain("DllImport").And.Not.Contain("LibraryImport").And.Not.Match(@"\bunsafe\b"));
    }
}

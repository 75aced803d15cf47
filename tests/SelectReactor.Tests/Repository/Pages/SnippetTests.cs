namespace SelectReactor.Tests.Repository.Pages;

/// <summary>Every block of C# on the pages compiles.</summary>
public sealed class SnippetTests
{
    private static readonly string[] _pages =
    [
        .. new[] { "docs", "src", "samples" }
            .SelectMany(static folder => Directory.EnumerateFiles(
                Path.Combine(Sources.Root, folder), "*.md", SearchOption.AllDirectories))
            .Select(static file => Path.GetRelativePath(Sources.Root, file).Replace('\\', '/'))
            .Where(static file => !file.Split('/').Any(static part => part is "bin" or "obj"))
            .Prepend("README.md")
            .Order(StringComparer.Ordinal),
    ];

    [TestCaseSource(nameof(_pages))]
    public void EveryBlockOfThePage_Compiles(string page)
    {
        string text = Sources.Read(page);
        Assert.That(text, Does.Not.Contain("```cs\n").And.Not.Contain("```c#").IgnoreCase, "blocks not found");
        Assert.That(Errors(text, page), Is.Empty);
    }

    [Test]
    public void TheBlocks_AreFound() =>
        Assert.That(_pages.Sum(static page => Snippet.Of(page, Sources.Read(page)).Count), Is.GreaterThan(15));

    [TestCase("using SelectReactor;\nusing var reactor = new Reactor();\nreactor.Run();", TestName = "a program")]
    [TestCase("using SelectReactor;\nclass Owner { public Reactor? Reactor { get; set; } }",
        TestName = "a file of types")]
    [TestCase("connection.Output.Write(new byte[1]);", TestName = "statements")]
    [TestCase("var reactor = new Reactor(); reactor.Run();", TestName = "statements with a variable of their own")]
    [TestCase("await reactor.ShutdownAsync(TimeSpan.Zero);", TestName = "statements that await")]
    [TestCase("[Test]\npublic void One() => Assert.Pass();", TestName = "members")]
    [TestCase("class One { public IPAddress? Address { get; set; } }", TestName = "types")]
    [TestCase("void Twice() { } Twice(); class Two { }", TestName = "statements and types")]
    public void CodeThatCompiles_HasNoErrors(string code) =>
        Assert.That(Errors($"```csharp\n{code}\n```\n"), Is.Empty);

    [TestCase("reactor.Walk();", "CS1061", TestName = "an unknown member")]
    [TestCase("connection.Close(", "CS1026", TestName = "a syntax error")]
    [TestCase("var next = await reactor.ShutdownAsync(TimeSpan.Zero);", "CS0815", TestName = "no value")]
    [TestCase("using SelectReactor;\nvar end = new IPEndPoint(0, 1);", "CS0246", TestName = "a file without a using")]
    [TestCase("using SelectReactor;\nint unused;", "CS0168", TestName = "a warning in a file")]
    [TestCase("[Test]\npublic void One() => Assert.Paint();", "CS0117", TestName = "an error in a member")]
    [TestCase("class One : IConnectionHandler { }", "CS0535", TestName = "a type that implements half")]
    public void CodeThatDoesNotCompile_IsFound(string code, string error)
    {
        string[] errors = [.. Errors($"# Page\n\n```csharp\n{code}\n```\n")];

        Assert.That(errors, Is.Not.Empty);
        Assert.That(errors[0], Does.StartWith($"page.md, line 4: {error}: "));
    }

    [TestCase("reactor.Post(async () => await Task.Delay(1));", "SR0001: ", TestName = "a rule of the library")]
    [TestCase("reactor.Post(() => { }); // SR0001", "not reported: SR0001: ", TestName = "a mark without a report")]
    public void CodeThatTheRulesReport_IsFound(string code, string error) =>
        Assert.That(Errors($"```csharp\n{code}\n```\n"), Has.One.StartsWith($"page.md, line 2: {error}"));

    [Test]
    public void AMarkedReport_IsRight() =>
        Assert.That(Errors("```csharp\nreactor.Post(async () => await Task.Delay(1)); // SR0001\n```\n"), Is.Empty);

    [Test]
    public void ABlock_SeesTheTypesAndMethodsOfItsPage_AndTheNearestOfThemAbove()
    {
        const string page = """
            ```csharp
            Two.Second();
            Third();
            ```

            ```csharp
            class Two { public static void First() { } }
            ```

            ```csharp
            class Two { public static void Second() { } }
            ```

            ```csharp
            Two.Second();
            ```

            ```csharp
            private static void Third() { }
            ```

            """;
        string[] errors = [.. Errors(page)];

        Assert.That(errors, Has.Length.EqualTo(1));
        Assert.That(errors[0], Does.StartWith("page.md, line 2: CS0117: "));
    }

    private static IEnumerable<string> Errors(string text, string page = "page.md")
    {
        IReadOnlyList<Snippet> snippets = Snippet.Of(page, text);
        return snippets.SelectMany(snippet => SnippetCompiler.Compile(snippet, snippets));
    }
}

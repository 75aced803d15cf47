using System.Buffers;
using System.Collections;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Tests.Repository;

/// <summary>
/// The pages name only code that exists. The tests look up each word in backticks that is written like a type
/// (<c>Reactor</c>), a member (<c>Reactor.Tick</c>, also an internal one), a path (<c>src/SelectReactor</c>), a folder
/// (<c>Timing/</c>) or a file (<c>Reactor.cs</c>), and each member in a diagram.
/// </summary>
public sealed partial class DocNameTests
{
    private const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.FlattenHierarchy;

    private static readonly Type[] _ours =
    [
        .. typeof(Reactor).Assembly.GetTypes(),
        .. typeof(EpollSelector).Assembly.GetTypes(),
        .. typeof(Testing.SimulatedNetwork).Assembly.GetTypes(),
        .. typeof(HostedReactor).Assembly.GetTypes(),
        .. typeof(SelectReactorTransportOptions).Assembly.GetTypes(),
    ];

    /// <summary>Members of these are named without their type.</summary>
    private static readonly Type[] _wellKnown =
    [
        typeof(Task), typeof(HttpContext), typeof(HttpRequest), typeof(KestrelServerLimits),
        typeof(SocketTransportOptions),
        typeof(WebHostBuilderKestrelExtensions), typeof(WebHostBuilderSocketExtensions),
    ];

    private static readonly ILookup<string, Type> _types = _ours
        .Concat(
            new[]
            {
                typeof(object), typeof(Socket), typeof(IPAddress), typeof(Dns), typeof(PipeReader), typeof(ILogger),
                typeof(ReadOnlySequence<>), typeof(BitArray), typeof(ConcurrentDictionary<,>), typeof(SslStream),
                typeof(GZipStream), typeof(JsonSerializer), typeof(Console), typeof(IConnectionFactory),
                typeof(HttpRequest),
            }.SelectMany(static type => type.Assembly.GetExportedTypes()))
        .ToLookup(static type => type.Name.Split('`')[0]);

    private static readonly HashSet<string> _members =
    [
        .. _ours.Concat(_wellKnown).SelectMany(static type => type.GetMembers(Any)).Select(
            static member => member.Name),
    ];

    private static readonly string[] _pages =
    [
        "README.md",
        "CONTRIBUTING.md",
        "samples/README.md",
        .. Directory.EnumerateFiles(Path.Combine(Sources.Root, "docs"), "*.md")
            .Select(static file => $"docs/{Path.GetFileName(file)}")
            .Order(StringComparer.Ordinal),
    ];

    [TestCaseSource(nameof(_pages))]
    public void EveryNameOfThePage_Exists(string page)
    {
        string text = Sources.Read(page);
        Assert.That(Names(text).Where(name => !Exists(name) && !IsDeclaredIn(text, name)), Is.Empty);
    }

    [TestCaseSource(nameof(_pages))]
    public void EveryLinkOfThePage_LeadsSomewhere(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Sources.Root, page))!;
        Assert.That(
            Links(Sources.Read(page)).Where(link => !Path.Exists(Path.Combine(folder, link))), Is.Empty);
    }

    [Test]
    public void ALink_IsFound_WithoutItsFragment() =>
        Assert.That(
            Links("See [a](a.md), [b](../b/c.md#d), ![c](c.svg) and [e](https://example.org/e), or [d](#d)."),
            Is.EqualTo(new[] { "a.md", "../b/c.md", "c.svg" }));

    [TestCase("Reactor", true)]
    [TestCase("Reactor.RunOnce", true)]
    [TestCase("Reactor.RunOnce(timeout)", true)]
    [TestCase("StreamConnection", true)]
    [TestCase("Socket.Select", true)]
    [TestCase("List<T>", true)]
    [TestCase("src/SelectReactor/Selection/", true)]
    [TestCase("Selection/", true)]
    [TestCase("SelectSelector.cs", true)]
    [TestCase("SourceTests.Core_IsManaged", true)]
    [TestCase("Reactor.Walk", false)]
    [TestCase("EventPump", false)]
    [TestCase("src/SelectReactor/Attic/", false)]
    [TestCase("Attic/", false)]
    [TestCase("Attic.cs", false)]
    [TestCase("SourceTests.NoSuchTest", false)]
    [TestCase("JsonSerializer", true)]
    public void ANameThatDoesNotExist_IsFound(string name, bool exists)
    {
        Assert.That(Names($"See `{name}`."), Is.EqualTo(new[] { name }));
        Assert.That(Exists(name), Is.EqualTo(exists));
    }

    [Test]
    public void ANameInADiagram_IsFound() =>
        Assert.That(
            Names("```mermaid\nA[Reactor.Walk] --> B[wait, then Dispatch]\n```\n```sh\nNot.Looked at\n```\n"),
            Is.EqualTo(new[] { "Reactor.Walk" }));

    [TestCase("One", true)]
    [TestCase("Two", false)]
    public void ATypeOfThePagesOwnCode_IsDeclared(string name, bool isDeclared) =>
        Assert.That(IsDeclaredIn("```csharp\nsealed class One { }\n```\n", name), Is.EqualTo(isDeclared));

    private static bool IsDeclaredIn(string page, string name) =>
        Regex.IsMatch(page, $@"\b(class|record|struct|interface|enum) {Regex.Escape(name)}\b");

    private static IEnumerable<string> Links(string page) => Link().Matches(page)
        .Select(static match => match.Groups[1].Value.Split('#')[0])
        .Where(static link => link.Length > 0 && !link.Contains("://"));

    private static IEnumerable<string> Names(string page)
    {
        IEnumerable<string> inDiagrams = Diagram().Matches(page)
            .SelectMany(static diagram => MemberName().Matches(diagram.Value))
            .Select(static match => match.Value);
        return CodeSpan().Matches(Fence().Replace(page, ""))
            .Select(static match => match.Groups[1].Value)
            .Where(IsName)
            .Concat(inDiagrams)
            .Distinct();
    }

    private static bool IsName(string code) =>
        Name().IsMatch(code) || RepositoryPath().IsMatch(code) || Folder().IsMatch(code);

    // Without a type of that name, Clock.Leap is a member of what a property returns.
    private static bool Exists(string code)
    {
        if (RepositoryPath().IsMatch(code))
        {
            string path = Path.Combine(Sources.Root, code);
            return File.Exists(path) || Directory.Exists(path);
        }

        if (Folder().IsMatch(code))
        {
            return Sources.Below("src").Any(file => file.Contains($"/{code}"));
        }

        if (code.EndsWith(".cs", StringComparison.Ordinal))
        {
            return Sources.All.Any(file => Path.GetFileName(file) == code);
        }

        string[] name = Name().Match(code).Groups[1].Value.Split('.');
        return Directory.Exists(Path.Combine(Sources.Root, "src", code))
            || (name.Length == 1 ? IsType(name[0]) || _members.Contains(name[0]) : IsMember(name[0], name[1]))
            || (name.Length == 2 && !IsType(name[0]) && name.All(_members.Contains));
    }

    private static bool IsType(string name) => _types.Contains(name) || FilesOf(name).Any();

    private static bool IsMember(string type, string member) =>
        _types[type].Any(found => HasMember(found, member))
        || FilesOf(type).Any(file => Regex.IsMatch(Sources.Read(file), $@"\b{member}\b"));

    private static bool HasMember(Type type, string member) =>
        type.GetMember(member, MemberTypes.All, Any).Length > 0
        || type.GetInterfaces().Any(inherited => inherited.GetMember(member).Length > 0);

    // Types of the tests, samples and benchmarks, and of packages that this project does not refer to.
    private static IEnumerable<string> FilesOf(string type) =>
        Sources.All.Where(file => Path.GetFileName(file).Split('.')[0] == type);

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("^```mermaid\n.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Diagram();

    [GeneratedRegex(@"\]\(([^()\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"\b[A-Z]\w*\.[A-Z]\w*\b")]
    private static partial Regex MemberName();

    [GeneratedRegex("^[A-Z][A-Za-z]+/$")]
    private static partial Regex Folder();

    // A name has a small letter: GET and RESP are words of protocols.
    [GeneratedRegex(@"^([A-Z]\w*[a-z]\w*(?:\.[A-Za-z_]\w*)?)(?:<\w+>)?(?:\([^()]*\))?$")]
    private static partial Regex Name();

    [GeneratedRegex(@"^(?:src|tests|samples|benchmarks|docs|\.ci)/[\w./-]*$")]
    private static partial Regex RepositoryPath();
}

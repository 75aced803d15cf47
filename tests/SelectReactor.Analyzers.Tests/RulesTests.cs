using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Diagnostics;

namespace SelectReactor.Analyzers.Tests;

public sealed class RulesTests
{
    private static readonly DirectoryInfo _root = FindRoot();
    private static readonly string _page = File.ReadAllText(Path.Combine(_root.FullName, "docs", "analyzers.md"));

    public static DiagnosticDescriptor[] All { get; } =
    [
        .. typeof(Rules).Assembly.GetTypes()
            .Where(static type => !type.IsAbstract && type.IsAssignableTo(typeof(DiagnosticAnalyzer)))
            .SelectMany(static type => ((DiagnosticAnalyzer)Activator.CreateInstance(type)!).SupportedDiagnostics)
            .OrderBy(static rule => rule.Id, StringComparer.Ordinal),
    ];

    [Test]
    public void Rules_HaveIdsOfTheirOwn()
    {
        Assert.That(All, Has.Length.EqualTo(9));
        Assert.That(All.Select(static rule => rule.Id), Is.Unique);
    }

    // An editor opens the link: the page of this repository, at the section of the rule.
    [TestCaseSource(nameof(All))]
    public void TheLinkOfARule_LeadsToItsSection(DiagnosticDescriptor rule)
    {
        string url = XDocument.Load(Path.Combine(_root.FullName, "Directory.Build.props"))
            .Descendants("ProjectUrl").Single().Value;
        string anchor = rule.Id.ToLowerInvariant();
        string[] section = _page.Split('\n').SkipWhile(line => line != $"## {rule.Id}").Take(20).ToArray();

        Assert.Multiple(() =>
        {
            Assert.That(rule.HelpLinkUri, Is.EqualTo($"{url}/blob/main/docs/analyzers.md#{anchor}"));
            Assert.That(section, Is.Not.Empty, "The page has no such section.");
            Assert.That(_page, Does.Contain($"| [{rule.Id}](#{anchor}) |"), "The table does not list the rule.");
            Assert.That(rule.IsEnabledByDefault && rule.DefaultSeverity == DiagnosticSeverity.Warning);
        });
    }

    [Test]
    public void ThePage_HasNoSectionOfAnotherRule() => Assert.That(
        _page.Split('\n').Where(static line => line.StartsWith("## SR", StringComparison.Ordinal)),
        Is.EqualTo(All.Select(static rule => $"## {rule.Id}")));

    [Test]
    public void Fixes_AreForRulesThatExist()
    {
        CodeFixProvider[] fixes =
        [
            .. typeof(BlockingFix).Assembly.GetTypes()
                .Where(static type => !type.IsAbstract && type.IsAssignableTo(typeof(CodeFixProvider)))
                .Select(static type => (CodeFixProvider)Activator.CreateInstance(type)!),
        ];

        Assert.That(
            fixes.SelectMany(static fix => fix.FixableDiagnosticIds),
            Is.EquivalentTo(new[] { Rules.Blocking.Id, Rules.NeverCalled.Id }));
        Assert.That(fixes.Select(static fix => fix.GetFixAllProvider()), Has.None.Null);
    }

    private static DirectoryInfo FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SelectReactor.sln")))
        {
            folder = folder.Parent
                ?? throw new DirectoryNotFoundException("SelectReactor.sln is not above the tests.");
        }

        return folder;
    }
}

using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace SelectReactor.Tests.Repository.Pages;

/// <summary>A block of C# on a page.</summary>
internal sealed partial class Snippet
{
    private Snippet(string page, int line, string code)
    {
        Page = page;
        Line = line;
        Code = code;
        Root = CSharpSyntaxTree.ParseText(code, SnippetCompiler.Language).GetCompilationUnitRoot();
    }

    /// <summary>The page's path in the repository.</summary>
    public string Page { get; }

    /// <summary>The number of the block's first line on the page.</summary>
    public int Line { get; }

    public string Code { get; }

    /// <summary>The code as a file of its own.</summary>
    public CompilationUnitSyntax Root { get; }

    /// <summary>Whether the reader copies it as a whole file: it begins with its own <c>using</c> lines.</summary>
    public bool IsFile => Root.Usings.Count > 0;

    /// <summary>The declared types by name.</summary>
    public IEnumerable<(string Name, string Code)> Types => Root.Members.OfType<BaseTypeDeclarationSyntax>()
        .Select(static type => (type.Identifier.Text, type.ToFullString()));

    /// <summary>The blocks of a page.</summary>
    public static IReadOnlyList<Snippet> Of(string page, string text) =>
    [
        .. Block().Matches(text).Select(match => new Snippet(
            page, text.AsSpan(0, match.Groups[1].Index).Count('\n') + 1, match.Groups[1].Value)),
    ];

    public override string ToString() => $"{Page}, line {Line}";

    [GeneratedRegex("^```csharp\r?\n(.*?)^```\r?$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}

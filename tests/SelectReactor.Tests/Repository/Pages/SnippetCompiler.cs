using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace SelectReactor.Tests.Repository.Pages;

/// <summary>
/// Compiles a block of a page as its reader would use it. A block that begins with <c>using</c> lines is a whole file
/// and gets no others than those of the project template. Any other block is a fragment: types, statements, or
/// members of a class. It also sees the types and methods of the page's other blocks, and objects with well-known
/// names, such as <c>connection</c>.
/// </summary>
internal static class SnippetCompiler
{
    private const string TemplateUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private const string FragmentUsings = """
        using System.Buffers;
        using System.IO.Pipelines;
        using System.Net;
        using System.Net.Security;
        using System.Net.Sockets;
        using System.Runtime.InteropServices;
        using System.Security.Cryptography.X509Certificates;
        using System.Text;
        using Microsoft.Extensions.Configuration;
        using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Logging;
        using NUnit.Framework;
        using SelectReactor;
        using SelectReactor.Testing;

        """;

    // What a fragment may use without declaring it. It may also declare a local variable of the same name.
    private const string WellKnown = """
        abstract class Game
        {
            public abstract bool IsRunning { get; }
            public abstract void Update();
            public abstract void WaitForNextFrame();
        }

        partial class Fragment
        {
            static Reactor reactor = null!;
            static ReactorThread thread = null!;
            static Connection connection = null!;
            static Listener listener = null!;
            static IConnectionHandler handler = null!;
            static ILogger logger = null!;
            static EndPoint endPoint = null!;
            static X509Certificate2 certificate = null!;
            static Game game = null!;
            static CancellationToken cancellationToken;
        }
        """;

    // A fragment leaves out what is not its subject: unused variables, functions and fields.
    private static readonly string[] _ignoredInFragments =
        ["CS0168", "CS0169", "CS0219", "CS0414", "CS0649", "CS1998", "CS8321"];

    // All that the test run has loaded or could load: the framework, the library's packages and NUnit.
    private static readonly MetadataReference[] _references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(static file => MetadataReference.CreateFromFile(file)),
    ];

    public static CSharpParseOptions Language { get; } = new(LanguageVersion.CSharp14);

    /// <summary>The compiler's errors and warnings; none if the block compiles.</summary>
    /// <param name="snippet">The block.</param>
    /// <param name="page">All blocks of its page.</param>
    public static IReadOnlyList<string> Compile(Snippet snippet, IReadOnlyList<Snippet> page) =>
        snippet.IsFile
            ? Compile(snippet, Declarations(snippet, page), snippet.Root.ToFullString(), [])
            : Forms(snippet)
                .Select(form => Compile(snippet, Declarations(snippet, page), form, _ignoredInFragments))
                .MinBy(static errors => errors.Count)!;

    private static IEnumerable<string> Forms(Snippet snippet)
    {
        string types = string.Concat(snippet.Types.Select(static type => type.Code));
        string rest = string.Concat(snippet.Root.Members
            .Where(static member => member is not BaseTypeDeclarationSyntax)
            .Select(static member => member.ToFullString()));
        if (rest.Length == 0)
        {
            return [FragmentUsings + types];
        }

        string modifier = Awaits(snippet.Root) ? "async Task" : "void";
        return
        [
            $"{FragmentUsings}partial class Fragment\n{{\n{modifier} Statements()\n{{\n{rest}\n}}\n}}\n{types}",
            $"{FragmentUsings}partial class Fragment\n{{\n{rest}\n}}\n{types}",
        ];
    }

    // Outside of functions of its own.
    private static bool Awaits(CompilationUnitSyntax root) => root
        .DescendantNodes(static node =>
            node is not (AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax
                or BaseTypeDeclarationSyntax))
        .Any(static node => node is AwaitExpressionSyntax
            or CommonForEachStatementSyntax { AwaitKeyword.RawKind: not 0 }
            or UsingStatementSyntax { AwaitKeyword.RawKind: not 0 }
            or LocalDeclarationStatementSyntax { AwaitKeyword.RawKind: not 0 });

    // Of several blocks that declare a type of one name, the nearest one above counts, else the first below.
    private static string Declarations(Snippet snippet, IReadOnlyList<Snippet> page)
    {
        IEnumerable<Snippet> others = page.Where(other => other.Line < snippet.Line)
            .Reverse()
            .Concat(page.Where(other => other.Line > snippet.Line));
        HashSet<string> names = [.. snippet.Types.Select(static type => type.Name)];
        string types = string.Concat(others
            .SelectMany(static other => other.Types)
            .Where(type => names.Add(type.Name))
            .Select(static type => type.Code));

        names = [.. Methods(snippet).Select(static method => method.Name)];
        string methods = string.Concat(others
            .SelectMany(Methods)
            .Where(method => names.Add(method.Name))
            .Select(static method => method.Code));
        return $"{FragmentUsings}{WellKnown}\npartial class Fragment\n{{\n{methods}\n}}\n{types}";
    }

    // Only methods that are written as members: a local function is part of its block's statements.
    private static IEnumerable<(string Name, string Code)> Methods(Snippet snippet) => snippet.Root.Members
        .OfType<GlobalStatementSyntax>()
        .Select(static member => member.Statement)
        .OfType<LocalFunctionStatementSyntax>()
        .Where(static function => function.AttributeLists.Count > 0 || function.Modifiers.Any(
            static modifier => modifier.RawKind is (int)SyntaxKind.PublicKeyword or (int)SyntaxKind.PrivateKeyword))
        .Select(static function => (function.Identifier.Text, function.ToFullString()));

    private static List<string> Compile(Snippet snippet, string declarations, string code, string[] ignored)
    {
        SyntaxTree tree = Parse(code, "block");
        bool isProgram = tree.GetCompilationUnitRoot().Members.Any(static member => member is GlobalStatementSyntax);
        var compilation = CSharpCompilation.Create(
            "Page",
            [tree, Parse(declarations, "page"), Parse(TemplateUsings, "template")],
            _references,
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
                nullableContextOptions: NullableContextOptions.Enable));
        List<string> errors =
        [
            .. compilation.GetDiagnostics()
                .Where(error => error.Severity == DiagnosticSeverity.Error
                    || (error.Severity == DiagnosticSeverity.Warning
                        && error.Location.SourceTree == tree
                        && !ignored.Contains(error.Id)))
                .Select(error => Describe(error, snippet)),
        ];
        if (errors.Count == 0)
        {
            errors.AddRange(SnippetRules.Check(compilation, tree).Select(error => $"{snippet}: {error}"));
        }

        return errors;
    }

    private static SyntaxTree Parse(string code, string file) => CSharpSyntaxTree.ParseText(code, Language, file);

    // The block's text is put between other lines, so the error is shown with its line.
    private static string Describe(Diagnostic error, Snippet snippet)
    {
        string message = $"{snippet}: {error.Id}: {error.GetMessage(CultureInfo.InvariantCulture)}";
        if (error.Location.SourceTree is not { } tree)
        {
            return message;
        }

        TextLine line = tree.GetText().Lines[error.Location.GetLineSpan().StartLinePosition.Line];
        return $"{message}\n    {tree.FilePath}: {line.ToString().Trim()}";
    }
}

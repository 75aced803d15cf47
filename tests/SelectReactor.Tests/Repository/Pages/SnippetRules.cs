using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using SelectReactor.Analyzers;

namespace SelectReactor.Tests.Repository.Pages;

/// <summary>Runs the rules that users get over the code of a page. They must report the lines that a comment marks,
/// <c>// SR0001</c>, and no others.</summary>
internal static partial class SnippetRules
{
    private static readonly ImmutableArray<DiagnosticAnalyzer> _rules =
    [
        .. typeof(AsyncVoidAnalyzer).Assembly.GetTypes()
            .Where(static type => type.IsSubclassOf(typeof(DiagnosticAnalyzer)) && !type.IsAbstract)
            .Select(static type => (DiagnosticAnalyzer)Activator.CreateInstance(type)!),
    ];

    /// <summary>The differences between what the rules report and what the comments say.</summary>
    public static IEnumerable<string> Check(Compilation compilation, SyntaxTree block)
    {
        Diagnostic[] reports =
        [
            .. compilation.WithAnalyzers(_rules).GetAnalyzerDiagnosticsAsync().GetAwaiter().GetResult()
                .Where(report => report.Location.SourceTree == block),
        ];
        TextLineCollection lines = block.GetText().Lines;
        string[] found = [.. reports.Select(report => $"{report.Id}: {LineOf(report, lines)}").Distinct()];
        string[] marked =
        [
            .. lines.Select(static line => line.ToString())
                .SelectMany(static line => Mark().Matches(line).Select(mark => $"{mark.Value}: {line}")),
        ];
        return found.Except(marked)
            .Concat(marked.Except(found).Select(static mark => $"not reported: {mark}"))
            .Concat(reports.Where(static report => report.Id == "AD0001")
                .Select(static report => report.GetMessage(CultureInfo.InvariantCulture)));
    }

    private static string LineOf(Diagnostic report, TextLineCollection lines) =>
        lines[report.Location.GetLineSpan().StartLinePosition.Line].ToString();

    [GeneratedRegex(@"(?<=// )SR\d{4}\b")]
    private static partial Regex Mark();
}

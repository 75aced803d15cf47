using Microsoft.CodeAnalysis.Diagnostics;

namespace SelectReactor.Analyzers;

/// <summary>A rule for code that uses the library: it does nothing where the library is not referenced, and leaves
/// generated code alone.</summary>
internal abstract class LibraryAnalyzer : DiagnosticAnalyzer
{
    public sealed override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(start =>
        {
            if (Library.Of(start.Compilation) is { } library)
            {
                Start(start, library);
            }
        });
    }

    /// <summary>Registers what the rule looks at in a compilation.</summary>
    protected abstract void Start(CompilationStartAnalysisContext context, Library library);
}

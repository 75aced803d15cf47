using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>
/// SR0005 and SR0006: received bytes that are used after <c>AdvanceTo</c>, or kept in a field beyond it or beyond the
/// call that lent them.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class BufferAnalyzer : LibraryAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        [Rules.UseAfterAdvance, Rules.KeptBuffer];

    protected override void Start(CompilationStartAnalysisContext context, Library library)
    {
        if (BufferTypes.Of(context.Compilation) is { } types)
        {
            context.RegisterOperationBlockStartAction(block => StartBlock(block, library, types));
        }
    }

    private static void StartBlock(OperationBlockStartAnalysisContext context, Library library, BufferTypes types)
    {
        ImmutableArray<IParameterSymbol> lent = LentTo(context.OwningSymbol, library, types);
        bool advances = false;
        context.RegisterOperationAction(
            operation => advances |= types.IsAdvance((IInvocationOperation)operation.Operation),
            OperationKind.Invocation);
        context.RegisterOperationBlockEndAction(end =>
        {
            if (!advances && lent.IsEmpty)
            {
                return;
            }

            foreach (IOperation block in end.OperationBlocks.Where(static block => block is IBlockOperation))
            {
                Check(end.GetControlFlowGraph(block), lent, types, end.ReportDiagnostic);
            }
        });
    }

    // The library gives its overrides bytes that are valid until they return.
    private static ImmutableArray<IParameterSymbol> LentTo(ISymbol owner, Library library, BufferTypes types)
    {
        if (owner is not IMethodSymbol { OverriddenMethod: { } overridden } method)
        {
            return [];
        }

        while (overridden.OverriddenMethod is { } earlier)
        {
            overridden = earlier;
        }

        return library.IsOurs(overridden) ? [.. method.Parameters.Where(one => types.IsBytes(one.Type))] : [];
    }

    private static void Check(
        ControlFlowGraph graph,
        ImmutableArray<IParameterSymbol> lent,
        BufferTypes types,
        Action<Diagnostic> report)
    {
        new BufferFlow(graph, types).Run(lent, report);
        foreach (IMethodSymbol local in graph.LocalFunctions)
        {
            Check(graph.GetLocalFunctionControlFlowGraph(local), [], types, report);
        }

        foreach (IFlowAnonymousFunctionOperation lambda in graph.Blocks
            .SelectMany(static block => block.Operations.Concat(block.BranchValue is { } value ? [value] : []))
            .SelectMany(static operation => operation.DescendantsAndSelf())
            .OfType<IFlowAnonymousFunctionOperation>())
        {
            Check(graph.GetAnonymousFunctionControlFlowGraph(lambda), [], types, report);
        }
    }
}

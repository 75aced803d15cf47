using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>
/// SR0004: loops that read from a pipe for ever. Once the peer has ended its stream, each read completes at once. The
/// library cuts a connection that reads on and on there; other pipes let the loop spin.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ReadLoopAnalyzer : DiagnosticAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.EndlessRead];

    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            if (Library.Of(start.Compilation) is not null
                && start.Compilation.GetTypeByMetadataName("System.IO.Pipelines.PipeReader") is { } reader
                && start.Compilation.GetTypeByMetadataName("System.IO.Pipelines.ReadResult") is { } result)
            {
                start.RegisterOperationAction(wait => Check(wait, reader, result), OperationKind.Await);
            }
        });
    }

    private static void Check(
        OperationAnalysisContext context, INamedTypeSymbol reader, INamedTypeSymbol resultType)
    {
        var wait = (IAwaitOperation)context.Operation;
        IOperation awaited = wait.Operation;
        if (awaited is IInvocationOperation { TargetMethod.Name: "ConfigureAwait", Instance: { } inner })
        {
            awaited = inner;
        }

        if (awaited is not IInvocationOperation { TargetMethod: { Name: "ReadAsync" or "ReadAtLeastAsync" } } read
            || !IsOrDerives(read.Instance?.Type, reader)
            || !IsInEndlessLoop(wait)
            || KeptIn(wait) is not { } result)
        {
            return;
        }

        IOperation function = Operations.FunctionOf(wait);
        if (!function.DescendantsAndSelf().Any(operation => LooksForEnd(operation, result, resultType)))
        {
            context.ReportDiagnostic(Diagnostic.Create(
                Rules.EndlessRead, read.Syntax.GetLocation(), read.TargetMethod.Name));
        }
    }

    private static bool IsOrDerives(ITypeSymbol? type, INamedTypeSymbol ancestor)
    {
        for (; type is not null; type = type.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(type, ancestor))
            {
                return true;
            }
        }

        return false;
    }

    // Loops over a collection and loops that count end by themselves.
    private static bool IsInEndlessLoop(IOperation operation)
    {
        for (IOperation? parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            switch (parent)
            {
                case IWhileLoopOperation or IForLoopOperation { Condition: null }:
                    return true;
                case IAnonymousFunctionOperation or ILocalFunctionOperation:
                    return false;
            }
        }

        return false;
    }

    // The variable of the result; without one, nobody can have looked at it.
    private static ISymbol? KeptIn(IAwaitOperation wait) => wait.Parent switch
    {
        IVariableInitializerOperation { Parent: IVariableDeclaratorOperation declarator } => declarator.Symbol,
        ISimpleAssignmentOperation { Target: ILocalReferenceOperation target } assignment
            when assignment.Value == wait => target.Local,
        _ => null,
    };

    private static bool LooksForEnd(IOperation operation, ISymbol result, INamedTypeSymbol resultType)
    {
        switch (operation)
        {
            case IPropertyReferenceOperation { Property: { Name: "IsCompleted" } property }:
                return SymbolEqualityComparer.Default.Equals(property.ContainingType, resultType);
            case ILocalReferenceOperation reference
                when SymbolEqualityComparer.Default.Equals(reference.Local, result):
                // Code that is given the whole result may look.
                return operation.Parent is not IMemberReferenceOperation
                    && !(operation.Parent is IAssignmentOperation assignment && assignment.Target == operation);
            case IConditionalOperation condition:
                return LooksForBytes(condition.Condition)
                    && (Leaves(condition.WhenTrue) || (condition.WhenFalse is { } other && Leaves(other)));
            case IWhileLoopOperation { Condition: { } condition }:
                return LooksForBytes(condition);
            default:
                return false;
        }
    }

    // A read without bytes is the end as well, where the loop always takes all of them.
    private static bool LooksForBytes(IOperation condition) => condition.DescendantsAndSelf().Any(
        static operation => operation is IPropertyReferenceOperation
        {
            Property: { Name: "IsEmpty" or "Length", ContainingType.Name: "ReadOnlySequence" },
        });

    private static bool Leaves(IOperation branch) => Operations.WithinFunction(branch).Any(static operation =>
        operation is IReturnOperation { Kind: OperationKind.Return } or IThrowOperation
            or IBranchOperation { BranchKind: BranchKind.Break or BranchKind.GoTo });
}

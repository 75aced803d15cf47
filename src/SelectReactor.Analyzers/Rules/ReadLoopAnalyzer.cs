using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>
/// SR0004: loops that read from a connection for ever. Once the peer has ended its stream, each read completes at
/// once, and the library cuts a connection that reads on and on.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ReadLoopAnalyzer : LibraryAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.EndlessRead];

    protected override void Start(CompilationStartAnalysisContext context, Library library)
    {
        context.RegisterOperationAction(wait => Check(wait, library), OperationKind.Await);
    }

    private static void Check(OperationAnalysisContext context, Library library)
    {
        var wait = (IAwaitOperation)context.Operation;
        IOperation awaited = Operations.Awaited(wait);
        if (awaited is not IInvocationOperation { TargetMethod: { Name: "ReadAsync" or "ReadAtLeastAsync" } } read
            || !IsInput(read.Instance, context.Operation, library)
            || LoopOf(wait) is not { } loop
            || !IsResultKept(wait, out ISymbol? result))
        {
            return;
        }

        IOperation function = Operations.FunctionOf(wait);
        if (!function.DescendantsAndSelf().Any(operation => LooksForEnd(operation, loop, result)))
        {
            context.ReportDiagnostic(Diagnostic.Create(
                Rules.EndlessRead, read.Syntax.GetLocation(), read.TargetMethod.Name));
        }
    }

    // Whoever writes to another pipe may never end it. A local variable has the value that it is declared with.
    private static bool IsInput(IOperation? reader, IOperation wait, Library library) =>
        reader is not null && Operations.Unwrap(reader) switch
        {
            IPropertyReferenceOperation { Property: { Name: "Input" } property } =>
                library.IsOurs(property) || property.ContainingType.Name == "IDuplexPipe",
            ILocalReferenceOperation local => Operations.BodyOf(wait).DescendantsAndSelf()
                .OfType<IVariableDeclaratorOperation>()
                .Any(declarator => SymbolEqualityComparer.Default.Equals(declarator.Symbol, local.Local)
                    && declarator.GetVariableInitializer()?.Value is { } value
                    && Operations.Unwrap(value) is IPropertyReferenceOperation
                    && IsInput(value, wait, library)),
            _ => false,
        };

    // Loops over a collection and loops that count end by themselves.
    private static ILoopOperation? LoopOf(IOperation operation)
    {
        for (IOperation? parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            switch (parent)
            {
                case IWhileLoopOperation or IForLoopOperation { Condition: null }:
                    return (ILoopOperation)parent;
                case IAnonymousFunctionOperation or ILocalFunctionOperation:
                    return null;
            }
        }

        return null;
    }

    // In a variable; or only its bytes are used, so that nobody can look at the rest.
    private static bool IsResultKept(IAwaitOperation wait, out ISymbol? result)
    {
        result = wait.Parent switch
        {
            IVariableInitializerOperation { Parent: IVariableDeclaratorOperation declarator } => declarator.Symbol,
            ISimpleAssignmentOperation { Target: ILocalReferenceOperation target } assignment
                when assignment.Value == wait => target.Local,
            _ => null,
        };
        return result is not null || wait.Parent is IPropertyReferenceOperation { Property.Name: "Buffer" };
    }

    private static bool LooksForEnd(IOperation operation, ILoopOperation loop, ISymbol? result)
    {
        switch (operation)
        {
            case IPropertyReferenceOperation { Property.Name: "IsCompleted" }:
                return true;

            // A read without bytes is the end as well, where the loop always takes all of them.
            case IPropertyReferenceOperation { Property: { Name: "IsEmpty" or "Length", ContainingType: var type } }:
                return type.Name == "ReadOnlySequence" && !IsOfAdvance(operation);

            // Code that is given the whole result may look.
            case ILocalReferenceOperation reference
                when SymbolEqualityComparer.Default.Equals(reference.Local, result):
                return operation.Parent is not IMemberReferenceOperation
                    && !(operation.Parent is IAssignmentOperation assignment && assignment.Target == operation);

            // So may code that is given the bytes, and whose answer decides.
            case IInvocationOperation { TargetMethod: { ReturnsVoid: false, Name: not "AdvanceTo" } } call:
                return call.Arguments.Any(static argument => argument.Value.Type?.Name == "ReadOnlySequence")
                    && Decides(call, loop);
            default:
                return false;
        }
    }

    private static bool IsOfAdvance(IOperation operation)
    {
        for (IOperation? parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            if (parent is IInvocationOperation { TargetMethod.Name: "AdvanceTo" })
            {
                return true;
            }
        }

        return false;
    }

    private static bool Decides(IOperation call, ILoopOperation loop)
    {
        IOperation child = call;
        for (IOperation? parent = call.Parent; parent is not null; child = parent, parent = parent.Parent)
        {
            switch (parent)
            {
                case IAssignmentOperation or IVariableInitializerOperation or ISwitchOperation
                    or ISwitchExpressionOperation or IReturnOperation:
                    return true;
                case IConditionalOperation condition when condition.Condition == child:
                    return Leaves(condition.WhenTrue) || (condition.WhenFalse is { } other && Leaves(other));
                case ILoopOperation outer:
                    return outer == loop;
                case IBlockOperation:
                    return false;
            }
        }

        return false;
    }

    private static bool Leaves(IOperation branch) => Operations.WithinFunction(branch).Any(static operation =>
        operation is IReturnOperation { Kind: OperationKind.Return } or IThrowOperation
            or IBranchOperation { BranchKind: BranchKind.Break or BranchKind.GoTo });
}

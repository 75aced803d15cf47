using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>Where a function may see that the input of a connection has ended.</summary>
internal sealed class EndsOfInput
{
    // Variables that code is given whole: it may look at them.
    private readonly HashSet<ISymbol> _given = new(SymbolEqualityComparer.Default);

    // Loops whose condition asks code that is given the bytes.
    private readonly HashSet<ILoopOperation> _asking = [];
    private readonly bool _looks;

    /// <param name="function">The body of the function.</param>
    public EndsOfInput(IOperation function)
    {
        foreach (IOperation operation in function.DescendantsAndSelf())
        {
            switch (operation)
            {
                case IPropertyReferenceOperation { Property.Name: "IsCompleted" }:
                    _looks = true;
                    return;

                // A read without bytes is the end as well, where the loop always takes all of them.
                case IPropertyReferenceOperation { Property: { Name: "IsEmpty" or "Length" } property }
                    when property.ContainingType.Name == "ReadOnlySequence" && !IsOfAdvance(operation):
                    _looks = true;
                    return;
                case ILocalReferenceOperation { Local: var local, Parent: var parent }
                    when parent is not IMemberReferenceOperation
                        && !(parent is IAssignmentOperation assignment && assignment.Target == operation):
                    _given.Add(local);
                    break;

                // Code that is given the bytes may look, too, if its answer decides.
                case IInvocationOperation { TargetMethod: { ReturnsVoid: false, Name: not "AdvanceTo" } } call
                    when call.Arguments.Any(static argument => argument.Value.Type?.Name == "ReadOnlySequence"):
                    if (Decides(call, out ILoopOperation? asking))
                    {
                        _looks = true;
                        return;
                    }

                    if (asking is not null)
                    {
                        _asking.Add(asking);
                    }

                    break;
            }
        }
    }

    /// <summary>Whether a loop of the function may see the end.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="result">The variable with the result of its reads, if there is one.</param>
    public bool AreSeenIn(ILoopOperation loop, ISymbol? result) =>
        _looks || _asking.Contains(loop) || (result is not null && _given.Contains(result));

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

    // Whether the answer of a call decides how the function goes on; or which loop it ends.
    private static bool Decides(IOperation call, out ILoopOperation? asking)
    {
        asking = null;
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
                case ILoopOperation loop:
                    asking = loop;
                    return false;
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

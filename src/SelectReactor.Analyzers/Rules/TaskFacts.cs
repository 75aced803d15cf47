using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>
/// Which tasks of one function are complete, or may be. Only a task that a call of the same function has returned
/// counts as one that is not: a task from elsewhere may be complete, and its owner may know.
/// </summary>
internal sealed class TaskFacts
{
    // The first place where the function looks at the state of a task or awaits it.
    private readonly Dictionary<ISymbol, int> _known = new(SymbolEqualityComparer.Default);

    // Variables that have their values from calls alone.
    private readonly Dictionary<ISymbol, bool> _fromCalls = new(SymbolEqualityComparer.Default);
    private readonly int _firstWaitForAll = int.MaxValue;

    /// <param name="function">The body of the function.</param>
    public TaskFacts(IOperation function)
    {
        foreach (IOperation operation in Operations.WithinFunction(function))
        {
            int position = operation.Syntax.SpanStart;
            switch (operation)
            {
                case IAwaitOperation { Operation: var awaited }:
                    if (awaited.DescendantsAndSelf().Any(static part =>
                        part is IInvocationOperation { TargetMethod.Name: "WhenAll" or "WhenAny" }))
                    {
                        _firstWaitForAll = Math.Min(_firstWaitForAll, position);
                    }

                    NoteAll(awaited, position);
                    break;
                case IPropertyReferenceOperation state when IsState(state.Property):
                    Note(Operations.RootOf(state.Instance), position);
                    break;
                case IConditionalAccessOperation { Operation: var looked }:
                    Note(Operations.RootOf(looked), position);
                    break;
                case IIsPatternOperation { Value: var matched }:
                    NoteAll(matched, position);
                    break;
                case ISwitchOperation { Value: var switched }:
                    NoteAll(switched, position);
                    break;
                case ISwitchExpressionOperation { Value: var switched }:
                    NoteAll(switched, position);
                    break;
                case IVariableDeclaratorOperation { Symbol: var variable } declarator
                    when declarator.GetVariableInitializer() is { } initializer:
                    NoteValue(variable, initializer.Value);
                    break;
                case ISimpleAssignmentOperation { Target: ILocalReferenceOperation target } assignment:
                    NoteValue(target.Local, assignment.Value);
                    break;
            }
        }
    }

    /// <summary>Whether a wait for a task blocks.</summary>
    /// <param name="task">The task; null for several.</param>
    /// <param name="wait">The wait.</param>
    public bool MayBlock(IOperation? task, IOperation wait)
    {
        int position = wait.Syntax.Span.End;
        if (_firstWaitForAll < position)
        {
            return false;
        }

        return task is null || Operations.Unwrap(task) switch
        {
            ILocalReferenceOperation { Local: var local } =>
                _fromCalls.TryGetValue(local, out bool isFromCall) && isFromCall
                && !(_known.TryGetValue(local, out int known) && known < position),
            var other => IsCall(other),
        };
    }

    private static bool IsState(IPropertySymbol property) =>
        property.Name is "IsCompleted" or "IsCompletedSuccessfully" or "IsFaulted" or "Status";

    private static bool IsCall(IOperation value) => value switch
    {
        IInvocationOperation call => call.TargetMethod.Name is not ("FromResult" or "FromException" or "FromCanceled"),
        IObjectCreationOperation => true,
        _ => false,
    };

    private void NoteValue(ISymbol variable, IOperation value) =>
        _fromCalls[variable] = IsCall(Operations.Unwrap(value))
            && (!_fromCalls.TryGetValue(variable, out bool isFromCall) || isFromCall);

    private void NoteAll(IOperation operation, int position)
    {
        foreach (IOperation part in operation.DescendantsAndSelf())
        {
            if (part is ILocalReferenceOperation local)
            {
                Note(local.Local, position);
            }
        }
    }

    private void Note(ISymbol? variable, int position)
    {
        if (variable is not null && (!_known.TryGetValue(variable, out int known) || position < known))
        {
            _known[variable] = position;
        }
    }
}

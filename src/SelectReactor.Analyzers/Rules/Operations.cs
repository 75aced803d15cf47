using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>Walks over operations.</summary>
internal static class Operations
{
    /// <summary>The body of the function around an operation: of the lambda, local function or member.</summary>
    public static IOperation FunctionOf(IOperation operation)
    {
        IOperation current = operation;
        while (current.Parent is { } parent)
        {
            if (current is IAnonymousFunctionOperation or ILocalFunctionOperation)
            {
                return current;
            }

            current = parent;
        }

        return current;
    }

    /// <summary>Whether a type is another one, or derives from it.</summary>
    public static bool IsOrDerivesFrom(ITypeSymbol? type, INamedTypeSymbol other)
    {
        for (; type is not null; type = type.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(type, other))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The operation and all within it, but not within nested functions, nor in <c>nameof</c>.</summary>
    public static IEnumerable<IOperation> WithinFunction(IOperation root)
    {
        var left = new Stack<IOperation>();
        left.Push(root);
        while (left.Count > 0)
        {
            IOperation next = left.Pop();
            yield return next;
            foreach (IOperation child in next.ChildOperations)
            {
                if (child is not (IAnonymousFunctionOperation or ILocalFunctionOperation or INameOfOperation))
                {
                    left.Push(child);
                }
            }
        }
    }

    /// <summary>What is awaited, without a <c>ConfigureAwait</c> around it.</summary>
    public static IOperation Awaited(IAwaitOperation wait) =>
        wait.Operation is IInvocationOperation { TargetMethod.Name: "ConfigureAwait", Instance: { } inner }
            ? inner
            : wait.Operation;

    /// <summary>The operation without the conversions and parentheses around it.</summary>
    public static IOperation Unwrap(IOperation operation)
    {
        while (true)
        {
            switch (operation)
            {
                case IConversionOperation conversion:
                    operation = conversion.Operand;
                    break;
                case IParenthesizedOperation parenthesized:
                    operation = parenthesized.Operand;
                    break;
                default:
                    return operation;
            }
        }
    }

    /// <summary>The variable, field or property that an expression begins with; null if there is none.</summary>
    public static ISymbol? RootOf(IOperation? operation)
    {
        while (operation is not null)
        {
            operation = Unwrap(operation);
            switch (operation)
            {
                case ILocalReferenceOperation local:
                    return local.Local;
                case IParameterReferenceOperation parameter:
                    return parameter.Parameter;
                case IMemberReferenceOperation { Instance: null or IInstanceReferenceOperation } member:
                    return member.Member;
                case IMemberReferenceOperation member:
                    operation = member.Instance;
                    break;
                case IArrayElementReferenceOperation element:
                    operation = element.ArrayReference;
                    break;
                case IInvocationOperation call:
                    operation = call.Instance;
                    break;
                default:
                    return null;
            }
        }

        return null;
    }
}

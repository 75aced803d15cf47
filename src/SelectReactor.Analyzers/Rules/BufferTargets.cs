using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>What an assignment gives its value to.</summary>
internal static class BufferTargets
{
    /// <summary>The variables that a deconstruction assigns.</summary>
    public static IEnumerable<IOperation> Of(IOperation target) => target switch
    {
        ITupleOperation tuple => tuple.Elements.SelectMany(Of),
        IDeclarationExpressionOperation { Expression: ITupleOperation tuple } => tuple.Elements.SelectMany(Of),
        _ => [target],
    };

    /// <summary>Whether a member keeps what it is assigned. The setter of a property may copy.</summary>
    public static bool Keeps(ISymbol member) => member switch
    {
        IFieldSymbol => true,
        IPropertySymbol { Parameters.IsEmpty: true } property => property.Name == "UserState"
            || property.ContainingType.GetMembers().OfType<IFieldSymbol>().Any(
                field => SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property)),
        _ => false,
    };

    /// <summary>Whether a member belongs to a local variable: what is kept there ends with the function.</summary>
    public static bool IsPartOfLocal(IMemberReferenceOperation member)
    {
        IOperation? instance = member.Instance;
        while (instance is IMemberReferenceOperation inner)
        {
            instance = inner.Instance;
        }

        return instance is ILocalReferenceOperation or IFlowCaptureReferenceOperation;
    }
}

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

    // All reads of a member are judged together, so that each of its functions is read once.
    protected override void Start(CompilationStartAnalysisContext context, Library library) =>
        context.RegisterOperationBlockStartAction(block =>
        {
            var waits = new List<IAwaitOperation>();
            block.RegisterOperationAction(
                wait =>
                {
                    if (ReadOf((IAwaitOperation)wait.Operation) is not null)
                    {
                        waits.Add((IAwaitOperation)wait.Operation);
                    }
                },
                OperationKind.Await);
            block.RegisterOperationBlockEndAction(end => Check(end, waits, library));
        });

    private static IInvocationOperation? ReadOf(IAwaitOperation wait) =>
        Operations.Awaited(wait) is IInvocationOperation { TargetMethod.Name: "ReadAsync" or "ReadAtLeastAsync" } read
            ? read
            : null;

    private static void Check(OperationBlockAnalysisContext context, List<IAwaitOperation> waits, Library library)
    {
        var inputs = new Lazy<HashSet<ISymbol>>(() => InputsIn(context.OperationBlocks, library));
        var ends = new Dictionary<IOperation, EndsOfInput>();
        foreach (IAwaitOperation wait in waits)
        {
            IInvocationOperation read = ReadOf(wait)!;
            if (!IsInput(read.Instance, inputs, library)
                || LoopOf(wait) is not { } loop
                || !IsResultKept(wait, out ISymbol? result))
            {
                continue;
            }

            IOperation function = Operations.FunctionOf(wait);
            if (!ends.TryGetValue(function, out EndsOfInput? seen))
            {
                ends.Add(function, seen = new EndsOfInput(function));
            }

            if (!seen.AreSeenIn(loop, result))
            {
                context.ReportDiagnostic(Diagnostic.Create(
                    Rules.EndlessRead, read.Syntax.GetLocation(), read.TargetMethod.Name));
            }
        }
    }

    // The variables that are declared as the input of a connection.
    private static HashSet<ISymbol> InputsIn(ImmutableArray<IOperation> blocks, Library library) => new(
        blocks.SelectMany(static block => block.DescendantsAndSelf())
            .OfType<IVariableDeclaratorOperation>()
            .Where(declarator => declarator.GetVariableInitializer()?.Value is { } value
                && IsInput(Operations.Unwrap(value), library))
            .Select(static declarator => declarator.Symbol),
        SymbolEqualityComparer.Default);

    private static bool IsInput(IOperation? reader, Lazy<HashSet<ISymbol>> inputs, Library library) =>
        reader is not null && (Operations.Unwrap(reader) is ILocalReferenceOperation { Local: var local }
            ? inputs.Value.Contains(local)
            : IsInput(Operations.Unwrap(reader), library));

    // Whoever writes to another pipe may never end it.
    private static bool IsInput(IOperation reader, Library library) =>
        reader is IPropertyReferenceOperation { Property: { Name: "Input" } property }
        && (library.IsOurs(property) || property.ContainingType.Name == "IDuplexPipe");

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
}

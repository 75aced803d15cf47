using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>
/// SR0008: an await of what only the loop completes, above the call that runs the loop. Reported for a reactor that
/// the same function makes and gives to nobody who could run it.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class RunOrderAnalyzer : LibraryAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.AwaitBeforeRun];

    protected override void Start(CompilationStartAnalysisContext context, Library library)
    {
        if (library.Type("SelectReactor.Reactor") is not { } reactor)
        {
            return;
        }

        context.RegisterOperationBlockStartAction(block =>
        {
            var calls = new List<IInvocationOperation>();
            block.RegisterOperationAction(
                wait =>
                {
                    if (Operations.Awaited((IAwaitOperation)wait.Operation) is IInvocationOperation
                        {
                            TargetMethod: { Name: "ConnectAsync" or "ListenAsync" or "InvokeAsync" } method,
                        } call
                        && library.IsOurs(method))
                    {
                        calls.Add(call);
                    }
                },
                OperationKind.Await);
            block.RegisterOperationBlockEndAction(end => Check(end, calls, library, reactor));
        });
    }

    private static void Check(
        OperationBlockAnalysisContext context,
        List<IInvocationOperation> calls,
        Library library,
        INamedTypeSymbol reactorType)
    {
        if (calls.Count == 0)
        {
            return;
        }

        ILookup<ISymbol?, IOperation> uses = context.OperationBlocks
            .SelectMany(static block => block.DescendantsAndSelf())
            .ToLookup(
                static operation => operation switch
                {
                    ILocalReferenceOperation use => (ISymbol?)use.Local,
                    IVariableDeclaratorOperation declarator => declarator.Symbol,
                    _ => null,
                },
                SymbolEqualityComparer.Default);
        var loops = new Dictionary<ISymbol, (IOperation? Function, int Start)>(SymbolEqualityComparer.Default);
        foreach (IInvocationOperation call in calls)
        {
            if (ReactorOf(call) is not { } reactor)
            {
                continue;
            }

            if (!loops.TryGetValue(reactor, out (IOperation? Function, int Start) loop))
            {
                loops.Add(reactor, loop = LoopOf([.. uses[reactor]], library, reactorType));
            }

            if (loop.Function == Operations.FunctionOf(call) && call.Syntax.SpanStart < loop.Start)
            {
                context.ReportDiagnostic(Diagnostic.Create(
                    Rules.AwaitBeforeRun, call.Syntax.GetLocation(), call.TargetMethod.Name));
            }
        }
    }

    // The function that makes a reactor, gives it to nobody and runs it itself, and where it first does.
    private static (IOperation? Function, int Start) LoopOf(
        IOperation[] uses, Library library, INamedTypeSymbol reactorType)
    {
        IVariableDeclaratorOperation? declarator = uses.OfType<IVariableDeclaratorOperation>().FirstOrDefault();
        ILocalReferenceOperation[] references = [.. uses.OfType<ILocalReferenceOperation>()];
        ILocalReferenceOperation[] runs = [.. references.Where(Runs)];
        if (declarator?.GetVariableInitializer()?.Value is not { } value
            || Operations.Unwrap(value) is not IObjectCreationOperation { Type: var type }
            || !SymbolEqualityComparer.Default.Equals(type, reactorType)
            || !references.All(use => IsReceiver(use, library)))
        {
            return default;
        }

        IOperation function = Operations.FunctionOf(declarator);
        return runs.Any(run => Operations.FunctionOf(run) == function)
            ? (function, runs.Min(static run => run.Syntax.SpanStart))
            : default;
    }

    private static ILocalSymbol? ReactorOf(IInvocationOperation call)
    {
        IOperation? receiver = call.Instance ?? call.Arguments.FirstOrDefault()?.Value;
        return receiver is not null && Operations.Unwrap(receiver) is ILocalReferenceOperation { Local: var local }
            ? local
            : null;
    }

    // Of a member, or the first argument of an extension method of the library.
    private static bool IsReceiver(ILocalReferenceOperation use, Library library)
    {
        IOperation? parent = use.Parent;
        while (parent is IConversionOperation)
        {
            parent = parent.Parent;
        }

        return parent switch
        {
            IMemberReferenceOperation or IInvocationOperation => true,
            IArgumentOperation { Parameter.Ordinal: 0, Parent: IInvocationOperation call } =>
                library.IsOurs(call.TargetMethod),
            _ => false,
        };
    }

    private static bool Runs(ILocalReferenceOperation use) =>
        use.Parent is IInvocationOperation { TargetMethod.Name: "Run" or "RunOnce" }
            or IMethodReferenceOperation { Method.Name: "Run" or "RunOnce" };
}

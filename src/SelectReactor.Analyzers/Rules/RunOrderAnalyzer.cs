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
        if (library.Type("SelectReactor.Reactor") is { } reactor)
        {
            context.RegisterOperationAction(wait => Check(wait, library, reactor), OperationKind.Await);
        }
    }

    private static void Check(OperationAnalysisContext context, Library library, INamedTypeSymbol reactorType)
    {
        IOperation awaited = Operations.Awaited((IAwaitOperation)context.Operation);
        if (awaited is not IInvocationOperation call
            || call.TargetMethod.Name is not ("ConnectAsync" or "ListenAsync" or "InvokeAsync")
            || !library.IsOurs(call.TargetMethod)
            || ReactorOf(call) is not { } reactor)
        {
            return;
        }

        IOperation function = Operations.FunctionOf(awaited);
        int position = awaited.Syntax.SpanStart;
        ILocalReferenceOperation[] uses =
        [
            .. function.DescendantsAndSelf().OfType<ILocalReferenceOperation>()
                .Where(use => SymbolEqualityComparer.Default.Equals(use.Local, reactor)),
        ];
        if (IsMadeIn(function, reactor, reactorType)
            && uses.All(use => IsReceiver(use, library))
            && uses.Where(Runs).All(use => use.Syntax.SpanStart > position)
            && uses.Any(use => Runs(use) && Operations.FunctionOf(use) == function))
        {
            context.ReportDiagnostic(Diagnostic.Create(
                Rules.AwaitBeforeRun, awaited.Syntax.GetLocation(), call.TargetMethod.Name));
        }
    }

    private static ILocalSymbol? ReactorOf(IInvocationOperation call)
    {
        IOperation? receiver = call.Instance ?? call.Arguments.FirstOrDefault()?.Value;
        return receiver is not null && Operations.Unwrap(receiver) is ILocalReferenceOperation { Local: var local }
            ? local
            : null;
    }

    private static bool IsMadeIn(IOperation function, ILocalSymbol reactor, INamedTypeSymbol type) =>
        Operations.WithinFunction(function).Any(operation =>
            operation is IVariableDeclaratorOperation declarator
            && SymbolEqualityComparer.Default.Equals(declarator.Symbol, reactor)
            && declarator.GetVariableInitializer()?.Value is { } value
            && Operations.Unwrap(value) is IObjectCreationOperation creation
            && SymbolEqualityComparer.Default.Equals(creation.Type, type));

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

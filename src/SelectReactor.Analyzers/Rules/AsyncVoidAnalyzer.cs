using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>SR0001: handler methods and functions for the library that are <c>async void</c>.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class AsyncVoidAnalyzer : LibraryAnalyzer
{
    private const string StartTask = "call a method that returns a Task and catches its exceptions";

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.AsyncVoid];

    protected override void Start(CompilationStartAnalysisContext context, Library library)
    {
        context.RegisterSymbolAction(symbol => CheckMethod(symbol, library), SymbolKind.Method);
        context.RegisterOperationAction(
            function => CheckFunction(function, library), OperationKind.DelegateCreation);
    }

    private static void CheckMethod(SymbolAnalysisContext context, Library library)
    {
        var method = (IMethodSymbol)context.Symbol;
        if (method is { IsAsync: true, ReturnsVoid: true } && library.IsHandlerMethod(method))
        {
            context.ReportDiagnostic(Diagnostic.Create(
                Rules.AsyncVoid,
                method.Locations[0],
                method.Name,
                $"derive from AsyncConnectionHandler, or {StartTask}"));
        }
    }

    private static void CheckFunction(OperationAnalysisContext context, Library library)
    {
        var function = (IDelegateCreationOperation)context.Operation;
        IMethodSymbol? method = function.Target switch
        {
            IAnonymousFunctionOperation lambda => lambda.Symbol,
            IMethodReferenceOperation reference => reference.Method,
            _ => null,
        };
        if (method is not { IsAsync: true, ReturnsVoid: true }
            || Library.ReceiverOf(function) is not { } receiver
            || !library.IsOurs(receiver))
        {
            return;
        }

        bool isOfReactor = receiver.ContainingType.Name == "Reactor";
        context.ReportDiagnostic(Diagnostic.Create(
            Rules.AsyncVoid,
            LocationOf(function.Target),
            method.MethodKind == MethodKind.AnonymousFunction ? $"A lambda given to {receiver.Name}" : method.Name,
            isOfReactor
                ? "call InvokeAsync and await its task, or catch the exceptions in a method that returns a Task"
                : StartTask));
    }

    // The whole lambda may be long.
    private static Location LocationOf(IOperation function) =>
        function.Syntax is AnonymousFunctionExpressionSyntax { AsyncKeyword: var keyword }
            ? keyword.GetLocation()
            : function.Syntax.GetLocation();
}

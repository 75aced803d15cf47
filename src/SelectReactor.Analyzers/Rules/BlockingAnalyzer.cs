using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>
/// SR0002: calls that block, in code that runs on the loop. These are the handler methods, the functions that the
/// library is given, and the methods and local functions of the same type that they call.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class BlockingAnalyzer : LibraryAnalyzer
{
    /// <summary>The property of a diagnostic that tells what to do instead.</summary>
    public const string AdviceProperty = "Advice";

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.Blocking];

    protected override void Start(CompilationStartAnalysisContext context, Library library)
    {
        var calls = new BlockingCalls(context.Compilation);
        context.RegisterSymbolStartAction(
            type =>
            {
                var code = new CodeOfType((INamedTypeSymbol)type.Symbol, library, calls);
                type.RegisterOperationBlockAction(code.Read);
                type.RegisterSymbolEndAction(code.Report);
            },
            SymbolKind.NamedType);
    }

    /// <summary>What the functions of one type do.</summary>
    private sealed class CodeOfType(INamedTypeSymbol type, Library library, BlockingCalls calls)
    {
        private readonly ConcurrentDictionary<ISymbol, Function> _functions = new(SymbolEqualityComparer.Default);

        public void Read(OperationBlockAnalysisContext context)
        {
            if (!SymbolEqualityComparer.Default.Equals(context.OwningSymbol.ContainingType, type))
            {
                return; // The code of a nested type.
            }

            if (context.OwningSymbol is IMethodSymbol method && library.IsHandlerMethod(method))
            {
                Of(method).IsOnLoop = true;
            }

            foreach (IOperation block in context.OperationBlocks)
            {
                Read(block, context.OwningSymbol);
            }
        }

        public void Report(SymbolAnalysisContext context)
        {
            var left = new Stack<Function>(_functions.Values.Where(static function => function.IsOnLoop));
            while (left.Count > 0)
            {
                Function function = left.Pop();
                foreach ((Location location, string call, string advice) in function.Blocking)
                {
                    context.ReportDiagnostic(Diagnostic.Create(
                        Rules.Blocking,
                        location,
                        ImmutableDictionary<string, string?>.Empty.Add(AdviceProperty, advice),
                        call,
                        advice));
                }

                foreach (ISymbol callee in function.Callees)
                {
                    if (_functions.TryGetValue(callee, out Function? called) && !called.IsOnLoop)
                    {
                        called.IsOnLoop = true;
                        left.Push(called);
                    }
                }
            }
        }

        private Function Of(ISymbol symbol) => _functions.GetOrAdd(symbol, static _ => new Function());

        private void Read(IOperation root, ISymbol symbol)
        {
            Function function = Of(symbol);
            int end = EndOfLoopCode(root);
            var tasks = new Lazy<TaskFacts>(() => new TaskFacts(root));
            foreach (IOperation operation in Operations.WithinFunction(root))
            {
                ReadNested(operation);
                if (operation.Syntax.SpanStart > end)
                {
                    continue;
                }

                if (operation is IDelegateCreationOperation creation)
                {
                    ReadDelegate(creation);
                }
                else if (operation is IInvocationOperation { TargetMethod: var callee } && IsOfType(callee))
                {
                    function.Callees.Add(callee.OriginalDefinition);
                }

                if (operation is IInvocationOperation or IPropertyReferenceOperation
                    && calls.AdviceFor(operation, () => tasks.Value) is { } advice)
                {
                    function.Blocking.Add((operation.Syntax.GetLocation(), NameOf(operation), advice));
                }
            }
        }

        private void ReadNested(IOperation operation)
        {
            foreach (IOperation child in operation.ChildOperations)
            {
                if (child is IAnonymousFunctionOperation lambda)
                {
                    Read(lambda.Body, lambda.Symbol);
                }
                else if (child is ILocalFunctionOperation { Body: { } body } local)
                {
                    Read(body, local.Symbol);
                }
            }
        }

        private void ReadDelegate(IDelegateCreationOperation creation)
        {
            if (Library.ReceiverOf(creation) is not { } receiver || !library.RunsOnLoop(receiver))
            {
                return;
            }

            if (creation.Target is IAnonymousFunctionOperation lambda)
            {
                Of(lambda.Symbol).IsOnLoop = true;
            }
            else if (creation.Target is IMethodReferenceOperation { Method: var method } && IsOfType(method))
            {
                Of(method.OriginalDefinition).IsOnLoop = true;
            }
        }

        private bool IsOfType(IMethodSymbol method) =>
            SymbolEqualityComparer.Default.Equals(method.ContainingType?.OriginalDefinition, type);

        // What follows such an await may run on the thread pool, where blocking harms no connection. What asks for the
        // thread knows what it does.
        private static int EndOfLoopCode(IOperation root) => Operations.WithinFunction(root)
            .Where(static operation => operation switch
            {
                IAwaitOperation { Operation: IInvocationOperation { TargetMethod.Name: "ConfigureAwait" } call } =>
                    !call.Arguments.Any(
                        static argument => argument.Value.ConstantValue is { HasValue: true, Value: true }),
                IPropertyReferenceOperation { Property.Name: "IsReactorThread" } => true,
                _ => false,
            })
            .Select(static operation => operation.Syntax.SpanStart)
            .DefaultIfEmpty(int.MaxValue)
            .Min();

        private static string NameOf(IOperation operation) => operation switch
        {
            IInvocationOperation { TargetMethod: { Name: "GetResult" } } => "GetAwaiter().GetResult()",
            IInvocationOperation { TargetMethod: var method } => $"{method.ContainingType.Name}.{method.Name}",
            IPropertyReferenceOperation { Property: var property } =>
                $"{property.ContainingType.Name}.{property.Name}",
            _ => operation.Syntax.ToString(),
        };
    }

    private sealed class Function
    {
        public volatile bool IsOnLoop;

        public ConcurrentBag<ISymbol> Callees { get; } = [];

        public ConcurrentBag<(Location Location, string Call, string Advice)> Blocking { get; } = [];
    }
}

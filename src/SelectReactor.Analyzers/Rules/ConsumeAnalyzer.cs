using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>
/// SR0009: a handler that reads, and whose code nowhere calls <c>AdvanceTo</c>. It says nothing where other code is
/// given the connection, the pipe reader or the result of the read.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ConsumeAnalyzer : LibraryAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.NeverConsumed];

    protected override void Start(CompilationStartAnalysisContext context, Library library)
    {
        if (BufferTypes.Of(context.Compilation) is { } types)
        {
            context.RegisterSymbolStartAction(type => StartType(type, library, types), SymbolKind.NamedType);
        }
    }

    private static void StartType(SymbolStartAnalysisContext context, Library library, BufferTypes types)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (library.HandlerTypesOf(type).Any() && !HasOtherBase(type, library))
        {
            var code = new CodeOfType(type, library, types);
            context.RegisterOperationAction(code.ReadCall, OperationKind.Invocation);
            context.RegisterOperationAction(code.ReadCreation, OperationKind.ObjectCreation);
            context.RegisterOperationAction(code.ReadProperty, OperationKind.PropertyReference);
            context.RegisterSymbolEndAction(code.Report);
        }
    }

    // Its code may advance.
    private static bool HasOtherBase(INamedTypeSymbol type, Library library)
    {
        for (INamedTypeSymbol? parent = type.BaseType; parent is not null; parent = parent.BaseType)
        {
            if (library.IsHandlerType(parent))
            {
                return false;
            }

            if (parent.SpecialType is not (SpecialType.System_Object or SpecialType.System_ValueType))
            {
                return true;
            }
        }

        return false;
    }

    private sealed class CodeOfType(INamedTypeSymbol type, Library library, BufferTypes types)
    {
        private readonly ConcurrentBag<(IInvocationOperation Call, ISymbol Member)> _reads = [];
        private readonly ConcurrentDictionary<ISymbol, bool> _closing = new(SymbolEqualityComparer.Default);
        private volatile bool _looksAtBytes;
        private volatile bool _mayConsume;

        public void ReadCall(OperationAnalysisContext context)
        {
            var call = (IInvocationOperation)context.Operation;
            switch (call.TargetMethod.Name)
            {
                case "TryRead" or "ReadAsync" or "ReadAtLeastAsync" when types.IsReader(call.Instance?.Type):
                    if (SymbolEqualityComparer.Default.Equals(context.ContainingSymbol.ContainingType, type))
                    {
                        _reads.Add((call, context.ContainingSymbol));
                    }

                    break;
                case "AdvanceTo" or "Complete" or "CompleteAsync" or "CopyToAsync" or "AsStream":
                    _mayConsume = true;
                    break;

                // What was received is of no use any more.
                case "Close" or "Abort" or "DisposeAsync":
                    _closing[context.ContainingSymbol] = true;
                    break;
                default:
                    _mayConsume |= !IsHarmless(call.TargetMethod) && call.Arguments.Any(IsGiven);
                    break;
            }
        }

        public void ReadCreation(OperationAnalysisContext context) =>
            _mayConsume |= ((IObjectCreationOperation)context.Operation).Arguments.Any(IsGiven);

        // Who looks at no bytes may only wait for the end.
        public void ReadProperty(OperationAnalysisContext context)
        {
            IPropertySymbol property = ((IPropertyReferenceOperation)context.Operation).Property;
            _looksAtBytes |= property.Name == "Buffer" && types.IsResult(property.ContainingType);
        }

        public void Report(SymbolAnalysisContext context)
        {
            foreach ((IInvocationOperation call, ISymbol member) in _reads)
            {
                if (_looksAtBytes && !_mayConsume && !_closing.ContainsKey(member))
                {
                    context.ReportDiagnostic(Diagnostic.Create(
                        Rules.NeverConsumed, call.Syntax.GetLocation(), call.TargetMethod.Name));
                }
            }
        }

        // Code of this type is looked at itself; that of the library consumes only where its name says that it reads.
        private bool IsHarmless(IMethodSymbol method) => library.IsOurs(method)
            ? !method.Name.StartsWith("Read", StringComparison.Ordinal)
            : method is { IsVirtual: false, IsAbstract: false, IsOverride: false }
                && SymbolEqualityComparer.Default.Equals(method.ContainingType?.OriginalDefinition, type);

        private bool IsGiven(IArgumentOperation argument) =>
            Operations.Unwrap(argument.Value).Type is { } given
            && (types.IsReader(given) || types.IsResult(given) || library.IsConnection(given)
                || given.Name == "IDuplexPipe");
    }
}

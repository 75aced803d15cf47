using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>SR0007: a connection that is used in a function for the thread pool or another thread.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ThreadAnalyzer : LibraryAnalyzer
{
    private static readonly (string Type, string[] Members)[] _starters =
    [
        ("System.Threading.Tasks.Task", ["Run"]),
        ("System.Threading.Tasks.TaskFactory", ["StartNew"]),
        ("System.Threading.ThreadPool", ["QueueUserWorkItem", "UnsafeQueueUserWorkItem"]),
        ("System.Threading.Thread", [WellKnownMemberNames.InstanceConstructorName]),
        ("System.Threading.Timer", [WellKnownMemberNames.InstanceConstructorName]),
    ];

    // Those that throw on another thread.
    private static readonly ImmutableHashSet<string> _members = ImmutableHashSet.Create(
        "Input", "Output", "TryWrite", "Append", "Close", "CloseOutput", "Abort", "PauseReading", "ResumeReading",
        "Schedule");

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.OtherThread];

    protected override void Start(CompilationStartAnalysisContext context, Library library)
    {
        var starters = ImmutableHashSet.CreateRange<ISymbol>(
            SymbolEqualityComparer.Default,
            _starters.SelectMany(starter => library.Type(starter.Type) is { } type
                ? starter.Members.SelectMany(name => type.GetMembers(name))
                : []));
        context.RegisterOperationAction(
            function => Check(function, library, starters), OperationKind.DelegateCreation);
    }

    private static void Check(
        OperationAnalysisContext context, Library library, ImmutableHashSet<ISymbol> starters)
    {
        var function = (IDelegateCreationOperation)context.Operation;
        if (function.Target is not IAnonymousFunctionOperation lambda
            || Library.ReceiverOf(function) is not { } receiver
            || !starters.Contains(receiver))
        {
            return;
        }

        IOperation[] code = [.. Operations.WithinFunction(lambda.Body)];
        if (code.Any(IsOfReactorThread))
        {
            return;
        }

        foreach (IOperation use in code)
        {
            (IOperation? instance, ISymbol? member) = use switch
            {
                IInvocationOperation call => (call.Instance, call.TargetMethod),
                IPropertyReferenceOperation property => (property.Instance, property.Property),
                _ => default((IOperation?, ISymbol?)),
            };
            if (member is not null
                && _members.Contains(member.Name)
                && library.IsConnection(instance?.Type)
                && IsFromOutside(Operations.RootOf(instance), lambda.Syntax))
            {
                context.ReportDiagnostic(Diagnostic.Create(
                    Rules.OtherThread, use.Syntax.GetLocation(), member.Name));
            }
        }
    }

    // The function runs the loop itself, or asks where it runs.
    private static bool IsOfReactorThread(IOperation operation) => operation switch
    {
        IInvocationOperation { TargetMethod: var method } =>
            method is { Name: "Run" or "RunOnce" or "VerifyAccess", ContainingType.Name: "Reactor" },
        IPropertyReferenceOperation { Property: var property } => property.Name == "IsReactorThread",
        _ => false,
    };

    // A connection that the function makes for itself may be one of a simulation that it runs.
    private static bool IsFromOutside(ISymbol? root, SyntaxNode lambda) =>
        root is IFieldSymbol or IPropertySymbol
        || (root is ILocalSymbol or IParameterSymbol && !root.DeclaringSyntaxReferences.Any(
            declaration => declaration.SyntaxTree == lambda.SyntaxTree && lambda.Span.Contains(declaration.Span)));
}

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>The library's types in one compilation, and what they say about the user's code.</summary>
internal sealed class Library
{
    private static readonly string[] _handlerNames =
    [
        "IConnectionHandler", "IDatagramHandler", "IEventHandler", "IAcceptFilter",
        "ConnectionHandler", "AsyncConnectionHandler", "DatagramHandler", "MessageHandler`2",
    ];

    // All functions that their members take run on the loop.
    private static readonly string[] _callerNames =
    [
        "Reactor", "Connection", "ReactorExtensions", "ReactorGroup", "ReconnectingClient",
        "ConnectionGroupOptions", "ConnectionPoolOptions",
    ];

    private readonly ImmutableHashSet<INamedTypeSymbol> _handlers;
    private readonly ImmutableHashSet<INamedTypeSymbol> _callers;

    private Library(Compilation compilation, INamedTypeSymbol connection)
    {
        Compilation = compilation;
        Connection = connection;
        _handlers = TypesOf(_handlerNames);
        _callers = TypesOf(_callerNames);
    }

    public Compilation Compilation { get; }

    public INamedTypeSymbol Connection { get; }

    /// <summary>The library as a compilation sees it; null if it does not refer to it.</summary>
    public static Library? Of(Compilation compilation) =>
        compilation.GetTypeByMetadataName("SelectReactor.Connection") is { } connection
            ? new Library(compilation, connection)
            : null;

    public INamedTypeSymbol? Type(string name) => Compilation.GetTypeByMetadataName(name);

    public bool IsOurs(ISymbol symbol) =>
        SymbolEqualityComparer.Default.Equals(symbol.ContainingAssembly, Connection.ContainingAssembly);

    /// <summary>Whether a type is that of a connection.</summary>
    public bool IsConnection(ITypeSymbol? type) => Operations.IsOrDerivesFrom(type, Connection);

    /// <summary>Whether a type is one whose methods the reactor calls.</summary>
    public bool IsHandlerType(INamedTypeSymbol type) => _handlers.Contains(type.OriginalDefinition);

    /// <summary>The handler types among the base types and interfaces of a type, as it constructs them.</summary>
    public IEnumerable<INamedTypeSymbol> HandlerTypesOf(INamedTypeSymbol type)
    {
        for (INamedTypeSymbol? parent = type.BaseType; parent is not null; parent = parent.BaseType)
        {
            if (IsHandlerType(parent))
            {
                yield return parent;
            }
        }

        foreach (INamedTypeSymbol implemented in type.AllInterfaces.Where(IsHandlerType))
        {
            yield return implemented;
        }
    }

    /// <summary>Whether the reactor calls a method, since it overrides or implements one of a handler.</summary>
    public bool IsHandlerMethod(IMethodSymbol method)
    {
        for (IMethodSymbol? overridden = method.OverriddenMethod; overridden is not null;
             overridden = overridden.OverriddenMethod)
        {
            if (IsHandlerType(overridden.ContainingType))
            {
                return true;
            }
        }

        return method.MethodKind is MethodKind.Ordinary or MethodKind.ExplicitInterfaceImplementation
            && method.ContainingType is { TypeKind: not TypeKind.Interface } type
            && type.AllInterfaces.Where(IsHandlerType).Any(implemented => implemented.GetMembers().Any(
                member => SymbolEqualityComparer.Default.Equals(
                    type.FindImplementationForInterfaceMember(member), method)));
    }

    /// <summary>Whether a function that is given to a member of the library runs on the reactor's thread.</summary>
    public bool RunsOnLoop(ISymbol receiver) =>
        receiver.ContainingType is { } type && _callers.Contains(type.OriginalDefinition);

    /// <summary>The method, property or event that a function is given to; null if it is used otherwise.</summary>
    public static ISymbol? ReceiverOf(IDelegateCreationOperation function)
    {
        IOperation? parent = function.Parent;
        while (parent is IConversionOperation or IParenthesizedOperation)
        {
            parent = parent.Parent;
        }

        return parent switch
        {
            IArgumentOperation { Parent: IInvocationOperation call } =>
                (call.TargetMethod.ReducedFrom ?? call.TargetMethod).OriginalDefinition,
            IArgumentOperation { Parent: IObjectCreationOperation { Constructor: { } constructor } } =>
                constructor.OriginalDefinition,
            ISimpleAssignmentOperation { Target: IMemberReferenceOperation target } =>
                target.Member.OriginalDefinition,
            IEventAssignmentOperation { EventReference: IMemberReferenceOperation target } =>
                target.Member.OriginalDefinition,
            _ => null,
        };
    }

    private ImmutableHashSet<INamedTypeSymbol> TypesOf(string[] names) =>
        ImmutableHashSet.CreateRange<INamedTypeSymbol>(
            SymbolEqualityComparer.Default,
            names.Select(name => Type($"SelectReactor.{name}")).OfType<INamedTypeSymbol>());
}

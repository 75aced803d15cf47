using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>
/// SR0003: methods of a handler that look like callbacks, and are none: misspelt, with other parameters, not public,
/// or without <c>override</c>. A method that the type itself uses is its own.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class HandlerMethodAnalyzer : LibraryAnalyzer
{
    /// <summary>The property of a diagnostic with the name that the method should have.</summary>
    public const string NameProperty = "Name";

    /// <summary>The property of a diagnostic with the modifiers that the method should have.</summary>
    public const string ModifiersProperty = "Modifiers";

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.NeverCalled];

    protected override void Start(CompilationStartAnalysisContext context, Library library)
    {
        context.RegisterSymbolStartAction(type => StartType(type, library), SymbolKind.NamedType);
    }

    private static void StartType(SymbolStartAnalysisContext context, Library library)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (type.TypeKind is not (TypeKind.Class or TypeKind.Struct))
        {
            return;
        }

        ImmutableArray<IMethodSymbol> callbacks = [.. library.HandlerTypesOf(type).SelectMany(CallbacksOf)];
        if (callbacks.IsEmpty)
        {
            return;
        }

        ImmutableArray<(IMethodSymbol Method, IMethodSymbol Callback)> suspects =
        [
            .. type.GetMembers().OfType<IMethodSymbol>()
                .Where(method => MayBeMeantAsCallback(method, library))
                .Select(method => (Method: method, Callback: MeantBy(method, callbacks, type, library)!))
                .Where(static pair => pair.Callback is not null),
        ];
        if (suspects.IsEmpty)
        {
            return;
        }

        var used = new ConcurrentDictionary<ISymbol, bool>(SymbolEqualityComparer.Default);
        context.RegisterOperationAction(
            operation => used[MethodOf(operation.Operation).OriginalDefinition] = true,
            OperationKind.Invocation,
            OperationKind.MethodReference);
        context.RegisterSymbolEndAction(end =>
        {
            foreach ((IMethodSymbol method, IMethodSymbol callback) in suspects)
            {
                if (!used.ContainsKey(method.OriginalDefinition))
                {
                    end.ReportDiagnostic(DiagnosticFor(method, callback));
                }
            }
        });
    }

    private static IMethodSymbol MethodOf(IOperation operation) => operation is IInvocationOperation call
        ? call.TargetMethod
        : ((IMethodReferenceOperation)operation).Method;

    private static IEnumerable<IMethodSymbol> CallbacksOf(INamedTypeSymbol handler) =>
        handler.GetMembers().OfType<IMethodSymbol>().Where(static method =>
            method is { MethodKind: MethodKind.Ordinary, IsStatic: false, IsSealed: false }
            && (method.IsVirtual || method.IsAbstract || method.IsOverride));

    private static bool MayBeMeantAsCallback(IMethodSymbol method, Library library) =>
        method is
        {
            MethodKind: MethodKind.Ordinary,
            IsImplicitlyDeclared: false,
            IsOverride: false,
            IsVirtual: false,
            IsAbstract: false,
            Parameters.IsEmpty: false,
        }
        && !library.IsHandlerMethod(method)
        && !ImplementsAnything(method);

    private static bool ImplementsAnything(IMethodSymbol method) =>
        method.ContainingType.AllInterfaces.Any(implemented => implemented.GetMembers().Any(
            member => SymbolEqualityComparer.Default.Equals(
                method.ContainingType.FindImplementationForInterfaceMember(member), method)));

    private static IMethodSymbol? MeantBy(
        IMethodSymbol method, ImmutableArray<IMethodSymbol> callbacks, INamedTypeSymbol type, Library library)
    {
        IMethodSymbol? meant = callbacks.FirstOrDefault(callback => callback.Name == method.Name)
            ?? callbacks.FirstOrDefault(callback =>
                HasSameParameters(method, callback) && IsLike(method, callback.Name));

        // An overload of, or a helper beside, the callback itself.
        return meant is not null && !IsWritten(meant, type, library) ? meant : null;
    }

    // Others may call what is not private, under a name that makes sense of its own.
    private static bool IsLike(IMethodSymbol method, string callback) =>
        method.DeclaredAccessibility == Accessibility.Private
            ? Spelling.IsSimilar(method.Name, callback)
            : Spelling.IsMisspelt(method.Name, callback);

    private static bool IsWritten(IMethodSymbol callback, INamedTypeSymbol type, Library library)
    {
        for (INamedTypeSymbol? parent = type; parent is not null && !library.IsHandlerType(parent);
             parent = parent.BaseType)
        {
            if (parent.GetMembers().OfType<IMethodSymbol>().Any(method => library.IsHandlerMethod(method)
                && method.Name.Split('.').Last() == callback.Name))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasSameParameters(IMethodSymbol method, IMethodSymbol callback) =>
        method.Arity == 0
        && method.Parameters.Length == callback.Parameters.Length
        && method.Parameters.Zip(callback.Parameters, static (one, other) =>
            one.RefKind == other.RefKind && SymbolEqualityComparer.Default.Equals(one.Type, other.Type)).All(
                static isSame => isSame);

    private static Diagnostic DiagnosticFor(IMethodSymbol method, IMethodSymbol callback)
    {
        bool isInterface = callback.ContainingType.TypeKind == TypeKind.Interface;
        string modifiers = isInterface || callback.DeclaredAccessibility == Accessibility.Public
            ? isInterface ? "public" : "public override"
            : "protected override";
        bool hasSameSignature = HasSameParameters(method, callback) && !method.IsStatic
            && SymbolEqualityComparer.Default.Equals(method.ReturnType, callback.ReturnType);
        string advice = !hasSameSignature ? $"the callback is '{modifiers} {Describe(callback)}'"
            : method.Name != callback.Name ? $"its name is '{callback.Name}', and it is {modifiers}"
            : isInterface && method.DeclaredAccessibility == Accessibility.Public
                ? $"the interface is that of a base type; list {callback.ContainingType.Name} at this type, too"
                : $"make it {modifiers}";

        ImmutableDictionary<string, string?> properties = ImmutableDictionary<string, string?>.Empty;
        bool isFixable = hasSameSignature && !method.IsPartialDefinition && method.PartialDefinitionPart is null
            && (method.Name == callback.Name || method.DeclaredAccessibility == Accessibility.Private);
        if (isFixable && !(isInterface && method.Name == callback.Name
            && method.DeclaredAccessibility == Accessibility.Public))
        {
            properties = properties.Add(NameProperty, callback.Name).Add(ModifiersProperty, modifiers);
        }

        return Diagnostic.Create(Rules.NeverCalled, method.Locations[0], properties, method.Name, advice);
    }

    private static string Describe(IMethodSymbol callback) => callback.ToDisplayString(new SymbolDisplayFormat(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameOnly,
        genericsOptions: SymbolDisplayGenericsOptions.IncludeTypeParameters,
        memberOptions: SymbolDisplayMemberOptions.IncludeType | SymbolDisplayMemberOptions.IncludeParameters,
        parameterOptions: SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeName,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.UseSpecialTypes));
}

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>The types of pipes and of the bytes in them.</summary>
internal sealed class BufferTypes
{
    private readonly INamedTypeSymbol _reader;
    private readonly INamedTypeSymbol _result;
    private readonly INamedTypeSymbol _sequence;
    private readonly INamedTypeSymbol? _memory;
    private readonly INamedTypeSymbol? _span;

    private BufferTypes(
        Compilation compilation, INamedTypeSymbol reader, INamedTypeSymbol result, INamedTypeSymbol sequence)
    {
        _reader = reader;
        _result = result;
        _sequence = sequence;
        _memory = compilation.GetTypeByMetadataName("System.ReadOnlyMemory`1");
        _span = compilation.GetTypeByMetadataName("System.ReadOnlySpan`1");
    }

    public static BufferTypes? Of(Compilation compilation) =>
        compilation.GetTypeByMetadataName("System.IO.Pipelines.PipeReader") is { } reader
        && compilation.GetTypeByMetadataName("System.IO.Pipelines.ReadResult") is { } result
        && compilation.GetTypeByMetadataName("System.Buffers.ReadOnlySequence`1") is { } sequence
            ? new BufferTypes(compilation, reader, result, sequence)
            : null;

    public bool IsResult(ITypeSymbol? type) => SymbolEqualityComparer.Default.Equals(type, _result);

    public bool IsSequence(ITypeSymbol? type) => Is(type, _sequence);

    /// <summary>Whether a value of a type refers to bytes and does not own them.</summary>
    public bool IsBytes(ITypeSymbol? type) => Is(type, _sequence) || Is(type, _memory) || Is(type, _span);

    public bool IsAdvance(IInvocationOperation call) => IsOfReader(call, "AdvanceTo");

    /// <summary>Whether a call is one of a method of a pipe reader.</summary>
    public bool IsOfReader(IInvocationOperation call, string name) =>
        call.TargetMethod.Name == name && IsReader(call.Instance?.Type);

    public bool IsReader(ITypeSymbol? type) => Operations.IsOrDerivesFrom(type, _reader);

    /// <summary>Whether a member of a value refers to the same bytes as the value.</summary>
    public bool IsPart(ISymbol member) =>
        (IsResult(member.ContainingType) && member.Name == "Buffer")
        || (IsBytes(member.ContainingType) && member.Name is "Slice" or "First" or "FirstSpan" or "Span");

    private static bool Is(ITypeSymbol? type, INamedTypeSymbol? definition) =>
        definition is not null && SymbolEqualityComparer.Default.Equals(type?.OriginalDefinition, definition);
}

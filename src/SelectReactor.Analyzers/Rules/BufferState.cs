using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace SelectReactor.Analyzers;

/// <summary>Where the bytes of a variable come from, and whether they are still there.</summary>
internal enum BufferLife
{
    /// <summary>The variable has another value on some path.</summary>
    Other,
    Valid,
    GivenBack,
}

/// <summary>What a variable refers to.</summary>
internal readonly struct BufferOrigin(string source, BufferLife life, SyntaxNode? assignment)
    : IEquatable<BufferOrigin>
{
    /// <summary>The source of bytes that are valid until the method returns.</summary>
    public const string Caller = "the caller";

    public static readonly BufferOrigin Other = new("", BufferLife.Other, null);

    /// <summary>The pipe reader that lends the bytes.</summary>
    public string Source { get; } = source;

    public BufferLife Life { get; } = life;

    /// <summary>Where the variable got its value.</summary>
    public SyntaxNode? Assignment { get; } = assignment;

    public BufferOrigin At(SyntaxNode assignment) => new(Source, Life, assignment);

    public BufferOrigin GiveBack() => new(Source, BufferLife.GivenBack, Assignment);

    public bool Equals(BufferOrigin other) => Source == other.Source && Life == other.Life;

    public override bool Equals(object? obj) => obj is BufferOrigin other && Equals(other);

    public override int GetHashCode() => Source.GetHashCode();
}

/// <summary>What each variable refers to at one point of a function.</summary>
internal sealed class BufferState(ImmutableDictionary<ISymbol, BufferOrigin> origins)
{
    public static readonly BufferState Empty =
        new(ImmutableDictionary.Create<ISymbol, BufferOrigin>(SymbolEqualityComparer.Default));

    private readonly ImmutableDictionary<ISymbol, BufferOrigin> _origins = origins;

    public IEnumerable<KeyValuePair<ISymbol, BufferOrigin>> All => _origins;

    public BufferOrigin this[ISymbol variable] =>
        _origins.TryGetValue(variable, out BufferOrigin origin) ? origin : BufferOrigin.Other;

    // Nothing need be known about a local variable with another value, and a long function has many.
    public BufferState With(ISymbol variable, BufferOrigin origin) => new(IsForgotten(variable, origin)
        ? _origins.Remove(variable)
        : _origins.SetItem(variable, origin));

    /// <summary>The state after <c>AdvanceTo</c> of a pipe reader.</summary>
    public BufferState GiveBack(string source)
    {
        ImmutableDictionary<ISymbol, BufferOrigin> next = _origins;
        foreach (KeyValuePair<ISymbol, BufferOrigin> pair in _origins)
        {
            if (pair.Value is { Life: BufferLife.Valid } origin && origin.Source == source)
            {
                next = next.SetItem(pair.Key, origin.GiveBack());
            }
        }

        return new BufferState(next);
    }

    /// <summary>The state when code that may assign any field has run.</summary>
    public BufferState ForgetFields() => Forget(static pair => IsField(pair.Key));

    /// <summary>The state when a variable has another value: what came from it, or from a part of it, is
    /// unknown.</summary>
    public BufferState ForgetSource(string variable)
    {
        string parts = $"{variable}.";
        return Forget(pair => pair.Value.Source == variable
            || pair.Value.Source.StartsWith(parts, StringComparison.Ordinal));
    }

    /// <summary>The same for a field or property of some object.</summary>
    public BufferState ForgetSourcesWith(string member) => Forget(pair =>
        pair.Value.Source.Split('.').Contains(member));

    /// <summary>What holds where two paths meet. A local variable must refer to the same on both. A field may be
    /// assigned on one path only.</summary>
    public BufferState Join(BufferState other)
    {
        if (ReferenceEquals(_origins, other._origins))
        {
            return this;
        }

        var next = _origins.ToBuilder();
        foreach (KeyValuePair<ISymbol, BufferOrigin> pair in _origins)
        {
            bool isInBoth = other.TryGet(pair.Key, out BufferOrigin origin);
            if (isInBoth ? !origin.Equals(pair.Value) : !IsField(pair.Key))
            {
                Set(next, pair.Key, BufferOrigin.Other);
            }
        }

        foreach (KeyValuePair<ISymbol, BufferOrigin> pair in other._origins)
        {
            if (IsField(pair.Key) && !_origins.ContainsKey(pair.Key))
            {
                next[pair.Key] = pair.Value;
            }
        }

        return new BufferState(next.ToImmutable());
    }

    public bool IsSame(BufferState other) => ReferenceEquals(_origins, other._origins)
        || (_origins.Count == other._origins.Count
            && _origins.All(pair => other.TryGet(pair.Key, out BufferOrigin origin) && origin.Equals(pair.Value)));

    private BufferState Forget(Func<KeyValuePair<ISymbol, BufferOrigin>, bool> isUnknown)
    {
        var next = _origins.ToBuilder();
        foreach (KeyValuePair<ISymbol, BufferOrigin> pair in _origins)
        {
            if (isUnknown(pair))
            {
                Set(next, pair.Key, BufferOrigin.Other);
            }
        }

        return new BufferState(next.ToImmutable());
    }

    private static void Set(
        ImmutableDictionary<ISymbol, BufferOrigin>.Builder origins, ISymbol variable, BufferOrigin origin)
    {
        if (IsForgotten(variable, origin))
        {
            origins.Remove(variable);
        }
        else
        {
            origins[variable] = origin;
        }
    }

    private static bool IsForgotten(ISymbol variable, BufferOrigin origin) =>
        origin.Life == BufferLife.Other && !IsField(variable);

    private static bool IsField(ISymbol variable) => variable is IFieldSymbol or IPropertySymbol;

    private bool TryGet(ISymbol variable, out BufferOrigin origin) => _origins.TryGetValue(variable, out origin);
}

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

    public IEnumerable<KeyValuePair<ISymbol, BufferOrigin>> All => origins;

    public BufferOrigin this[ISymbol variable] =>
        origins.TryGetValue(variable, out BufferOrigin origin) ? origin : BufferOrigin.Other;

    public BufferState With(ISymbol variable, BufferOrigin origin) => new(origins.SetItem(variable, origin));

    /// <summary>The state after <c>AdvanceTo</c> of a pipe reader.</summary>
    public BufferState GiveBack(string source)
    {
        ImmutableDictionary<ISymbol, BufferOrigin> next = origins;
        foreach (KeyValuePair<ISymbol, BufferOrigin> pair in origins)
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
    public BufferState ForgetSource(string variable) => Forget(pair => pair.Value.Source == variable
        || pair.Value.Source.StartsWith($"{variable}.", StringComparison.Ordinal));

    /// <summary>The same for a field or property of some object.</summary>
    public BufferState ForgetSourcesWith(string member) => Forget(pair =>
        pair.Value.Source.Split('.').Contains(member));

    /// <summary>What holds where two paths meet. A local variable must refer to the same on both. A field may be
    /// assigned on one path only.</summary>
    public BufferState Join(BufferState other)
    {
        ImmutableDictionary<ISymbol, BufferOrigin> next = origins;
        foreach (KeyValuePair<ISymbol, BufferOrigin> pair in origins)
        {
            bool isInBoth = other.TryGet(pair.Key, out BufferOrigin origin);
            if (isInBoth ? !origin.Equals(pair.Value) : !IsField(pair.Key))
            {
                next = next.SetItem(pair.Key, BufferOrigin.Other);
            }
        }

        foreach (KeyValuePair<ISymbol, BufferOrigin> pair in other.All)
        {
            if (!origins.ContainsKey(pair.Key))
            {
                next = next.SetItem(pair.Key, IsField(pair.Key) ? pair.Value : BufferOrigin.Other);
            }
        }

        return new BufferState(next);
    }

    public bool IsSame(BufferState other)
    {
        KeyValuePair<ISymbol, BufferOrigin>[] others = [.. other.All];
        return others.Length == origins.Count
            && others.All(pair => TryGet(pair.Key, out BufferOrigin origin) && origin.Equals(pair.Value));
    }

    private BufferState Forget(Func<KeyValuePair<ISymbol, BufferOrigin>, bool> isUnknown)
    {
        KeyValuePair<ISymbol, BufferOrigin>[] unknown = [.. origins.Where(isUnknown)];
        return unknown.Length == 0
            ? this
            : new BufferState(origins.SetItems(unknown.Select(static pair =>
                new KeyValuePair<ISymbol, BufferOrigin>(pair.Key, BufferOrigin.Other))));
    }

    private static bool IsField(ISymbol variable) => variable is IFieldSymbol or IPropertySymbol;

    private bool TryGet(ISymbol variable, out BufferOrigin origin) => origins.TryGetValue(variable, out origin);
}

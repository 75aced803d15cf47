namespace SelectReactor.Dispatch;

/// <summary>A limit on connections of which all places are taken.</summary>
/// <param name="Option">The option that sets it, with its class.</param>
/// <param name="Max">The number of places.</param>
internal readonly record struct ReachedLimit(string Option, int Max)
{
    /// <summary>For messages.</summary>
    public override string ToString() => $"{Max} connections of {Max}, {Option}";
}

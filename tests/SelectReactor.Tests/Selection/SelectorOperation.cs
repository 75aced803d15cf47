namespace SelectReactor.Tests.Selection;

/// <summary>What can happen to a connection of a <see cref="SelectorWorld"/>.</summary>
public enum Happening
{
    Open,
    ChangeInterest,
    Cancel,
    Register,
    RegisterAnew,
    Send,
    Drain,
    EndStream,
    Reset,
    FillSendBuffer,
    ReadAll,
    CloseBehindItsBack,
    Wake,
}

/// <summary>One operation, as data that can be printed and made smaller.</summary>
/// <param name="What">What happens.</param>
/// <param name="Target">To which connection, counted round.</param>
/// <param name="Interest">The new interest, where there is one.</param>
public readonly record struct SelectorOperation(Happening What, int Target, Interest Interest)
{
    public override string ToString() => $"{What} {Target} {Interest}";
}

/// <summary>A piece of a run.</summary>
/// <param name="Before">What happens before a tick.</param>
/// <param name="During">What happens in its callbacks, one each.</param>
public sealed record SelectorStep(SelectorOperation[] Before, SelectorOperation[] During)
{
    public override string ToString() => $"[{string.Join("; ", Before)} | {string.Join("; ", During)}]";
}

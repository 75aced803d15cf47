namespace SelectReactor.Dispatch;

/// <summary>How far the drain of a reactor has come.</summary>
internal enum DrainState
{
    /// <summary>None has begun.</summary>
    None,

    /// <summary>Connections, and those that open later, are told of the end.</summary>
    Telling,

    /// <summary>Connections, and those that open while somebody waits for the end, are closed.</summary>
    Closing,

    /// <summary>None was left. Connections that open later are told of the end.</summary>
    Over,
}

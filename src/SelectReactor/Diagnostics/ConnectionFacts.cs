namespace SelectReactor.Diagnostics;

/// <summary>What decides which connections a dump shows.</summary>
internal readonly struct ConnectionFacts
{
    public string State { get; init; }

    /// <summary>Bytes that wait to be sent.</summary>
    public long QueuedBytes { get; init; }

    /// <summary>When something was last received or sent, in the units of the reactor's clock.</summary>
    public long LastActivity { get; init; }

    public bool IsReadPaused { get; init; }
}

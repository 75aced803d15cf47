namespace SelectReactor;

/// <summary>What a listener does with new clients when the limit on connections is reached.</summary>
public enum WhenFull
{
    /// <summary>It accepts none until a connection closes. Clients wait in the backlog as long as that has
    /// room.</summary>
    Pause,

    /// <summary>It accepts and resets them (RST), so that they learn at once that they are not served.</summary>
    Refuse,
}

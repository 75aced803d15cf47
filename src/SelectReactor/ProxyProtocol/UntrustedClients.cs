namespace SelectReactor;

/// <summary>What a listener with the PROXY protocol does with clients that are no trusted proxies.</summary>
public enum UntrustedClients
{
    /// <summary>Resets them at once, before anything is read. They count as refused.</summary>
    Refuse,

    /// <summary>Serves them without a header and with their own addresses: all their bytes belong to the application,
    /// a PROXY header, too.</summary>
    ServeDirectly,
}

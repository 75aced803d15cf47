namespace SelectReactor;

/// <summary>Where the code runs that reads requests and writes responses.</summary>
public enum TransportScheduling
{
    /// <summary>On the thread pool, as with Kestrel's own transport. Handlers may block.</summary>
    ThreadPool,

    /// <summary>On the thread of the connection's reactor, inside the call that received the bytes, until the handler
    /// awaits something that completes elsewhere. It saves a hand-over to another thread for each request. A handler
    /// that blocks or computes for long holds up every connection of that reactor.</summary>
    Inline,
}

namespace SelectReactor;

/// <summary>What a <see cref="RequestClient{TRequest, TResponse}"/> does with a request while it has no
/// connection.</summary>
public enum WhenDisconnected
{
    /// <summary>The request fails at once.</summary>
    Fail,

    /// <summary>The request waits for the next connection, within its time-out: for a client that
    /// reconnects.</summary>
    Wait,
}

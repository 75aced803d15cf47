namespace SelectReactor;

/// <summary>Why a connection ended: the first thing that happened.</summary>
public enum CloseKind
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>This side closed it.</summary>
    Local,

    /// <summary>The peer ended its stream in good order (FIN).</summary>
    PeerClosed,

    /// <summary>The peer, or the network, cut it (RST).</summary>
    PeerReset,

    /// <summary>This side aborted it, or the system reported another error.</summary>
    Aborted,

    /// <summary>Its handler threw an exception.</summary>
    HandlerFault,

    /// <summary>The peer broke the protocol.</summary>
    ProtocolError,

    /// <summary>A time-out ended it.</summary>
    TimedOut,

    /// <summary>A limit was exceeded.</summary>
    LimitExceeded,

    /// <summary>Its reactor was stopped for good.</summary>
    ReactorStopped,
}

/// <summary>Why a connection ended, and how much was lost.</summary>
public readonly record struct CloseReason
{
    /// <summary>The first thing that happened.</summary>
    public CloseKind Kind { get; init; }

    /// <summary>The error behind it. Null if there was no error, or if it came after the close and lost no
    /// data.</summary>
    public Exception? Error { get; init; }

    /// <summary>Bytes that were written and did not reach the peer, as far as this side knows: those still queued, and
    /// on a connection that was cut, or whose linger time was over, those that the system had taken and the peer's
    /// system had not acknowledged (TCP on Linux; elsewhere nobody tells, and only the queue counts). After the linger
    /// time the system goes on to send the latter, so the peer may still get them. Bytes written after the connection
    /// had failed or closed are not counted.</summary>
    public long UnsentBytes { get; init; }
}

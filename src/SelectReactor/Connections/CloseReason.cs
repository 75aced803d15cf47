namespace SelectReactor;

/// <summary>Why a connection ended: the first thing that happened to it.</summary>
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

    /// <summary>It needed more than a limit allows.</summary>
    LimitExceeded,

    /// <summary>Its reactor was stopped for good.</summary>
    ReactorStopped,
}

/// <summary>Why a connection ended, and what was lost with it.</summary>
public readonly record struct CloseReason
{
    /// <summary>The first thing that happened.</summary>
    public CloseKind Kind { get; init; }

    /// <summary>The error behind it; null when there was none, or none that kept anything from being sent: a connection that
    /// this side has closed, and whose queue the system has taken, ends with null also where the peer cuts it then.</summary>
    public Exception? Error { get; init; }

    /// <summary>Bytes that were written and not handed to the system. What the system had taken is not counted: only an
    /// answer of the peer could tell what became of that. Nor is what was written after the connection had failed.</summary>
    public long UnsentBytes { get; init; }
}

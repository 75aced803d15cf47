namespace SelectReactor.Testing.Network;

/// <summary>The states of a TCP connection, by their names in RFC 9293, as one of its two ends sees it. FIN counts as
/// sent when the program has ended its output, though it leaves after the bytes that are still queued.</summary>
internal enum TcpState : byte
{
    /// <summary>Not connected yet.</summary>
    Unconnected,

    /// <summary>Our SYN is sent, and not answered yet.</summary>
    SynSent,

    /// <summary>We answered a client's SYN; the client has not confirmed it yet.</summary>
    SynReceived,

    /// <summary>Both directions are open.</summary>
    Established,

    /// <summary>We sent FIN; the peer has not acknowledged it.</summary>
    FinWait1,

    /// <summary>The peer acknowledged our FIN and still sends.</summary>
    FinWait2,

    /// <summary>The peer sent FIN; we still send.</summary>
    CloseWait,

    /// <summary>Both ends sent FIN at the same time; the peer has not acknowledged ours.</summary>
    Closing,

    /// <summary>The peer sent FIN, then we did; the peer has not acknowledged ours.</summary>
    LastAck,

    /// <summary>Both ends sent FIN, we first: the connection is over.</summary>
    TimeWait,

    /// <summary>Both ends sent FIN, the peer first: the connection is over.</summary>
    Closed,

    /// <summary>The attempt to connect was refused, timed out or was given up.</summary>
    Failed,

    /// <summary>The connection was cut, by a reset or by a time-out of the system: nothing is sent or received any
    /// more.</summary>
    Reset,
}

/// <summary>What the states mean.</summary>
internal static class TcpStates
{
    /// <summary>Whether a connection may go from one state to another.</summary>
    public static bool MayBecome(this TcpState from, TcpState to) => to switch
    {
        TcpState.SynSent or TcpState.SynReceived => from == TcpState.Unconnected,
        TcpState.Established => from is TcpState.SynSent or TcpState.SynReceived,
        TcpState.FinWait1 or TcpState.CloseWait => from == TcpState.Established,
        TcpState.FinWait2 or TcpState.Closing => from == TcpState.FinWait1,
        TcpState.LastAck => from == TcpState.CloseWait,
        TcpState.TimeWait => from is TcpState.FinWait2 or TcpState.Closing,
        TcpState.Closed => from == TcpState.LastAck,
        TcpState.Failed => from is TcpState.SynSent,
        TcpState.Reset => from is not (TcpState.Unconnected or TcpState.SynSent) && !from.IsOver(),
        _ => false,
    };

    /// <summary>Whether nothing more can happen to the connection.</summary>
    public static bool IsOver(this TcpState state) =>
        state is TcpState.TimeWait or TcpState.Closed or TcpState.Failed or TcpState.Reset;

    /// <summary>Whether the program may send.</summary>
    public static bool CanSend(this TcpState state) => state is TcpState.Established or TcpState.CloseWait;

    /// <summary>Whether the peer may still send.</summary>
    public static bool CanReceive(this TcpState state) =>
        state is TcpState.Established or TcpState.FinWait1 or TcpState.FinWait2;

    /// <summary>Whether the program has ended its output.</summary>
    public static bool HasSentFin(this TcpState state) => state is TcpState.FinWait1 or TcpState.FinWait2
        or TcpState.Closing or TcpState.LastAck or TcpState.TimeWait or TcpState.Closed;
}

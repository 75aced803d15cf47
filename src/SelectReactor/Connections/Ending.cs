using System.Net.Sockets;
using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <summary>What a connection notes about its end, once that begins.</summary>
internal sealed class Ending
{
    public CloseReason Reason { get; set; }

    /// <summary>The error that a receive or send has met first.</summary>
    public SocketError Failure { get; set; }

    /// <summary>Written bytes that were dropped before the system took them.</summary>
    public long BytesLost { get; set; }

    /// <summary>Bytes that were received after the close and dropped.</summary>
    public long BytesDropped { get; set; }

    /// <summary>Null unless the connection lingers.</summary>
    public LinkedListNode<ILingering>? Lingering { get; set; }

    /// <summary>Whether the peer is to see a reset.</summary>
    public bool IsReset { get; set; }
}

using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>What an error of accept(2) concerns.</summary>
internal static class AcceptErrors
{
    /// <summary>One client, surely: Linux passes errors that are already pending on the new socket (accept(2), "Error
    /// handling"). The next client may be fine.</summary>
    public static bool IsOfOneClient(SocketError error) => error
        is SocketError.ConnectionAborted
        or SocketError.ConnectionReset or SocketError.Interrupted or SocketError.TimedOut
        or SocketError.NetworkDown or SocketError.NetworkUnreachable
        or SocketError.HostDown or SocketError.HostUnreachable;

    /// <summary>One client or all of them, which only the next calls tell. EPROTO and ENONET are of one client and
    /// ENOMEM is of all; the runtime has no name for any of them. EPERM is a rule of a firewall against one client, or
    /// a policy against the program.</summary>
    public static bool MayBeOfOneClient(SocketError error) => error
        is SocketError.SocketError or SocketError.AccessDenied
        or SocketError.ProtocolOption or SocketError.OperationNotSupported;

    /// <summary>The system is short of descriptors or memory for sockets.</summary>
    public static bool IsExhaustion(SocketError error) =>
        error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable;
}

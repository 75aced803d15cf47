using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <summary>
/// The protocol of one datagram socket, or of many that share the object. You implement it, best by deriving from
/// <see cref="DatagramHandler"/>. All calls come on the reactor's thread, one after the other, and never inside a call
/// of the socket. An exception loses that datagram and is logged; the socket stays open, since it serves other peers
/// as well. Only an exception of <see cref="OnStopping"/> closes it.
/// </summary>
/// <remarks>A loose mock of this interface by Moq skips the default bodies; set <c>CallBase = true</c> to have
/// them.</remarks>
public interface IDatagramHandler
{
    /// <summary>A datagram has arrived, whole. It may be empty, may be one that arrived before, and may have been sent
    /// after or before others that are still on their way.</summary>
    /// <param name="socket">The socket; <c>socket.TrySend(…, remote)</c> answers.</param>
    /// <param name="remote">The sender. The object is used again for the next datagram: keep a
    /// <c>remote.Copy()</c>, and look peers up with the object itself, since equal addresses are equal keys, also the
    /// one that <c>endPoint.Serialize()</c> makes. An address can be forged. Of a Unix-domain sender that is not bound
    /// the size is 0.</param>
    /// <param name="datagram">The content, valid until the call returns.</param>
    void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram);

    /// <summary>
    /// The network reported an error, and the socket goes on. The system keeps only the last error, and reports that
    /// come in one tick may be told as one, so do not count them. On a connected socket
    /// <see cref="SocketError.ConnectionRefused"/> says that no program has the peer's port (an ICMP message, which
    /// can be forged or lost), and <see cref="SocketError.HostUnreachable"/> that there is no way to the peer.
    /// <see cref="SocketError.MessageSize"/> says that a datagram was longer than
    /// <see cref="DatagramOptions.MaxDatagramBytes"/> and was dropped, or on a connected socket that one was lost
    /// because it was too long for a router. The system sends the next ones in pieces, or refuses them with
    /// <see cref="DatagramOptions.DontFragment"/>. A socket that is not connected is not told of unreachable peers.
    /// </summary>
    void OnError(DatagramSocket socket, SocketError error)
    {
    }

    /// <summary>After a <see cref="DatagramSendResult.WouldBlock"/>: there may be room now.</summary>
    void OnWritable(DatagramSocket socket)
    {
    }

    /// <summary>A shutdown of the reactor has begun (<see cref="Reactor.ShutdownAsync"/>). The default closes the
    /// socket. A handler that overrides it finishes what is under way and then closes; at the deadline the socket is
    /// closed with <see cref="CloseKind.ReactorStopped"/>.</summary>
    void OnStopping(DatagramSocket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        socket.Close();
    }

    /// <summary>The socket is gone. Called exactly once, and last.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="reason">Local; Aborted if the system or somebody else closed the socket; ReactorStopped; or
    /// HandlerFault if <see cref="OnStopping"/> threw.</param>
    void OnClosed(DatagramSocket socket, CloseReason reason)
    {
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <summary>
/// A socket of a reactor that sends and receives datagrams: UDP over IPv4 and IPv6, or Unix-domain datagrams.
/// <c>reactor.BindDatagram</c> and <c>reactor.ConnectDatagram</c> make it. Members are for the reactor's thread,
/// except those that say "any thread". The reactor closes it when it is disposed or shut down. The class is abstract
/// so that a test of a handler can derive a substitute.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public abstract class DatagramSocket : IDisposable
{
    /// <summary>For derived classes.</summary>
    protected DatagramSocket()
    {
    }

    /// <summary>The reactor. Any thread.</summary>
    public abstract Reactor Reactor { get; }

    /// <summary>The address of this socket. If port 0 was asked for, it contains the port that the system chose. Null
    /// for a Unix-domain socket that is not bound. Any thread.</summary>
    public abstract EndPoint? LocalEndPoint { get; }

    /// <summary>The only peer of a connected socket; null if the socket is not connected. Any thread.</summary>
    public abstract EndPoint? RemoteEndPoint { get; }

    /// <summary>Whether it is closed. Any thread.</summary>
    public abstract bool IsClosed { get; }

    /// <summary>What it has received and sent so far. Any thread.</summary>
    public abstract DatagramStatistics Statistics { get; }

    /// <summary>Sends one datagram to the peer of a connected socket, whole or not at all. It does not wait and
    /// queues nothing. Allocates nothing when it is sent.</summary>
    /// <exception cref="InvalidOperationException">The socket is not connected: name a receiver. Or the method is
    /// called on another thread.</exception>
    public abstract DatagramSendResult TrySend(ReadOnlySpan<byte> datagram);

    /// <summary>Sends one datagram to an address, whole or not at all. It does not wait and queues nothing. Allocates
    /// nothing when it is sent; a refused one costs an exception of the runtime, which is caught, without
    /// SelectReactor.Epoll.</summary>
    /// <param name="datagram">The content. With no bytes it is an empty datagram.</param>
    /// <param name="remote">The receiver: that of <see cref="IDatagramHandler.OnReceived"/>, a copy, or what
    /// <c>endPoint.Serialize()</c> made. On a connected socket it must be its peer.</param>
    /// <exception cref="ArgumentNullException"><paramref name="remote"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="remote"/> is of another address family than the
    /// socket.</exception>
    /// <exception cref="InvalidOperationException">The socket is connected to another peer, or the method is called
    /// on another thread.</exception>
    public abstract DatagramSendResult TrySend(ReadOnlySpan<byte> datagram, SocketAddress remote);

    /// <summary>Joins a multicast group: datagrams that are sent to the group and to this socket's port arrive here,
    /// too. Bind to <see cref="IPAddress.Any"/> or <see cref="IPAddress.IPv6Any"/> for it. The membership ends with
    /// <see cref="LeaveGroup"/> or with the socket.</summary>
    /// <param name="group">The address of the group, 224.0.0.0/4 or ff00::/8. 239.0.0.0/8 is for private use
    /// (RFC 2365).</param>
    /// <param name="interfaceIndex">The network interface to join on, by its index (if_nametoindex(3), or the
    /// properties of a <see cref="System.Net.NetworkInformation.NetworkInterface"/>). 0 lets the system choose, which
    /// on a machine with several interfaces may be the wrong one.</param>
    /// <param name="source">The only sender to hear (source-specific multicast, RFC 4607; Linux and Windows). Null
    /// for all.</param>
    /// <exception cref="ArgumentNullException"><paramref name="group"/> is null.</exception>
    /// <exception cref="SocketException">The system refuses, for example because the group is joined already or there
    /// is no such interface. The message says so.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public abstract void JoinGroup(IPAddress group, int interfaceIndex = 0, IPAddress? source = null);

    /// <summary>Leaves a multicast group that was joined with the same arguments.</summary>
    /// <param name="group">The address of the group.</param>
    /// <param name="interfaceIndex">The network interface.</param>
    /// <param name="source">The sender.</param>
    /// <exception cref="ArgumentNullException"><paramref name="group"/> is null.</exception>
    /// <exception cref="SocketException">The system refuses, for example because the group is not joined.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public abstract void LeaveGroup(IPAddress group, int interfaceIndex = 0, IPAddress? source = null);

    /// <summary>Tells how many datagrams the system has dropped before this socket could receive them, for example
    /// because the receive buffer was full (SO_MEMINFO, Linux). See
    /// <see cref="DatagramOptions.ReceiveBufferBytes"/>.</summary>
    /// <param name="count">The number since the socket was made; 0 if it is not known.</param>
    /// <returns>Whether the system tells. False once the socket is closed.</returns>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public virtual bool TryGetDroppedBySystem(out long count)
    {
        count = 0;
        return false;
    }

    /// <summary>What the socket offers besides its members. <see cref="Socket"/> of a real one, for options that have
    /// no name here: do not send, receive or close with it.</summary>
    /// <returns>The feature; null if there is no such one.</returns>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public virtual T? GetFeature<T>()
        where T : class => null;

    /// <summary>Closes the socket. Datagrams that have arrived and were not received are lost, and those that were
    /// sent are on their way. <see cref="IDatagramHandler.OnClosed"/> follows in a later phase of the loop.
    /// Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public abstract void Close();

    /// <summary>Closes the socket as <see cref="Close"/> does: at once on the reactor's thread, and while the loop
    /// does not run, on the thread that made the reactor or ran its loop last; from another thread in a later phase
    /// of the loop. Any thread; idempotent.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the socket.</summary>
    protected abstract void Dispose(bool disposing);
}

using System.Net;
using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <summary>Makes servers and clients on a <see cref="Reactor"/>.</summary>
public static class ReactorExtensions
{
    extension(Reactor reactor)
    {
        /// <summary>The open connections of the reactor, accepted and outgoing. Use it on the reactor's thread only.
        /// The count is always the current one. Each enumeration runs over a snapshot that it takes when it begins:
        /// its body may open and close connections. A connection that closes meanwhile is still enumerated, and a new
        /// one is not.</summary>
        public IReadOnlyCollection<Connection> Connections
        {
            get
            {
                ArgumentNullException.ThrowIfNull(reactor);
                return new ConnectionCollection(reactor);
            }
        }
    }

    /// <summary>Listens on an address. One handler serves all clients.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(this Reactor reactor, EndPoint endPoint, IConnectionHandler handler) =>
        Listen(reactor, endPoint, handler, new ListenerOptions());

    /// <summary>Listens on an address. One handler serves all clients.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor, EndPoint endPoint, IConnectionHandler handler, ListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Listen(reactor, endPoint, _ => handler, options);
    }

    /// <summary>Listens on an address. Each client has a handler of its own.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor, EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory) =>
        Listen(reactor, endPoint, handlerFactory, new ListenerOptions());

    /// <summary>Listens on an address. Each client has a handler of its own. The listener accepts clients as soon as
    /// the loop runs. Call it on the reactor's thread, or before the loop runs. An address can be used again at once
    /// if connections of an earlier server have not quite ended there (TIME_WAIT, RFC 9293), but not if another
    /// program listens there. The file of a Unix-domain socket that a killed server left behind is replaced; any other
    /// file stays, and is an error.</summary>
    /// <param name="reactor">The reactor that serves the clients.</param>
    /// <param name="endPoint">The address. With port 0 the system chooses the port; see
    /// <see cref="Listener.LocalEndPoint"/>. An IPv4 address that is written as IPv6 (::ffff:a.b.c.d) means the IPv4
    /// address, unless <see cref="ListenerOptions.DualMode"/> is set.</param>
    /// <param name="handlerFactory">Makes the handler of a new connection, before its <c>OnConnected</c>. An exception
    /// refuses that client.</param>
    /// <param name="options">How to accept clients.</param>
    /// <returns>The listener. The reactor closes it when it is disposed or shut down, if you have not done so
    /// before.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="NotSupportedException">The end point is a host name. Resolve it first.</exception>
    /// <exception cref="SocketException">The system refuses the address: it is in use, does not belong to this
    /// machine, or is not permitted.</exception>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or called on another
    /// thread.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public static Listener Listen(
        this Reactor reactor,
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(handlerFactory);
        ArgumentNullException.ThrowIfNull(options);
        VerifyAddress(endPoint);
        return new Listener(reactor, new ListeningSocket(endPoint, options), handlerFactory, options.Copy());
    }

    /// <summary>Listens on a socket that is already bound, for example one inherited from a service manager. Each
    /// client has a handler of its own. Call it on the reactor's thread, or before the loop runs.</summary>
    /// <param name="reactor">The reactor that serves the clients.</param>
    /// <param name="socket">A bound stream socket, listening or not. The listener owns and closes it from now on. If
    /// this method throws, dispose of the socket yourself.</param>
    /// <param name="handlerFactory">Makes the handler of a new connection. An exception refuses that client.</param>
    /// <param name="options">How to accept clients. <see cref="ListenerOptions.DualMode"/> and
    /// <see cref="ListenerOptions.ReusePort"/> have no effect here.</param>
    /// <returns>The listener.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The socket is not bound.</exception>
    /// <exception cref="SocketException">The system refuses.</exception>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or called on another
    /// thread.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed, or the socket is.</exception>
    public static Listener Listen(
        this Reactor reactor,
        Socket socket,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(handlerFactory);
        ArgumentNullException.ThrowIfNull(options);
        return new Listener(reactor, new ListeningSocket(socket), handlerFactory, options.Copy());
    }

    /// <summary>Makes a connection of a socket that is already connected, for example one that another library
    /// accepted. Call it on the reactor's thread, or before the loop runs. <c>OnConnected</c> comes in a later phase
    /// of the loop.</summary>
    /// <param name="reactor">The reactor that serves the connection.</param>
    /// <param name="socket">A connected stream socket. The connection owns and closes it from now on. If this method
    /// throws, dispose of the socket yourself.</param>
    /// <param name="handler">The handler of the connection.</param>
    /// <param name="options">The limits and settings. Those that concern the socket are set on it.</param>
    /// <returns>The connection, which is <see cref="ConnectionState.Opening"/> until <c>OnConnected</c>.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The socket is not connected.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread, or the reactor has as many connections as
    /// its <see cref="ReactorOptions.MaxConnections"/> allows.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed, or the socket is.</exception>
    public static Connection Adopt(
        this Reactor reactor, Socket socket, IConnectionHandler handler, ConnectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(options);
        reactor.VerifyCanStart();
        if (reactor.IsFull)
        {
            throw new InvalidOperationException("The reactor has as many connections as its MaxConnections allows.");
        }

        var handle = new SocketHandle(socket);
        if (handle.RemoteEndPoint is null)
        {
            throw new ArgumentException("The socket is not connected.", nameof(socket));
        }

        options = options.Copy();
        options.ApplyTo(handle, socket.AddressFamily);
        var connection = new StreamConnection(
            reactor, handle, options, pauseReadingWhenOutputIsFull: true, localEndPoint: null, onFinished: null);
        connection.Register();
        reactor.Post(() => connection.TryOpen(handler));
        return connection;
    }

    /// <summary>Connects to an address.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(this Reactor reactor, EndPoint endPoint, IConnectionHandler handler) =>
        ConnectAsync(reactor, endPoint, handler, ConnectOptions.Default, CancellationToken.None);

    /// <summary>Connects to an address.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor, EndPoint endPoint, IConnectionHandler handler, CancellationToken cancellationToken) =>
        ConnectAsync(reactor, endPoint, handler, ConnectOptions.Default, cancellationToken);

    /// <summary>Connects to an address, or to a host by name (<see cref="DnsEndPoint"/>), without blocking. The
    /// addresses of a host are tried one after the other, IPv6 first, the next one as soon as one fails or takes long.
    /// The first that answers is taken (Happy Eyeballs, RFC 8305). Any thread. The loop must be running for it to make
    /// progress, and the connection's members belong to the reactor's thread as always.</summary>
    /// <param name="reactor">The reactor that serves the connection.</param>
    /// <param name="endPoint">The address, or the host's name and the port. An IPv4 address that is written as IPv6
    /// (::ffff:a.b.c.d) means the IPv4 address.</param>
    /// <param name="handler">The handler of the connection. Its <c>OnConnected</c> comes before the task
    /// completes.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="cancellationToken">Cancels the attempt. It has no effect on a connection that is open.</param>
    /// <returns>A task with the open connection. It fails with a <see cref="SocketException"/> if the attempt is
    /// refused, the address is unreachable or can't be bound, or the host is unknown; with a
    /// <see cref="TimeoutException"/> after <see cref="ConnectOptions.Timeout"/>; with an
    /// <see cref="OperationCanceledException"/> if it is cancelled or the reactor stops; with an
    /// <see cref="InvalidOperationException"/> if the reactor is already shutting down or has reached
    /// <see cref="ReactorOptions.MaxConnections"/>; and with an <see cref="ObjectDisposedException"/> if the reactor
    /// is disposed.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor,
        EndPoint endPoint,
        IConnectionHandler handler,
        ConnectOptions options,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(endPoint);
        return new Connector(
            reactor, MappedAddress.Copy(endPoint), handler, options.Copy(), cancellationToken).ConnectAsync();
    }

    private static void VerifyAddress(EndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        if (endPoint is DnsEndPoint name)
        {
            throw new NotSupportedException(
                $"{name.Host} is a host name: resolve it with Dns.GetHostAddressesAsync and pass an IPEndPoint.");
        }
    }
}

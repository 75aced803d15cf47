using System.Net;
using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <summary>Servers and clients on a <see cref="Reactor"/>.</summary>
public static class ReactorExtensions
{
    extension(Reactor reactor)
    {
        /// <summary>The open connections of the reactor, accepted and outgoing. On the reactor's thread only; a view, not a
        /// copy, so that it changes when a tick has ended.</summary>
        public IReadOnlyCollection<Connection> Connections
        {
            get
            {
                ArgumentNullException.ThrowIfNull(reactor);
                return new ConnectionCollection(reactor);
            }
        }
    }

    /// <summary>Listens on an address; one handler serves all the clients.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(this Reactor reactor, EndPoint endPoint, IConnectionHandler handler) =>
        Listen(reactor, endPoint, handler, ListenerOptions.Default);

    /// <summary>Listens on an address; one handler serves all the clients.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(this Reactor reactor, EndPoint endPoint, IConnectionHandler handler, ListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Listen(reactor, endPoint, _ => handler, options);
    }

    /// <summary>Listens on an address; each client has a handler of its own.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor, EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory) =>
        Listen(reactor, endPoint, handlerFactory, ListenerOptions.Default);

    /// <summary>Listens on an address; each client has a handler of its own. It accepts as soon as the loop runs. On the
    /// reactor's thread, or before the loop runs. An address on which connections of an earlier server have not quite ended
    /// (TIME_WAIT, RFC 9293) can be used again at once; one that another program listens on can't.</summary>
    /// <param name="reactor">The reactor that serves the clients.</param>
    /// <param name="endPoint">The address; port 0 lets the system choose one, which <see cref="Listener.LocalEndPoint"/>
    /// tells.</param>
    /// <param name="handlerFactory">Makes the handler of a new connection, before its <c>OnConnected</c>. An exception
    /// refuses that client.</param>
    /// <param name="options">How to accept.</param>
    /// <returns>The listener; the reactor closes it at the latest.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="NotSupportedException">The end point is a host name, which has to be resolved first.</exception>
    /// <exception cref="SocketException">The system refuses the address: it is in use, not one of this
    /// machine, or not permitted.</exception>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or called on another thread.</exception>
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
        return new Listener(reactor, new ListeningSocket(endPoint), handlerFactory, options);
    }

    /// <summary>Listens on a socket that is bound already, such as one that was inherited from a service manager; each client
    /// has a handler of its own. On the reactor's thread, or before the loop runs.</summary>
    /// <param name="reactor">The reactor that serves the clients.</param>
    /// <param name="socket">A bound stream socket, listening or not. The listener owns and closes it from now on; when this
    /// throws, dispose of it yourself.</param>
    /// <param name="handlerFactory">Makes the handler of a new connection.</param>
    /// <param name="options">How to accept; <see cref="ListenerOptions.DualMode"/> and
    /// <see cref="ListenerOptions.ReusePort"/> have no meaning here.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The socket is not bound.</exception>
    /// <exception cref="SocketException">The system refuses.</exception>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or called on another thread.</exception>
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
        return new Listener(reactor, new ListeningSocket(socket), handlerFactory, options);
    }

    /// <summary>Makes a connection of a socket that is connected already, such as one that another library accepted. On the
    /// reactor's thread, or before the loop runs; <c>OnConnected</c> comes in a later phase of the loop.</summary>
    /// <param name="reactor">The reactor that serves the connection.</param>
    /// <param name="socket">A connected stream socket; the connection owns and closes it from now on. When this throws, dispose
    /// of it yourself.</param>
    /// <param name="handler">Who is called.</param>
    /// <param name="options">Limits and habits; what is a matter of the socket is set on it.</param>
    /// <returns>The connection, which is <see cref="ConnectionState.Opening"/> until <c>OnConnected</c>.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The socket is not connected.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread, or the reactor has as many connections as its
    /// <see cref="ReactorOptions.MaxConnections"/> allows.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed, or the socket is.</exception>
    public static Connection Adopt(this Reactor reactor, Socket socket, IConnectionHandler handler, ConnectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(options);
        reactor.VerifyAccess();
        ObjectDisposedException.ThrowIf(reactor.IsDisposed, reactor);
        if (reactor.IsFull)
        {
            throw new InvalidOperationException("The reactor has as many connections as its MaxConnections allows.");
        }

        var handle = new SocketHandle(socket);
        if (handle.RemoteEndPoint is null)
        {
            throw new ArgumentException("The socket is not connected.", nameof(socket));
        }

        options.ApplyTo(handle, socket.AddressFamily);
        var connection = new StreamConnection(
            reactor, handle, options, pauseReadingWhenOutputIsFull: true, localEndPoint: null, onFinished: null);
        connection.Register();
        reactor.Post(() => connection.Open(handler));
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

    /// <summary>Connects to an address, or to a host by name (<see cref="DnsEndPoint"/>), without blocking: a host's
    /// addresses are tried one after the other, IPv6 first, the next one as soon as one fails or takes long, and the first
    /// that answers is taken (Happy Eyeballs, RFC 8305). Any thread; the loop must be running for it to get on, and the
    /// connection's members remain those of the reactor's thread.</summary>
    /// <param name="reactor">The reactor that serves the connection.</param>
    /// <param name="endPoint">The address, or the host's name and the port.</param>
    /// <param name="handler">Who is called; its <c>OnConnected</c> comes before the task completes.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="cancellationToken">Gives the attempt up; without effect once connected.</param>
    /// <returns>A task with the open connection. It fails with a <see cref="SocketException"/> when the
    /// attempt is refused, the address unreachable or not to be bound, or the host unknown, a <see cref="TimeoutException"/> after
    /// <see cref="ConnectOptions.Timeout"/>, an <see cref="OperationCanceledException"/> when cancelled or when the reactor
    /// stops, an <see cref="InvalidOperationException"/> when it is shutting down already, and an
    /// <see cref="ObjectDisposedException"/> when it is disposed.</returns>
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
        return new Connector(reactor, endPoint, handler, options, cancellationToken).ConnectAsync();
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

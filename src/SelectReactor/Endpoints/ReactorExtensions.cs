using System.Net;
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
    /// <exception cref="System.Net.Sockets.SocketException">The system refuses the address: it is in use, not one of this
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
        return new Listener(reactor, endPoint, handlerFactory, options);
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

    /// <summary>Connects to an address without blocking. Any thread; the loop must be running for it to get on, and the
    /// connection's members remain those of the reactor's thread.</summary>
    /// <param name="reactor">The reactor that serves the connection.</param>
    /// <param name="endPoint">The address.</param>
    /// <param name="handler">Who is called; its <c>OnConnected</c> comes before the task completes.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="cancellationToken">Gives the attempt up; without effect once connected.</param>
    /// <returns>A task with the open connection. It fails with a <see cref="System.Net.Sockets.SocketException"/> when the
    /// attempt is refused or the address unreachable or not to be bound, a <see cref="TimeoutException"/> after
    /// <see cref="ConnectOptions.Timeout"/>, an <see cref="OperationCanceledException"/> when cancelled or when the reactor
    /// stops, an <see cref="InvalidOperationException"/> when it is shutting down already, and an
    /// <see cref="ObjectDisposedException"/> when it is disposed.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="NotSupportedException">The end point is a host name, which has to be resolved first.</exception>
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
        VerifyAddress(endPoint);
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

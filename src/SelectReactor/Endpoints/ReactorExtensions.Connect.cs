using System.Net;
using System.Net.Sockets;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <content>Clients: <c>ConnectAsync</c>.</content>
public static partial class ReactorExtensions
{
    /// <summary>Connects to an address or a host.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(this Reactor reactor, EndPoint endPoint, IConnectionHandler handler) =>
        Connect(reactor, endPoint, Handlers.Of(handler), ConnectOptions.Default, CancellationToken.None);

    /// <summary>Connects to an address or a host.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor, EndPoint endPoint, IConnectionHandler handler, CancellationToken cancellationToken) =>
        Connect(reactor, endPoint, Handlers.Of(handler), ConnectOptions.Default, cancellationToken);

    /// <summary>Connects to an address or a host.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor, EndPoint endPoint, IConnectionHandler handler, ConnectOptions options) =>
        Connect(reactor, endPoint, Handlers.Of(handler), options, CancellationToken.None);

    /// <summary>Connects to an address, or to a host by name (<see cref="DnsEndPoint"/>), without blocking. The
    /// addresses of a host are tried one after the other, IPv6 first, the next one as soon as one fails or takes long.
    /// The first that answers is taken (Happy Eyeballs, RFC 8305). Any thread. The loop must be running for it to make
    /// progress. Before it runs the task waits for it, so don't block on it there: use
    /// <c>reactor.Run(async () => …)</c>. Members of the connection belong to the reactor's thread.</summary>
    /// <param name="reactor">The reactor that serves the connection.</param>
    /// <param name="endPoint">The address, or the host's name and the port. An IPv4 address that is written as IPv6
    /// (::ffff:a.b.c.d) means the IPv4 address.</param>
    /// <param name="handler">The handler of the connection.</param>
    /// <param name="options">How to connect. They are copied. Where they are left out, the defaults apply.</param>
    /// <param name="cancellationToken">Cancels the attempt. It has no effect on a connection that is open.</param>
    /// <returns>A task with the connection, whose <c>OnConnected</c> has been called. It is open, unless its handler
    /// has closed it already or has thrown: then <see cref="Connection.Completion"/> says why. The task fails with a
    /// <see cref="SocketException"/> if the attempt is refused, the address is unreachable or can't be bound, or the
    /// host is unknown; with a <see cref="TimeoutException"/> after <see cref="ConnectOptions.Timeout"/>; with an
    /// <see cref="OperationCanceledException"/> if it is cancelled or the reactor stops; with an
    /// <see cref="InvalidOperationException"/> if the reactor is already shutting down or has reached
    /// <see cref="ReactorOptions.MaxConnections"/>; and with an <see cref="ObjectDisposedException"/> if the reactor
    /// is disposed. Code that awaits it on the reactor's thread continues there.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor,
        EndPoint endPoint,
        IConnectionHandler handler,
        ConnectOptions options,
        CancellationToken cancellationToken) =>
        Connect(reactor, endPoint, Handlers.Of(handler), options, cancellationToken);

    /// <summary>Connects to an address or a host.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor, EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory) =>
        Connect(reactor, endPoint, handlerFactory, ConnectOptions.Default, CancellationToken.None);

    /// <summary>Connects to an address or a host.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor,
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        CancellationToken cancellationToken) =>
        Connect(reactor, endPoint, handlerFactory, ConnectOptions.Default, cancellationToken);

    /// <summary>Connects to an address or a host.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor,
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        ConnectOptions options) =>
        Connect(reactor, endPoint, handlerFactory, options, CancellationToken.None);

    /// <summary>Connects to an address or a host. A factory creates the handler of the connection, on the reactor's
    /// thread, before the handler's <c>OnConnected</c>. If it throws, the connection is cut and the task fails with
    /// that exception.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor,
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        ConnectOptions options,
        CancellationToken cancellationToken) =>
        Connect(reactor, endPoint, handlerFactory, options, cancellationToken);

    /// <summary>Connects to an address or a host without a handler: the caller reads and writes with await. Input
    /// waits until it is read, and receiving pauses at <see cref="ConnectionOptions.InputPauseThreshold"/>. When the
    /// peer ends its stream, reading says <c>IsCompleted</c>; the connection stays open until you close it. If the
    /// peer resets the connection, what was received before can still be read.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(this Reactor reactor, EndPoint endPoint) =>
        Connect(reactor, endPoint, Handlers.None, ConnectOptions.Default, CancellationToken.None);

    /// <summary>Connects to an address or a host without a handler: the caller reads and writes with await. Input
    /// waits until it is read, and receiving pauses at <see cref="ConnectionOptions.InputPauseThreshold"/>. When the
    /// peer ends its stream, reading says <c>IsCompleted</c>; the connection stays open until you close it. If the
    /// peer resets the connection, what was received before can still be read.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor, EndPoint endPoint, CancellationToken cancellationToken) =>
        Connect(reactor, endPoint, Handlers.None, ConnectOptions.Default, cancellationToken);

    /// <summary>Connects to an address or a host without a handler: the caller reads and writes with await. Input
    /// waits until it is read, and receiving pauses at <see cref="ConnectionOptions.InputPauseThreshold"/>. When the
    /// peer ends its stream, reading says <c>IsCompleted</c>; the connection stays open until you close it. If the
    /// peer resets the connection, what was received before can still be read.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(this Reactor reactor, EndPoint endPoint, ConnectOptions options) =>
        Connect(reactor, endPoint, Handlers.None, options, CancellationToken.None);

    /// <summary>Connects to an address or a host without a handler: the caller reads and writes with await. Input
    /// waits until it is read, and receiving pauses at <see cref="ConnectionOptions.InputPauseThreshold"/>. When the
    /// peer ends its stream, reading says <c>IsCompleted</c>; the connection stays open until you close it. If the
    /// peer resets the connection, what was received before can still be read.</summary>
    /// <inheritdoc cref="ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions, CancellationToken)"/>
    public static Task<Connection> ConnectAsync(
        this Reactor reactor, EndPoint endPoint, ConnectOptions options, CancellationToken cancellationToken) =>
        Connect(reactor, endPoint, Handlers.None, options, cancellationToken);

    private static Task<Connection> Connect(
        Reactor reactor,
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        ConnectOptions options,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(handlerFactory);
        ArgumentNullException.ThrowIfNull(options);
        ConnectOptions copy = options == ConnectOptions.Default ? options : options.Copy();
        return new Connector(
            reactor, MappedAddress.Copy(endPoint), handlerFactory, copy, cancellationToken).ConnectAsync();
    }
}

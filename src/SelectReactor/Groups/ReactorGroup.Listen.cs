using System.Net;
using System.Net.Sockets;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <content>Servers and clients.</content>
public sealed partial class ReactorGroup
{
    /// <summary>Listens on an address. One handler serves all clients, on all threads of the group at once.</summary>
    /// <inheritdoc cref="ListenAsync(EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public Task<GroupListener> ListenAsync(EndPoint endPoint, IConnectionHandler handler) =>
        Listen(endPoint, Handlers.Of(handler), new ListenerOptions());

    /// <summary>Listens on an address. One handler serves all clients, on all threads of the group at once.</summary>
    /// <inheritdoc cref="ListenAsync(EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public Task<GroupListener> ListenAsync(EndPoint endPoint, IConnectionHandler handler, ListenerOptions options) =>
        Listen(endPoint, Handlers.Of(handler), options);

    /// <summary>Listens on an address. Each client has a handler of its own.</summary>
    /// <inheritdoc cref="ListenAsync(EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public Task<GroupListener> ListenAsync(EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory) =>
        Listen(endPoint, handlerFactory, new ListenerOptions());

    /// <summary>Listens on an address for all reactors of the group, which share the clients as
    /// <see cref="ReactorGroupOptions.Sharing"/> says. Each client has a handler of its own, which is called on the
    /// thread of the client's reactor.</summary>
    /// <param name="endPoint">The address. With port 0 the system chooses the port; see
    /// <see cref="GroupListener.LocalEndPoint"/>. A port that another program has is refused, also with
    /// <see cref="ClientSharing.ReusePort"/>, unless <see cref="ListenerOptions.ReusePort"/> is set.</param>
    /// <param name="handlerFactory">Creates the handler of a new connection, before its <c>OnConnected</c>, on the
    /// thread of its reactor: on several threads at once. An exception refuses that client.</param>
    /// <param name="options">How to accept clients. They are copied. <see cref="ListenerOptions.MaxConnections"/> is
    /// the limit of all reactors together, and <see cref="ListenerOptions.AcceptFilter"/> is asked on several threads,
    /// by one at a time. Where they are left out, the defaults apply.</param>
    /// <returns>A task with the listener. It fails with a <see cref="SocketException"/> if the system refuses the
    /// address, a <see cref="NotSupportedException"/> for a host name or a <see cref="ClientSharing"/> that the
    /// reactors can't do, an <see cref="InvalidOperationException"/> if the group is shutting down, and an
    /// <see cref="ObjectDisposedException"/> if it is disposed.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public Task<GroupListener> ListenAsync(
        EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory, ListenerOptions options) =>
        Listen(endPoint, handlerFactory, options);

    /// <summary>Listens on an address. One asynchronous method serves each client, on the thread of the client's
    /// reactor. When its task completes, the connection closes in good order; when it fails, the connection is cut.
    /// The token is cancelled when the connection is closed. See <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="ListenAsync(EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public Task<GroupListener> ListenAsync(EndPoint endPoint, Func<Connection, CancellationToken, Task> serve) =>
        Listen(endPoint, Handlers.Of(serve), new ListenerOptions());

    /// <summary>Listens on an address. One asynchronous method serves each client, on the thread of the client's
    /// reactor. When its task completes, the connection closes in good order; when it fails, the connection is cut.
    /// The token is cancelled when the connection is closed. See <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="ListenAsync(EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public Task<GroupListener> ListenAsync(
        EndPoint endPoint, Func<Connection, CancellationToken, Task> serve, ListenerOptions options) =>
        Listen(endPoint, Handlers.Of(serve), options);

    /// <summary>Listens on a socket that is already bound, for example one that a supervisor has passed on.</summary>
    /// <param name="socket">A bound stream socket, listening or not. The listener owns and closes it from now on. If
    /// the task fails, dispose of the socket yourself.</param>
    /// <param name="handlerFactory">Creates the handler of a new connection, before its <c>OnConnected</c>, on the
    /// thread of its reactor: on several threads at once. An exception refuses that client.</param>
    /// <param name="options">How to accept clients. They are copied.</param>
    /// <inheritdoc cref="ListenAsync(EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"
    /// path="/returns|/exception"/>
    public Task<GroupListener> ListenAsync(
        Socket socket, Func<Connection, IConnectionHandler> handlerFactory, ListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(handlerFactory);
        ArgumentNullException.ThrowIfNull(options);
        return ListenAsync(new ListeningSocket(socket), handlerFactory, options.Copy());
    }

    /// <summary>Connects to an address or a host, on the reactor that has the fewest connections.</summary>
    /// <inheritdoc cref="ConnectAsync(EndPoint, Func{Connection, IConnectionHandler}, ConnectOptions,
    /// CancellationToken)"/>
    public Task<Connection> ConnectAsync(EndPoint endPoint, IConnectionHandler handler) =>
        ConnectAsync(endPoint, Handlers.Of(handler), new ConnectOptions(), CancellationToken.None);

    /// <summary>Connects to an address or a host, on the reactor that has the fewest connections.</summary>
    /// <inheritdoc cref="ConnectAsync(EndPoint, Func{Connection, IConnectionHandler}, ConnectOptions,
    /// CancellationToken)"/>
    public Task<Connection> ConnectAsync(
        EndPoint endPoint, IConnectionHandler handler, ConnectOptions options, CancellationToken cancellationToken) =>
        ConnectAsync(endPoint, Handlers.Of(handler), options, cancellationToken);

    /// <summary>Connects to an address or a host, on the reactor that has the fewest connections.</summary>
    /// <inheritdoc cref="ConnectAsync(EndPoint, Func{Connection, IConnectionHandler}, ConnectOptions,
    /// CancellationToken)"/>
    public Task<Connection> ConnectAsync(EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory) =>
        ConnectAsync(endPoint, handlerFactory, new ConnectOptions(), CancellationToken.None);

    /// <summary>Connects to an address or a host, on the reactor that has the fewest connections. The handler is
    /// called on that reactor's thread, as are the members of the connection to be used there
    /// (<see cref="Connection.Reactor"/>).</summary>
    /// <param name="endPoint">The address, or the host's name and the port.</param>
    /// <param name="handlerFactory">Creates the handler of the connection, on its reactor's thread.</param>
    /// <param name="options">How to connect. They are copied. Where they are left out, the defaults apply.</param>
    /// <param name="cancellationToken">Cancels the attempt. It has no effect on a connection that is open.</param>
    /// <returns>A task with the connection, as that of
    /// <see cref="ReactorExtensions.ConnectAsync(Reactor, EndPoint, IConnectionHandler, ConnectOptions,
    /// CancellationToken)"/>.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The group is shutting down.</exception>
    /// <exception cref="ObjectDisposedException">The group is disposed.</exception>
    public Task<Connection> ConnectAsync(
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        ConnectOptions options,
        CancellationToken cancellationToken) =>
        ChooseReactor().ConnectAsync(endPoint, handlerFactory, options, cancellationToken);

    private Task<GroupListener> Listen(
        EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory, ListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(handlerFactory);
        ArgumentNullException.ThrowIfNull(options);
        ListenerOptions copy = options.Copy();
        return ListenAsync(new ListeningSocket(MappedAddress.Copy(endPoint), copy), handlerFactory, copy);
    }
}

using System.Net;
using System.Net.Sockets;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <content>Servers that are started on any thread: <c>ListenAsync</c>.</content>
public static partial class ReactorExtensions
{
    /// <summary>Listens on an address. One handler serves all clients.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(this Reactor reactor, EndPoint endPoint, IConnectionHandler handler) =>
        new ListenCall(reactor, endPoint, Handlers.Of(handler), new ListenerOptions()).RunAsync();

    /// <summary>Listens on an address. One handler serves all clients.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(
        this Reactor reactor, EndPoint endPoint, IConnectionHandler handler, ListenerOptions options) =>
        new ListenCall(reactor, endPoint, Handlers.Of(handler), options).RunAsync();

    /// <summary>Listens on an address. Each client has a handler of its own.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(
        this Reactor reactor, EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory) =>
        new ListenCall(reactor, endPoint, handlerFactory, new ListenerOptions()).RunAsync();

    /// <summary>Listens on an address. Each client has a handler of its own. As
    /// <see cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>, and for any
    /// thread: it listens in a later phase of the loop. Before the loop runs the task waits for it, so don't block on
    /// it there: use <c>reactor.Run(async () => …)</c>, or <c>Listen</c>.</summary>
    /// <param name="reactor">The reactor that serves the clients.</param>
    /// <param name="endPoint">The address. With port 0 the system chooses the port; see
    /// <see cref="Listener.LocalEndPoint"/>.</param>
    /// <param name="handlerFactory">Creates the handler of a new connection, before its <c>OnConnected</c>. An
    /// exception refuses that client.</param>
    /// <param name="options">How to accept clients. They are copied. Where they are left out, the defaults
    /// apply.</param>
    /// <returns>A task with the listener. It fails with what
    /// <see cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/> throws: a
    /// <see cref="SocketException"/> if the system refuses the address, a <see cref="NotSupportedException"/> for a
    /// host name, an <see cref="InvalidOperationException"/> if the reactor is shutting down, and an
    /// <see cref="ObjectDisposedException"/> if it is disposed. Code that awaits it on the reactor's thread continues
    /// there.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static Task<Listener> ListenAsync(
        this Reactor reactor,
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options) =>
        new ListenCall(reactor, endPoint, handlerFactory, options).RunAsync();

    /// <summary>Listens on an address. One asynchronous method serves each client, on the reactor's
    /// thread. When its task completes, the connection closes in good order; when it fails, the connection is cut. The
    /// token is cancelled when the connection is closed. See <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(
        this Reactor reactor, EndPoint endPoint, Func<Connection, CancellationToken, Task> serve) =>
        new ListenCall(reactor, endPoint, Handlers.Of(serve), new ListenerOptions()).RunAsync();

    /// <summary>Listens on an address. One asynchronous method serves each client, on the reactor's
    /// thread. When its task completes, the connection closes in good order; when it fails, the connection is cut. The
    /// token is cancelled when the connection is closed. See <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(
        this Reactor reactor,
        EndPoint endPoint,
        Func<Connection, CancellationToken, Task> serve,
        ListenerOptions options) =>
        new ListenCall(reactor, endPoint, Handlers.Of(serve), options).RunAsync();

    /// <summary>Listens on a socket that is already bound. One handler serves all clients.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(this Reactor reactor, Socket socket, IConnectionHandler handler) =>
        new ListenCall(reactor, socket, Handlers.Of(handler), new ListenerOptions()).RunAsync();

    /// <summary>Listens on a socket that is already bound. One handler serves all clients.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(
        this Reactor reactor, Socket socket, IConnectionHandler handler, ListenerOptions options) =>
        new ListenCall(reactor, socket, Handlers.Of(handler), options).RunAsync();

    /// <summary>Listens on a socket that is already bound. Each client has a handler of its own.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(
        this Reactor reactor, Socket socket, Func<Connection, IConnectionHandler> handlerFactory) =>
        new ListenCall(reactor, socket, handlerFactory, new ListenerOptions()).RunAsync();

    /// <summary>Listens on a socket that is already bound. Each client has a handler of its own. As
    /// <see cref="Listen(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>, and for any
    /// thread: it listens in a later phase of the loop, for which the task waits.</summary>
    /// <param name="reactor">The reactor that serves the clients.</param>
    /// <param name="socket">A bound stream socket, listening or not. The listener owns and closes it from now on. If
    /// the task fails, dispose of the socket yourself.</param>
    /// <param name="handlerFactory">Creates the handler of a new connection, before its <c>OnConnected</c>. An
    /// exception refuses that client.</param>
    /// <param name="options">How to accept clients. They are copied. Where they are left out, the defaults
    /// apply.</param>
    /// <returns>A task with the listener. It fails with what
    /// <see cref="Listen(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/> throws. Code that
    /// awaits it on the reactor's thread continues there.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static Task<Listener> ListenAsync(
        this Reactor reactor,
        Socket socket,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options) =>
        new ListenCall(reactor, socket, handlerFactory, options).RunAsync();

    /// <summary>Listens on a socket that is already bound. One asynchronous method serves each client, on the
    /// reactor's thread. When its task completes, the connection closes in good order; when it fails, the connection
    /// is cut. The token is cancelled when the connection is closed. See
    /// <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(
        this Reactor reactor, Socket socket, Func<Connection, CancellationToken, Task> serve) =>
        new ListenCall(reactor, socket, Handlers.Of(serve), new ListenerOptions()).RunAsync();

    /// <summary>Listens on a socket that is already bound. One asynchronous method serves each client, on the
    /// reactor's thread. When its task completes, the connection closes in good order; when it fails, the connection
    /// is cut. The token is cancelled when the connection is closed. See
    /// <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="ListenAsync(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Task<Listener> ListenAsync(
        this Reactor reactor,
        Socket socket,
        Func<Connection, CancellationToken, Task> serve,
        ListenerOptions options) =>
        new ListenCall(reactor, socket, Handlers.Of(serve), options).RunAsync();
}

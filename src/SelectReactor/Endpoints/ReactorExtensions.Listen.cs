using System.Net;
using System.Net.Sockets;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <content>Servers: <c>Listen</c>.</content>
public static partial class ReactorExtensions
{
    /// <summary>Listens on an address. One handler serves all clients.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(this Reactor reactor, EndPoint endPoint, IConnectionHandler handler) =>
        new ListenCall(reactor, endPoint, Handlers.Of(handler), new ListenerOptions()).Run();

    /// <summary>Listens on an address. One handler serves all clients.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor, EndPoint endPoint, IConnectionHandler handler, ListenerOptions options) =>
        new ListenCall(reactor, endPoint, Handlers.Of(handler), options).Run();

    /// <summary>Listens on an address. Each client has a handler of its own.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor, EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory) =>
        new ListenCall(reactor, endPoint, handlerFactory, new ListenerOptions()).Run();

    /// <summary>Listens on an address. Each client has a handler of its own. The listener accepts clients as soon as
    /// the loop runs. Call it on the reactor's thread, or before the loop runs; on other threads call
    /// <c>ListenAsync</c>. An address can be used again at once if connections of an earlier server have not quite
    /// ended there (TIME_WAIT, RFC 9293), but not if another program listens there. The file of a Unix-domain socket
    /// that a killed server left behind is replaced; any other file stays, and is an error.</summary>
    /// <param name="reactor">The reactor that serves the clients.</param>
    /// <param name="endPoint">The address. With port 0 the system chooses the port; see
    /// <see cref="Listener.LocalEndPoint"/>. An IPv4 address that is written as IPv6 (::ffff:a.b.c.d) means the IPv4
    /// address, unless <see cref="ListenerOptions.DualMode"/> is set.</param>
    /// <param name="handlerFactory">Creates the handler of a new connection, before its <c>OnConnected</c>. An
    /// exception refuses that client.</param>
    /// <param name="options">How to accept clients. They are copied. Where they are left out, the defaults
    /// apply.</param>
    /// <returns>The listener. The reactor closes it when it is disposed or shut down, if you have not done so
    /// before.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="NotSupportedException">The end point is a host name. Resolve it first.</exception>
    /// <exception cref="SocketException">The system refuses the address: it is in use, does not belong to this
    /// machine, or is not permitted. The message names the address, the error and a remedy.</exception>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or the method is called on another
    /// thread.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public static Listener Listen(
        this Reactor reactor,
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options) =>
        new ListenCall(reactor, endPoint, handlerFactory, options).Run();

    /// <summary>Listens on an address. One asynchronous method serves each client, on the reactor's
    /// thread. When its task completes, the connection closes in good order; when it fails, the connection is cut. The
    /// token is cancelled when the connection is closed. See <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor, EndPoint endPoint, Func<Connection, CancellationToken, Task> serve) =>
        new ListenCall(reactor, endPoint, Handlers.Of(serve), new ListenerOptions()).Run();

    /// <summary>Listens on an address. One asynchronous method serves each client, on the reactor's
    /// thread. When its task completes, the connection closes in good order; when it fails, the connection is cut. The
    /// token is cancelled when the connection is closed. See <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="Listen(Reactor, EndPoint, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor,
        EndPoint endPoint,
        Func<Connection, CancellationToken, Task> serve,
        ListenerOptions options) =>
        new ListenCall(reactor, endPoint, Handlers.Of(serve), options).Run();

    /// <summary>Listens on a socket that is already bound. One handler serves all clients.</summary>
    /// <inheritdoc cref="Listen(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(this Reactor reactor, Socket socket, IConnectionHandler handler) =>
        new ListenCall(reactor, socket, Handlers.Of(handler), new ListenerOptions()).Run();

    /// <summary>Listens on a socket that is already bound. One handler serves all clients.</summary>
    /// <inheritdoc cref="Listen(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor, Socket socket, IConnectionHandler handler, ListenerOptions options) =>
        new ListenCall(reactor, socket, Handlers.Of(handler), options).Run();

    /// <summary>Listens on a socket that is already bound. Each client has a handler of its own.</summary>
    /// <inheritdoc cref="Listen(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor, Socket socket, Func<Connection, IConnectionHandler> handlerFactory) =>
        new ListenCall(reactor, socket, handlerFactory, new ListenerOptions()).Run();

    /// <summary>Listens on a socket that is already bound, for example one inherited from a service manager. Each
    /// client has a handler of its own. Call it on the reactor's thread, or before the loop runs; on other threads
    /// call <c>ListenAsync</c>.</summary>
    /// <param name="reactor">The reactor that serves the clients.</param>
    /// <param name="socket">A bound stream socket, listening or not. The listener owns and closes it from now on. If
    /// this method throws, dispose of the socket yourself.</param>
    /// <param name="handlerFactory">Creates the handler of a new connection, before its <c>OnConnected</c>. An
    /// exception refuses that client.</param>
    /// <param name="options">How to accept clients. They are copied. Where they are left out, the defaults apply.
    /// <see cref="ListenerOptions.DualMode"/> and <see cref="ListenerOptions.ReusePort"/> have no effect
    /// here.</param>
    /// <returns>The listener. The reactor closes it when it is disposed or shut down, if you have not done so
    /// before.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The socket is not bound, is not a stream socket, or belongs to a listener
    /// or connection of this library already.</exception>
    /// <exception cref="SocketException">The system refuses.</exception>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or the method is called on another
    /// thread.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed, or the socket is.</exception>
    public static Listener Listen(
        this Reactor reactor,
        Socket socket,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options) =>
        new ListenCall(reactor, socket, handlerFactory, options).Run();

    /// <summary>Listens on a socket that is already bound. One asynchronous method serves each client, on the
    /// reactor's thread. When its task completes, the connection closes in good order; when it fails, the connection
    /// is cut. The token is cancelled when the connection is closed. See
    /// <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="Listen(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor, Socket socket, Func<Connection, CancellationToken, Task> serve) =>
        new ListenCall(reactor, socket, Handlers.Of(serve), new ListenerOptions()).Run();

    /// <summary>Listens on a socket that is already bound. One asynchronous method serves each client, on the
    /// reactor's thread. When its task completes, the connection closes in good order; when it fails, the connection
    /// is cut. The token is cancelled when the connection is closed. See
    /// <see cref="AsyncConnectionHandler"/>.</summary>
    /// <inheritdoc cref="Listen(Reactor, Socket, Func{Connection, IConnectionHandler}, ListenerOptions)"/>
    public static Listener Listen(
        this Reactor reactor,
        Socket socket,
        Func<Connection, CancellationToken, Task> serve,
        ListenerOptions options) =>
        new ListenCall(reactor, socket, Handlers.Of(serve), options).Run();
}

using System.Net.Sockets;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <content>Connections of sockets that others have connected: <c>Adopt</c>.</content>
public static partial class ReactorExtensions
{
    /// <summary>Makes a connection of a socket that is already connected.</summary>
    /// <inheritdoc cref="Adopt(Reactor, Socket, Func{Connection, IConnectionHandler}, ConnectionOptions)"/>
    public static Connection Adopt(this Reactor reactor, Socket socket, IConnectionHandler handler) =>
        Adoption.Adopt(reactor, socket, Handlers.Of(handler), new ConnectionOptions());

    /// <summary>Makes a connection of a socket that is already connected.</summary>
    /// <inheritdoc cref="Adopt(Reactor, Socket, Func{Connection, IConnectionHandler}, ConnectionOptions)"/>
    public static Connection Adopt(
        this Reactor reactor, Socket socket, IConnectionHandler handler, ConnectionOptions options) =>
        Adoption.Adopt(reactor, socket, Handlers.Of(handler), options);

    /// <summary>Makes a connection of a socket that is already connected.</summary>
    /// <inheritdoc cref="Adopt(Reactor, Socket, Func{Connection, IConnectionHandler}, ConnectionOptions)"/>
    public static Connection Adopt(
        this Reactor reactor, Socket socket, Func<Connection, IConnectionHandler> handlerFactory) =>
        Adoption.Adopt(reactor, socket, handlerFactory, new ConnectionOptions());

    /// <summary>Makes a connection of a socket that is already connected, for example one that another library
    /// accepted. Call it on the reactor's thread, or before the loop runs; on other threads call it by
    /// <c>reactor.InvokeAsync</c>. <c>OnConnected</c> comes in a later phase of the loop: before callbacks that are
    /// posted after this call, and after those that were posted before it on this thread.</summary>
    /// <param name="reactor">The reactor that serves the connection.</param>
    /// <param name="socket">A connected stream socket, blocking or not. The connection owns and closes it from now on.
    /// If this method throws, dispose of the socket yourself.</param>
    /// <param name="handlerFactory">Creates the handler of the connection, inside this call. If it throws, the
    /// connection is cut, and the exception goes on to the caller.</param>
    /// <param name="options">The limits and settings. They are copied, and those that concern the socket are set on
    /// it. Where they are left out, the defaults apply.</param>
    /// <returns>The connection, which is <see cref="ConnectionState.Opening"/> until <c>OnConnected</c>.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The socket is not connected, is not a stream socket, or belongs to a
    /// connection or listener of this library already.</exception>
    /// <exception cref="InvalidOperationException">The method is called on another thread, the reactor is shutting
    /// down, or it has as many connections as its <see cref="ReactorOptions.MaxConnections"/> allows.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed, or the socket is.</exception>
    public static Connection Adopt(
        this Reactor reactor,
        Socket socket,
        Func<Connection, IConnectionHandler> handlerFactory,
        ConnectionOptions options) =>
        Adoption.Adopt(reactor, socket, handlerFactory, options);
}

using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Diagnostics;
using SelectReactor.Dispatch;
using SelectReactor.Selection;

namespace SelectReactor.Endpoints;

/// <summary>Makes connections of sockets that others have connected.</summary>
internal static class Adoption
{
    public static Connection Adopt(
        Reactor reactor,
        Socket socket,
        Func<Connection, IConnectionHandler> handlerFactory,
        ConnectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(handlerFactory);
        ArgumentNullException.ThrowIfNull(options);
        reactor.VerifyCanStart();
        if (socket.SocketType != SocketType.Stream)
        {
            throw new ArgumentException(
                $"A socket of type {socket.SocketType} can't be a connection: pass a stream socket.", nameof(socket));
        }

        if (!reactor.TryReservePlace())
        {
            throw new InvalidOperationException("The reactor has as many connections as its MaxConnections allows.");
        }

        StreamConnection connection = Register(reactor, socket, options.Copy());

        // Inside a call of the user: the ambient state belongs to the caller and is not restored.
        IConnectionHandler handler = connection.MakeHandler(handlerFactory);
        reactor.Post(
            static state =>
            {
                var (connection, handler) = ((StreamConnection, IConnectionHandler))state!;
                if (connection.TryOpen(handler) is { } fault)
                {
                    ReactorLog.AdoptionFault(connection.Reactor.Logger, connection.RemoteEndPoint, fault);
                }
            },
            (connection, handler));
        return connection;
    }

    private static StreamConnection Register(Reactor reactor, Socket socket, ConnectionOptions options)
    {
        OwnedSockets.Take(socket);
        try
        {
            Handle handle = reactor.HandleFactory.Adopt(socket);
            if (handle.RemoteEndPoint is null)
            {
                throw new ArgumentException("The socket is not connected.", nameof(socket));
            }

            options.ApplyTo(handle, socket.AddressFamily);
            ConnectionCounts counts = reactor.Counts.Of(EndpointTags.Adopted(handle.RemoteEndPoint));
            var connection = new StreamConnection(
                reactor,
                new Opened(handle) { Counts = counts },
                options,
                pauseReadingWhenOutputIsFull: true,
                onFinished: null);
            connection.Register();
            return connection;
        }
        catch
        {
            reactor.GiveBackPlaces();
            OwnedSockets.Release(socket);
            throw;
        }
    }
}

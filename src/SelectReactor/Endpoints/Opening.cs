using SelectReactor.Connections;
using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>The last steps of making a connection: its handler is created, and it opens.</summary>
internal static class Opening
{
    /// <summary>Creates the handler of a registered connection. If that fails, the connection is reset, and the
    /// exception goes on to the caller.</summary>
    public static IConnectionHandler MakeHandler(
        this StreamConnection connection, Func<Connection, IConnectionHandler> handlerFactory)
    {
        try
        {
            return handlerFactory(connection)
                ?? throw new InvalidOperationException("The handler factory returned null, not a handler.");
        }
        catch (Exception exception)
        {
            connection.Refuse(exception);
            throw;
        }
    }

    /// <summary>Gives a registered connection to its handler. If that fails, for example because the selector refuses
    /// to watch the socket, the connection closes.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="handler">Its handler.</param>
    /// <param name="received">Bytes that were received before.</param>
    /// <returns>The failure. Null if the connection is open.</returns>
    public static Exception? TryOpen(
        this StreamConnection connection, IConnectionHandler handler, ReadOnlySpan<byte> received = default)
    {
        try
        {
            connection.Open(handler, received);
            return null;
        }
        catch (Exception exception)
        {
            ((IFallible)connection).Fail(exception);
            return exception;
        }
    }
}

using SelectReactor.Connections;
using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>The last step of making a connection.</summary>
internal static class Opening
{
    /// <summary>Gives a registered connection to its handler. If that fails, for example because the selector refuses
    /// to watch the socket, the connection closes.</summary>
    /// <returns>The failure. Null if the connection is open.</returns>
    public static Exception? TryOpen(this StreamConnection connection, IConnectionHandler handler)
    {
        try
        {
            connection.Open(handler);
            return null;
        }
        catch (Exception exception)
        {
            ((IFallible)connection).Fail(exception);
            return exception;
        }
    }
}

using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace SelectReactor.Web;

/// <summary>The connections that the server has open, seen from its connection middleware.</summary>
internal sealed class OpenConnections
{
    private readonly ConcurrentDictionary<string, ConnectionContext> _open = [];

    public int Count => _open.Count;

    /// <summary>Resets all of them.</summary>
    public void Abort()
    {
        foreach (ConnectionContext connection in _open.Values)
        {
            connection.Abort();
        }
    }

    public ConnectionDelegate Middleware(ConnectionDelegate next) => async connection =>
    {
        _open[connection.ConnectionId] = connection;
        try
        {
            await next(connection);
        }
        finally
        {
            _open.TryRemove(connection.ConnectionId, out _);
        }
    };
}

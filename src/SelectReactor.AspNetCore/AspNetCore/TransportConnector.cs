using System.Net;
using Microsoft.AspNetCore.Connections;

namespace SelectReactor.AspNetCore;

/// <summary>Makes outgoing connections on the reactors of the host. Any thread.</summary>
internal sealed class TransportConnector(TransportReactors reactors) : IConnectionFactory
{
    public async ValueTask<ConnectionContext> ConnectAsync(
        EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        TransportContext? context = null;
        var options = new ConnectOptions
        {
            Timeout = Timeout.InfiniteTimeSpan,
            Connection = reactors.CreateConnectionOptions(),
        };
        await reactors.Group.ConnectAsync(endpoint, Create, options, cancellationToken).ConfigureAwait(false);
        return context!;

        IConnectionHandler Create(Connection connection)
        {
            var handler = new TransportHandler(
                connection, reactors.ResourcesOf(connection.Reactor), reactors.Logger, static _ => { });
            context = handler.Context;
            return handler;
        }
    }
}

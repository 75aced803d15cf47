using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace SelectReactor.AspNetCore;

/// <summary>Binds the end points of Kestrel.</summary>
internal sealed class TransportFactory(TransportReactors reactors)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) =>
        endpoint is IPEndPoint or UnixDomainSocketEndPoint
        || endpoint is FileHandleEndPoint { FileHandleType: FileHandleType.Auto or FileHandleType.Tcp };

    public async ValueTask<IConnectionListener> BindAsync(
        EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        cancellationToken.ThrowIfCancellationRequested();
        if (!CanBind(endpoint))
        {
            throw new NotSupportedException(
                $"The transport of SelectReactor can't listen on a {endpoint.GetType().Name}.");
        }

        var accepted = new AcceptQueue(reactors.Options.Backlog);
        try
        {
            GroupListener listener = await ListenAsync(endpoint, accepted).ConfigureAwait(false);
            return new TransportListener(listener, accepted, reactors.LoopEnded);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(exception.Message, exception);
        }
    }

    private async Task<GroupListener> ListenAsync(EndPoint endpoint, AcceptQueue accepted)
    {
        var options = new ListenerOptions
        {
            Backlog = reactors.Options.Backlog,
            DualMode = endpoint is IPEndPoint ip && ip.Address.Equals(IPAddress.IPv6Any),
            Connection = reactors.CreateConnectionOptions(),
        };
        if (endpoint is not FileHandleEndPoint file)
        {
            return await reactors.Group.ListenAsync(endpoint, Create, options).ConfigureAwait(false);
        }

        // As with Kestrel's own transport, the descriptor stays open: whoever has passed it may use it again.
        var socket = new Socket(new SafeSocketHandle((nint)file.FileHandle, ownsHandle: false));
        return await reactors.Group.ListenAsync(socket, Create, options).ConfigureAwait(false);

        IConnectionHandler Create(Connection connection) => new TransportHandler(
            connection, reactors.ResourcesOf(connection.Reactor), reactors.Logger, context =>
            {
                if (!accepted.TryAdd(context))
                {
                    connection.Abort();
                }
            });
    }
}

using System.Net;

namespace SelectReactor;

/// <summary>A client that <c>AddClient</c> added: it connects to one end point, with handlers from dependency
/// injection. Take it from the services by its name as the key, or from <see cref="HostedReactor"/>. Any
/// thread.</summary>
public sealed class HostedClient
{
    private readonly HostedReactor _reactor;
    private readonly EndPoint _endPoint;
    private readonly Func<Connection, IConnectionHandler> _handlerFactory;
    private readonly ConnectOptions _options;

    internal HostedClient(
        HostedReactor reactor,
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        ConnectOptions options)
    {
        _reactor = reactor;
        _endPoint = endPoint;
        _handlerFactory = handlerFactory;
        _options = options;
    }

    /// <summary>Makes a new connection, on the reactor that has the fewest.</summary>
    /// <inheritdoc cref="ReactorGroup.ConnectAsync(EndPoint, Func{Connection, IConnectionHandler}, ConnectOptions,
    /// CancellationToken)"/>
    public Task<Connection> ConnectAsync(CancellationToken cancellationToken) =>
        _reactor.Group.ConnectAsync(_endPoint, _handlerFactory, _options, cancellationToken);

    /// <summary>Makes a new connection, on the reactor that has the fewest.</summary>
    /// <inheritdoc cref="ReactorGroup.ConnectAsync(EndPoint, Func{Connection, IConnectionHandler}, ConnectOptions,
    /// CancellationToken)"/>
    public Task<Connection> ConnectAsync() => ConnectAsync(CancellationToken.None);
}

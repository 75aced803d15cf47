using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>One call of <c>Listen</c> or <c>ListenAsync</c>: its arguments, verified and copied.</summary>
internal sealed class ListenCall
{
    private readonly Reactor _reactor;
    private readonly EndPoint? _endPoint;
    private readonly Socket? _socket;
    private readonly Func<Connection, IConnectionHandler> _handlerFactory;
    private readonly ListenerOptions _options;

    public ListenCall(
        Reactor reactor,
        EndPoint endPoint,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options)
        : this(reactor, handlerFactory, options)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        _endPoint = MappedAddress.Copy(endPoint);
    }

    public ListenCall(
        Reactor reactor,
        Socket socket,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options)
        : this(reactor, handlerFactory, options)
    {
        ArgumentNullException.ThrowIfNull(socket);
        _socket = socket;
    }

    private ListenCall(Reactor reactor, Func<Connection, IConnectionHandler> handlerFactory, ListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(handlerFactory);
        ArgumentNullException.ThrowIfNull(options);
        _reactor = reactor;
        _handlerFactory = handlerFactory;
        _options = options.Copy();
        _options.Verify();
    }

    /// <summary>The reactor's thread only.</summary>
    public Listener Run()
    {
        ListeningSocket socket = _socket is not null
            ? new ListeningSocket(_socket)
            : new ListeningSocket(_endPoint!, _options);
        return new Listener(_reactor, socket, _handlerFactory, _options);
    }

    /// <summary>Any thread.</summary>
    public Task<Listener> RunAsync() => _reactor.InvokeAsync<Listener>(Run);
}

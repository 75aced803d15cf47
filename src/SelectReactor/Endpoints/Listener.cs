using System.Net;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <summary>
/// The acceptor: a listening socket of a reactor, which makes a new <see cref="Connection"/> for each client. Members are to
/// be used on the reactor's thread, except those that say "any thread".
/// </summary>
public sealed partial class Listener : IDisposable
{
    private readonly Reactor _reactor;
    private readonly Func<Connection, IConnectionHandler> _handlerFactory;
    private readonly ListenerOptions _options;
    private readonly Handle _handle;
    private readonly EndPoint? _acceptedLocalEndPoint;
    private readonly Acceptor _acceptor;
    private readonly Action<Connection> _onFinished;
    private readonly SelectionKey _key;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _connections;
    private bool _paused;
    private bool _closed;

    internal Listener(
        Reactor reactor, ListeningSocket socket, Func<Connection, IConnectionHandler> handlerFactory, ListenerOptions options)
    {
        _reactor = reactor;
        _handlerFactory = handlerFactory;
        _options = options;
        _onFinished = OnConnectionFinished;
        _acceptor = new Acceptor(this);
        reactor.AddStarter(_acceptor);
        try
        {
            _handle = socket.Open(reactor, options);
            try
            {
                LocalEndPoint = _handle.LocalEndPoint ?? socket.EndPoint;
                _acceptedLocalEndPoint = IsOneAddress(LocalEndPoint) ? LocalEndPoint : null;
                _key = reactor.Register(_handle, Interest.Read, _acceptor);
                _spare = OpenSpare();
            }
            catch
            {
                _handle.Close();
                throw;
            }
        }
        catch
        {
            reactor.RemoveStarter(_acceptor);
            throw;
        }

        ReactorLog.Listening(reactor.Logger, LocalEndPoint);
    }

    /// <summary>The address it listens on, with the port that the system chose where 0 was asked for. Any thread.</summary>
    public EndPoint LocalEndPoint { get; }

    /// <summary>How many of the connections that it accepted are open. Any thread.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>How many connections it has accepted and given to a handler since the beginning. Any thread.</summary>
    public long Accepted => Volatile.Read(ref _accepted);

    /// <summary>How many clients it has cut since the beginning, because of a limit, the filter, a factory that threw, or
    /// for want of resources. Any thread.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Accepts nobody until <see cref="Resume"/>; clients wait in the backlog. Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public void Pause()
    {
        _reactor.VerifyAccess();
        _paused = true;
        UpdateInterest();
    }

    /// <summary>Accepts again. Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public void Resume()
    {
        _reactor.VerifyAccess();
        _paused = false;
        UpdateInterest();
    }

    /// <summary>Closes the listening socket; what was accepted goes on. Any thread.</summary>
    /// <returns>A task that completes when the last connection that it accepted is closed.</returns>
    public Task StopAcceptingAsync()
    {
        Dispose();
        return _drained.Task;
    }

    /// <summary>Closes the listening socket; what was accepted goes on. Clients that still wait in the backlog are cut. Any
    /// thread; on another than the reactor's it takes effect a moment later. Idempotent.</summary>
    public void Dispose() => _reactor.Execute(static self => ((Listener)self!).CloseSocket(), this);

    private static bool IsOneAddress(EndPoint endPoint) =>
        endPoint is IPEndPoint ip && !ip.Address.Equals(IPAddress.Any) && !ip.Address.Equals(IPAddress.IPv6Any);

    private void OnConnectionFinished(Connection connection)
    {
        _connections--;
        if (_options.MaxConnections != int.MaxValue)
        {
            // Later, since what goes wrong with the listener must not be in the way of this connection's end.
            _reactor.TryPost(static self => ((Listener)self!).UpdateInterest(), this);
        }

        CompleteDrain();
    }

    private void CloseSocket()
    {
        if (!_closed)
        {
            _closed = true;
            _key.Cancel();
            _retry?.Cancel();
            _spare?.Close();
            _handle.Close();
            _reactor.RemoveStarter(_acceptor);
            CompleteDrain();
        }
    }

    private void CompleteDrain()
    {
        if (_closed && _connections == 0)
        {
            _drained.TrySetResult();
        }
    }

    private sealed class Acceptor(Listener listener) : IEventHandler, IStoppable
    {
        public void OnReady(SelectionKey key)
        {
            if (key.IsEvicted)
            {
                listener.CloseSocket();
            }
            else
            {
                listener.Accept();
            }
        }

        public void BeginStop(StopPhase phase) => listener.CloseSocket();
    }
}

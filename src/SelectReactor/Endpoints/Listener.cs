using System.Net;
using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <summary>
/// The acceptor: a listening socket of a reactor, which makes a new <see cref="Connection"/> for each client. Members are to
/// be used on the reactor's thread, except those that say "any thread".
/// </summary>
public sealed class Listener : IDisposable
{
    private static readonly TimeSpan _exhaustionPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _warningInterval = TimeSpan.FromMinutes(1);
    private readonly Reactor _reactor;
    private readonly Func<Connection, IConnectionHandler> _handlerFactory;
    private readonly ListenerOptions _options;
    private readonly Handle _handle;
    private readonly EndPoint? _acceptedLocalEndPoint;
    private readonly Acceptor _acceptor;
    private readonly Action<Connection> _onFinished;
    private readonly SelectionKey _key;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ReactorTimer? _retry;
    private long? _lastWarning;
    private int _connections;
    private bool _paused;

    internal Listener(
        Reactor reactor, EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory, ListenerOptions options)
    {
        _reactor = reactor;
        _handlerFactory = handlerFactory;
        _options = options;
        _onFinished = OnConnectionFinished;
        _acceptor = new Acceptor(this);
        reactor.AddStarter(_acceptor);
        try
        {
            _handle = Open(reactor, endPoint, options);
            try
            {
                LocalEndPoint = _handle.LocalEndPoint ?? endPoint;
                _acceptedLocalEndPoint = IsOneAddress(LocalEndPoint) ? LocalEndPoint : null;
                _key = reactor.Register(_handle, Interest.Read, _acceptor);
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

    private static Handle Open(Reactor reactor, EndPoint endPoint, ListenerOptions options)
    {
        Handle handle = reactor.HandleFactory.CreateListener(endPoint.AddressFamily);
        try
        {
            string attempt = $"Can't listen on {endPoint}";

            // Set here, these are the accepted sockets' from the start, at no cost for each.
            options.Connection.ApplyTo(handle, endPoint.AddressFamily);
            SocketFailure.ThrowOnError(handle.Bind(endPoint), attempt);
            SocketFailure.ThrowOnError(handle.Listen(options.Backlog), attempt);
            return handle;
        }
        catch
        {
            handle.Close();
            throw;
        }
    }

    private void Accept()
    {
        // A handler may pause or dispose the listener in its OnConnected.
        for (int i = 0; i < _options.MaxAcceptsPerTick && _key.IsValid && _key.Interest != Interest.None; i++)
        {
            SocketError error = _handle.Accept(out Handle? accepted);
            switch (error)
            {
                case SocketError.Success:
                    Admit(accepted!);
                    break;
                case SocketError.WouldBlock:
                    return;
                case SocketError.OperationAborted:
                    CloseSocket();
                    return;
                case SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable:
                    PauseForResources(error);
                    return;
                default:
                    // Such as a client that has gone already (ECONNABORTED): the next one may be fine.
                    ReactorLog.AcceptFailed(_reactor.Logger, LocalEndPoint, error);
                    break;
            }
        }
    }

    private void Admit(Handle handle)
    {
        var connection = new StreamConnection(
            _reactor, handle, _options.Connection, pauseReadingWhenOutputIsFull: true, _acceptedLocalEndPoint, _onFinished);
        try
        {
            connection.Register();
        }
        catch (Exception exception)
        {
            ReactorLog.RegistrationFault(_reactor.Logger, LocalEndPoint, exception);
            handle.Abort();
            return;
        }

        _connections++;
        IConnectionHandler handler;
        try
        {
            handler = _handlerFactory(connection) ?? throw new InvalidOperationException("The handler factory returned null.");
        }
        catch (Exception exception)
        {
            ReactorLog.HandlerFactoryFault(_reactor.Logger, LocalEndPoint, exception);
            connection.Refuse(exception);
            return;
        }

        connection.Open(handler);
    }

    // The waiting client keeps the listener readable, so that trying on would spin.
    private void PauseForResources(SocketError error)
    {
        _retry = _reactor.Schedule(_exhaustionPause, static self => ((Listener)self!).Retry(), this);
        UpdateInterest();
        TimeProvider time = _reactor.TimeProvider;
        if (_lastWarning is not { } last || time.GetElapsedTime(last) >= _warningInterval)
        {
            _lastWarning = time.GetTimestamp();
            ReactorLog.AcceptExhausted(_reactor.Logger, LocalEndPoint, _exhaustionPause, error);
        }
    }

    private void Retry()
    {
        _retry = null;
        UpdateInterest();
    }

    private void UpdateInterest()
    {
        if (_key.IsValid)
        {
            _key.Interest = _paused || _retry is not null ? Interest.None : Interest.Read;
        }
    }

    private void OnConnectionFinished(Connection connection)
    {
        _connections--;
        CompleteDrain();
    }

    private void CloseSocket()
    {
        if (_key.IsValid)
        {
            _key.Cancel();
            _retry?.Cancel();
            _handle.Close();
            _reactor.RemoveStarter(_acceptor);
            CompleteDrain();
        }
    }

    private void CompleteDrain()
    {
        if (!_key.IsValid && _connections == 0)
        {
            _drained.TrySetResult();
        }
    }

    private sealed class Acceptor(Listener listener) : IEventHandler, IStoppable
    {
        public void OnReady(SelectionKey key) => listener.Accept();

        public void BeginStop(StopPhase phase) => listener.CloseSocket();
    }
}

using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <content>Whom it lets in.</content>
public sealed partial class Listener
{
    private static readonly TimeSpan _exhaustionPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _warningInterval = TimeSpan.FromMinutes(1);
    private long _accepted;
    private long _refused;
    private long? _lastWarning;
    private ReactorTimer? _retry;
    private bool _waitsForRoom;

    /// <summary>A descriptor held back, so that there is one to accept and cut a client with when there is no other.</summary>
    private Handle? _spare;

    private bool IsFull => _connections >= _options.MaxConnections || _reactor.IsFull;

    private void Accept()
    {
        // Another listener may have filled the reactor in this tick.
        UpdateInterest();

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
                case var passing when IsOfOneClient(passing):
                    ReactorLog.AcceptFailed(_reactor.Logger, LocalEndPoint, error);
                    break;
                default:
                    Shed(error);
                    PauseForResources(error);
                    return;
            }
        }
    }

    // What accept(2) says of Linux: errors that are already pending on the new socket. The next client may be fine.
    private static bool IsOfOneClient(SocketError error) => error
        is SocketError.ConnectionAborted or SocketError.ConnectionReset or SocketError.Interrupted or SocketError.TimedOut
        or SocketError.NetworkDown or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.HostUnreachable
        or SocketError.ProtocolOption or SocketError.OperationNotSupported;

    private void Admit(Handle handle)
    {
        if (IsFull)
        {
            Refuse(handle, "there are as many connections as may be");
        }
        else if (IsAllowed(handle))
        {
            Open(handle);
            UpdateInterest();
        }
        else
        {
            Refuse(handle, "the filter does not allow it");
        }
    }

    private bool IsAllowed(Handle handle)
    {
        try
        {
            return _options.AcceptFilter?.Allows(handle.RemoteEndPoint) ?? true;
        }
        catch (Exception exception)
        {
            ReactorLog.AcceptFilterFault(_reactor.Logger, LocalEndPoint, exception);
            return false;
        }
    }

    private void Refuse(Handle handle, string why)
    {
        _refused++;
        ReactorLog.Refused(_reactor.Logger, LocalEndPoint, why);
        handle.Abort();
    }

    private void Open(Handle handle)
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
            Refuse(handle, "it can't be registered");
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
            _refused++;
            ReactorLog.HandlerFactoryFault(_reactor.Logger, LocalEndPoint, exception);
            connection.Refuse(exception);
            return;
        }

        _accepted++;
        connection.Open(handler);
    }

    // Without a descriptor nobody can be told that there is none: with the spare one, those who wait now are.
    private void Shed(SocketError error)
    {
        if (error != SocketError.TooManyOpenSockets || _spare is null)
        {
            return;
        }

        _spare.Close();
        for (int i = 0; i < _options.MaxAcceptsPerTick && _handle.Accept(out Handle? client) == SocketError.Success; i++)
        {
            Refuse(client!, "no descriptor is left");
        }

        _spare = OpenSpare();
    }

    private Handle? OpenSpare()
    {
        try
        {
            return _reactor.HandleFactory.CreateStream(LocalEndPoint.AddressFamily);
        }
        catch (Exception)
        {
            return null;
        }
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
        _spare ??= OpenSpare();
        UpdateInterest();
    }

    private void UpdateInterest()
    {
        if (!_key.IsValid)
        {
            return;
        }

        bool isPaused = _paused || _retry is not null || (_options.WhenFull == WhenFull.Pause && IsFull);
        _key.Interest = isPaused ? Interest.None : Interest.Read;
        if (isPaused && _reactor.IsFull && !_waitsForRoom)
        {
            _waitsForRoom = true;
            _reactor.WaitForRoom(() =>
            {
                _waitsForRoom = false;
                UpdateInterest();
            });
        }
    }
}

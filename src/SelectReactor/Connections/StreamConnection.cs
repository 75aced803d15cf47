using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Buffers;
using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <summary>
/// A connection over one stream handle. Input and output each have a state of their own, since either may end first; the
/// connection's phase says how much of it the handler may still see. Every end leads through <see cref="Terminate"/> to
/// <see cref="FinishClose"/>.
/// </summary>
internal sealed partial class StreamConnection : Connection, IEventHandler, IReactorClient, IBufferOwner
{
    private readonly Reactor _reactor;
    private readonly Handle _handle;
    private readonly ConnectionOptions _options;
    private readonly InputBuffer _input;
    private readonly OutputBuffer _output;
    private readonly Action<Connection>? _onFinished;
    private SelectionKey _key = null!;
    private IConnectionHandler? _handler;
    private object? _userState;
    private Phase _phase;

    /// <summary>Whether OnConnected was called, to which OnClosed then belongs.</summary>
    private bool _isGiven;
    private Deferred _deferred;

    public StreamConnection(
        Reactor reactor,
        Handle handle,
        ConnectionOptions options,
        bool pauseReadingWhenOutputIsFull,
        EndPoint? localEndPoint,
        Action<Connection>? onFinished)
    {
        _reactor = reactor;
        _handle = handle;
        _options = options;
        _pauseReadingWhenOutputIsFull = options.PauseReadingWhenOutputIsFull ?? pauseReadingWhenOutputIsFull;
        _onFinished = onFinished;
        _input = new InputBuffer(reactor.Buffers, this);
        _output = new OutputBuffer(
            reactor.Buffers,
            this,
            options.OutputHighWaterMark,
            Math.Min(options.OutputLowWaterMark, options.OutputHighWaterMark));
        Id = reactor.NextId();
        LocalEndPoint = localEndPoint ?? handle.LocalEndPoint;
        RemoteEndPoint = handle.RemoteEndPoint;
    }

    private enum Phase : byte
    {
        Opening,
        Open,
        Closing,
        Finishing,
        Closed,
    }

    private enum Callback
    {
        OnConnected,
        OnReadable,
        OnWritable,
        OnInputEnded,
        OnClosed,
    }

    /// <summary>Callbacks that an API call or the end of a tick gave rise to, for a phase in which users may be called.</summary>
    [Flags]
    private enum Deferred : byte
    {
        None = 0,
        Readable = 1,
        Writable = 2,
    }

    public override long Id { get; }

    public override Reactor Reactor => _reactor;

    public override EndPoint? LocalEndPoint { get; }

    public override EndPoint? RemoteEndPoint { get; }

    public override ConnectionState State => _phase switch
    {
        Phase.Opening => ConnectionState.Opening,
        Phase.Open => ConnectionState.Open,
        Phase.Closed => ConnectionState.Closed,
        _ => ConnectionState.Closing,
    };

    public override PipeReader Input => _input;

    public override PipeWriter Output => _output;

    public override IConnectionHandler Handler
    {
        get
        {
            VerifyAccess();
            return _handler ?? throw new InvalidOperationException("The connection has no handler yet.");
        }

        set
        {
            ArgumentNullException.ThrowIfNull(value);
            VerifyAccess();
            _handler = value;
            if (_input.Unexamined > 0)
            {
                Defer(Deferred.Readable);
            }
        }
    }

    public override object? UserState
    {
        get
        {
            VerifyAccess();
            return _userState;
        }

        set
        {
            VerifyAccess();
            _userState = value;
        }
    }

    public override ConnectionStatistics Statistics =>
        new(Volatile.Read(ref _bytesReceived), Volatile.Read(ref _bytesSent));

    int IReactorClient.ClientIndex { get; set; }

    /// <summary>Makes the connection one of the reactor's; it receives nothing yet. Throws what the selector throws.</summary>
    public void Register()
    {
        _key = _reactor.Register(_handle, Interest.None, this);
        _reactor.Add(this);
    }

    /// <summary>Gives the connection to its handler, unless whoever made the handler has closed it already.</summary>
    public void Open(IConnectionHandler handler)
    {
        if (_phase != Phase.Opening)
        {
            return;
        }

        _handler ??= handler;
        Transition(Phase.Open);
        StartDeadlines();
        UpdateInterest();
        ReactorLog.Opened(_reactor.Logger, Id, LocalEndPoint, RemoteEndPoint);
        _isGiven = true;
        Deliver(Callback.OnConnected);
    }

    /// <summary>Cuts a connection that has no handler: nobody is told.</summary>
    public void Refuse(Exception error) => Terminate(CloseKind.HandlerFault, error, reset: true);

    public void OnReady(SelectionKey key)
    {
        if (key.IsEvicted)
        {
            Terminate(CloseKind.Aborted, new SocketException((int)SocketError.OperationAborted), reset: false);
            return;
        }

        Interest ready = key.Ready;
        if ((ready & Interest.Read) != 0)
        {
            Receive();
        }

        if ((ready & Interest.Write) != 0 && _key.IsValid)
        {
            FlushOutput();
        }
    }

    void IFallible.Fail(Exception error) => Terminate(CloseKind.Aborted, error, reset: true);

    public void VerifyAccess() => _reactor.VerifyAccess();

    void IBufferOwner.Defer(Action<object?> callback, object? state) => _reactor.TryPost(callback, state);

    internal override void Fault(Exception error, string callback)
    {
        // A handler that fails because its connection is gone is no fault of its own.
        if (_phase <= Phase.Closing)
        {
            ReactorLog.HandlerFault(_reactor.Logger, Id, callback, error);
        }

        Terminate(CloseKind.HandlerFault, error, reset: true);
    }

    private void Transition(Phase next)
    {
        if (next <= _phase)
        {
            throw new InvalidOperationException($"A connection does not go from {_phase} to {next}.");
        }

        _phase = next;
    }

    private void Deliver(Callback callback)
    {
        // Such as the end of one that was refused or closed before a handler had it.
        if (!_isGiven)
        {
            return;
        }

        try
        {
            switch (callback)
            {
                case Callback.OnConnected:
                    _handler!.OnConnected(this);
                    break;
                case Callback.OnReadable:
                    _handler!.OnReadable(this);
                    break;
                case Callback.OnWritable:
                    _handler!.OnWritable(this);
                    break;
                case Callback.OnInputEnded:
                    _handler!.OnInputEnded(this);
                    break;
                case Callback.OnClosed:
                    _handler!.OnClosed(this, _reason);
                    break;
            }
        }
        catch (Exception exception)
        {
            ReactorLog.HandlerFault(_reactor.Logger, Id, callback.ToString(), exception);
            Terminate(CloseKind.HandlerFault, exception, reset: true);
        }
        finally
        {
            _reactor.EndCallback();
        }
    }

    private void Defer(Deferred callbacks)
    {
        if (_deferred == Deferred.None)
        {
            _reactor.TryPost(static self => ((StreamConnection)self!).DeliverDeferred(), this);
        }

        _deferred |= callbacks;
    }

    private void DeliverDeferred()
    {
        Deferred callbacks = _deferred;
        _deferred = Deferred.None;
        if ((callbacks & Deferred.Writable) != 0 && IsWritable)
        {
            Deliver(Callback.OnWritable);
        }

        if ((callbacks & Deferred.Readable) != 0 && _phase == Phase.Open && !_paused)
        {
            DeliverReadable();
        }
    }

    private void UpdateInterest()
    {
        if (_key.IsValid)
        {
            NoteInterest();
            _key.Interest = (WantsToRead ? Interest.Read : Interest.None) | (_sendingShort ? Interest.Write : Interest.None);
        }
    }
}

using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Buffers;
using SelectReactor.Diagnostics;
using SelectReactor.Dispatch;
using SelectReactor.Selection;

namespace SelectReactor.Connections;

/// <summary>
/// A connection over one stream handle. Input and output each have a state of their own, since either may end first;
/// the connection's phase says how much of it the handler may still see. Whatever changes marks the connection, and
/// <see cref="Settle"/> draws the consequences once a tick. Every end leads through <see cref="Terminate"/> to
/// <see cref="FinishClose"/>.
/// </summary>
internal sealed partial class StreamConnection
    : Connection, IEventHandler, IReactorClient, ILingering, IResumable, IBufferOwner
{
    private static readonly TimeSpan _flushDelay = TimeSpan.FromMilliseconds(10);
    private readonly Reactor _reactor;
    private readonly Handle _handle;
    private readonly ConnectionOptions _options;
    private readonly InputBuffer _input;
    private readonly OutputBuffer _output;
    private readonly Action<Connection>? _onFinished;
    private readonly ConnectionCounts _counts;
    private SelectionKey _key = null!;
    private IConnectionHandler? _handler;
    private OpeningFacts? _facts;
    private object? _userState;
    private ConnectionTimers _timers;
    private ConnectionPhase _phase;
    private bool _isMarked;

    /// <summary>Whether OnConnected was called, to which OnClosed then belongs.</summary>
    private bool _isGiven;

    public StreamConnection(
        Reactor reactor,
        in Opened opened,
        ConnectionOptions options,
        bool pauseReadingWhenOutputIsFull,
        Action<Connection>? onFinished)
    {
        _reactor = reactor;
        _handle = opened.Handle;
        _facts = opened.Facts;
        _counts = opened.Counts;
        _options = options;
        _pauseReadingWhenOutputIsFull = options.PauseReadingWhenOutputIsFull ?? pauseReadingWhenOutputIsFull;
        _onFinished = onFinished;
        _input = new InputBuffer(reactor.Buffers, this);
        _output = new OutputBuffer(
            reactor.Buffers,
            this,
            new OutputLimits(options.OutputLowWaterMark, options.OutputHighWaterMark, options.MaxOutputBytes));
        Id = reactor.NextId();
        LocalEndPoint = opened.LocalEndPoint;
        RemoteEndPoint = opened.RemoteEndPoint;
    }

    public override long Id { get; }

    public override Reactor Reactor => _reactor;

    public override EndPoint? LocalEndPoint { get; }

    public override EndPoint? RemoteEndPoint { get; }

    public override ConnectionState State => _phase switch
    {
        ConnectionPhase.Opening => ConnectionState.Opening,
        ConnectionPhase.Open => ConnectionState.Open,
        ConnectionPhase.Closed => ConnectionState.Closed,
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
            bool takesOver = _isGiven && _handler != value;
            _handler = value;
            if (!takesOver)
            {
                return;
            }

            HandlerState = null;
            if (_inputState == InputState.Ended)
            {
                // The new handler learns of it, too, once it was offered the input that lies before.
                _inputState = InputState.EndSeen;
            }

            DeferredWork stopping = _isStopping ? DeferredWork.Stopping : DeferredWork.None;
            Defer(DeferredWork.Attached | DeferredWork.Readable | stopping);
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
        new() { BytesReceived = Volatile.Read(ref _bytesReceived), BytesSent = Volatile.Read(ref _bytesSent) };

    public override ReactorTimer Schedule(TimeSpan due, Action callback)
    {
        ReactorTimer timer = base.Schedule(due, callback);
        if (_phase < ConnectionPhase.Closing)
        {
            _timers.Add(timer);
        }
        else
        {
            timer.Cancel();
        }

        return timer;
    }

    public override T? GetFeature<T>()
        where T : class
    {
        // Not as one of its base types or interfaces, which could be those of another feature.
        if (typeof(T) != typeof(Socket))
        {
            return _facts?.GetFeature<T>() ?? base.GetFeature<T>();
        }

        VerifyAccess();
        if (_handle.Socket is not { } socket)
        {
            return null;
        }

        OwnedSockets.Note(socket);
        return (T)(object)socket;
    }

    int IReactorClient.ClientIndex { get; set; }

    bool IBufferOwner.HasAccess => _reactor.Affinity.IsCurrentOrUnbound;

    long IBufferOwner.Tick => _reactor.Ticks;

    SynchronizationContext IBufferOwner.Context => _reactor.SynchronizationContext;

    /// <summary>Makes the connection one of the reactor's; it receives nothing yet. Throws what the selector
    /// throws.</summary>
    public void Register()
    {
        _key = _reactor.Register(_handle.Watched, Interest.None, this);
        _reactor.Add(this);
    }

    /// <summary>Gives the connection to its handler, unless the code that made the handler has closed it
    /// already.</summary>
    /// <param name="handler">The handler.</param>
    /// <param name="received">Bytes that were received before; they are offered after OnConnected.</param>
    public void Open(IConnectionHandler handler, ReadOnlySpan<byte> received = default)
    {
        if (_phase != ConnectionPhase.Opening)
        {
            return;
        }

        _handler ??= handler;
        Transition(ConnectionPhase.Open);
        TakeIn(received);
        StartDeadlines();
        UpdateInterest();
        ReactorLog.Opened(_reactor.Logger, Id, LocalEndPoint, RemoteEndPoint);
        _isGiven = true;
        NoteOpened();
        Call(Callback.OnConnected);
    }

    /// <summary>Cuts a connection that has no handler: nobody is told.</summary>
    public void Refuse(Exception error) => Terminate(CloseKind.HandlerFault, error, reset: true);

    void IEventHandler.OnReady(SelectionKey key)
    {
        if (key.IsEvicted)
        {
            Terminate(CloseKind.Aborted, new SocketException((int)SocketError.OperationAborted), reset: false);
            return;
        }

        Interest ready = key.Ready;
        if ((ready & Interest.Write) != 0)
        {
            _awaitsRoom = false;
            _handle.Flush();
            Mark();
        }

        // An earlier callback of this tick may have paused reading, which shows in the interest only after it.
        if ((ready & Interest.Read) != 0 && WantsToRead)
        {
            Receive();
        }
    }

    /// <summary>Draws the consequences of all that has changed since the last call, in this order: sends, ends the
    /// output, updates the interest, decides whether the connection is over.</summary>
    public void Settle()
    {
        _isMarked = false;
        if (_phase < ConnectionPhase.Finishing)
        {
            SendQueue();
            _bytesSentBeforeTick = _bytesSent;
            EndOutput();
            UpdateInterest();
            DecideEnd();
        }
    }

    void IResumable.Resume() => Guard(static self => self.Resume());

    void IFallible.Fail(Exception error) => Terminate(CloseKind.Aborted, error, reset: true);

    public void VerifyAccess() => _reactor.VerifyAccess();

    bool IBufferOwner.Defer(Action<object?> callback, object? state) => _reactor.TryPost(callback, state);

    void IBufferOwner.Invoke(Action<object?> continuation, object? state, bool withContext) =>
        _reactor.Invoke(continuation, state, withContext);

    void IBufferOwner.InputResultReady() => Defer(DeferredWork.ReadResult);

    void IBufferOwner.OutputResultReady() => Defer(DeferredWork.FlushResult);

    void IBufferOwner.DelayOutputResult() =>
        _reactor.Schedule(_flushDelay, static self => ((StreamConnection)self!)._output.CompletePendingFlush(), this);

    // An exception of the library's own, such as for want of memory, is this connection's failure and nobody else's.
    private void Guard(Action<StreamConnection> step)
    {
        try
        {
            step(this);
        }
        catch (Exception exception)
        {
            ReactorLog.ClientFault(_reactor.Logger, exception);
            Terminate(CloseKind.Aborted, exception, reset: true);
        }
    }

    private void Transition(ConnectionPhase next)
    {
        if (next <= _phase)
        {
            throw new InvalidOperationException($"A connection does not go from {_phase} to {next}.");
        }

        _phase = next;
    }

    private void Mark()
    {
        if (!_isMarked)
        {
            _isMarked = true;
            _reactor.MarkDirty(this);
        }
    }
}

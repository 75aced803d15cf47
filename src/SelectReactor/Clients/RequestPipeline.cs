using SelectReactor.Dispatch;

namespace SelectReactor.Clients;

/// <summary>The requests of a <see cref="RequestClient{TRequest, TResponse}"/>, in their order: those in flight, and
/// behind them those that wait to be sent. It is the handler of the connection. All of it runs on the reactor's
/// thread.</summary>
internal sealed partial class RequestPipeline<TRequest, TResponse>(
    Reactor reactor,
    MessageEncoder<TRequest> encoder,
    MessageDecoder<TResponse> decoder,
    RequestClientOptions options)
    : MessageHandler<TResponse, TRequest>(decoder, encoder), IStoppable
{
    private readonly Queue<PendingRequest<TRequest, TResponse>> _inFlight = new();
    private readonly WaitingRequests<TRequest, TResponse> _waiting = new();
    private Connection? _connection;
    private bool _isRegistered;
    private bool _isPumping;

    public int InFlight => _inFlight.Count;

    public int Waiting => _waiting.Count;

    private bool IsConnected => _connection is { State: ConnectionState.Open };

    private long Now => reactor.TimeProvider.GetTimestamp();

    /// <summary>Takes a new request over. It never throws.</summary>
    public void Accept(PendingRequest<TRequest, TResponse> request)
    {
        if (RefusalOf() is { } refusal)
        {
            request.SetException(refusal);
            return;
        }

        request.StartedAt = Now;
        if (request.CanBeCancelled)
        {
            Watch(request);
        }

        _waiting.Add(request);
        Pump();
        if (_waiting.Count > 0)
        {
            Register();
        }

        KeepTime();
    }

    private void Watch(PendingRequest<TRequest, TResponse> request) => request.Begin(() => OnCancelled(request));

    // One that was sent keeps its place, since its response comes all the same.
    private void OnCancelled(PendingRequest<TRequest, TResponse> request)
    {
        if (!request.IsTaken)
        {
            _waiting.NoteCancelled();
            Pump();
            CloseWhenDone();
        }
    }

    public override void OnConnected(Connection connection)
    {
        if (_connection is not null)
        {
            throw new InvalidOperationException(
                "A RequestClient has one connection at a time: make a client for each connection.");
        }

        _connection = connection;
        Pump();
        KeepTime();
    }

    public override void OnWritable(Connection connection) => Pump();

    public override void OnStopping(Connection connection) => CloseWhenDone();

    public override void OnClosed(Connection connection, CloseReason reason)
    {
        if (connection != _connection)
        {
            return;
        }

        _connection = null;
        while (_inFlight.TryDequeue(out PendingRequest<TRequest, TResponse>? request))
        {
            if (!request.IsCompleted)
            {
                request.SetException(new RequestLostException(reason));
            }
        }

        if (options.WhenDisconnected == WhenDisconnected.Fail || reactor.Stopping.IsCancellationRequested)
        {
            FailWaiting(static () => new IOException("The connection ended. The request was not sent."));
        }

        KeepTime();
    }

    void IStoppable.BeginStop(StopPhase phase)
    {
        // With a connection the requests go on until it closes.
        Unregister();
        if (_connection is null)
        {
            FailWaiting(static () => new IOException("The reactor is stopping. The request was not sent."));
        }
    }

    protected override void OnMessage(Connection connection, TResponse message)
    {
        if (!_inFlight.TryDequeue(out PendingRequest<TRequest, TResponse>? request))
        {
            connection.Close(CloseKind.ProtocolError, new InvalidDataException(
                "A response has arrived that no request has asked for."));
            return;
        }

        if (!request.IsCompleted)
        {
            request.SetResult(message);
        }

        _isLate = false;
        Pump();
        CloseWhenDone();
    }

    private IOException? RefusalOf()
    {
        if (reactor.Stopping.IsCancellationRequested)
        {
            return new IOException("The reactor is stopping. The request was not sent.");
        }

        if (!IsConnected && options.WhenDisconnected == WhenDisconnected.Fail)
        {
            return new IOException("There is no connection. The request was not sent.");
        }

        return _waiting.Count >= options.MaxWaiting && !MaySend
            ? new IOException(
                $"{_waiting.Count} requests wait already: RequestClientOptions.MaxWaiting. The request was not sent.")
            : null;
    }

    private bool MaySend => IsConnected && _inFlight.Count < options.MaxInFlight && _connection!.IsWritable;

    private void Pump()
    {
        // An encoder may itself send a request, which then follows.
        if (_isPumping)
        {
            return;
        }

        _isPumping = true;
        while (MaySend && _waiting.TryTake(out PendingRequest<TRequest, TResponse>? request))
        {
            if (TryWrite(_connection!, request))
            {
                _inFlight.Enqueue(request);
            }
        }

        _isPumping = false;
        if (_waiting.Count == 0)
        {
            Unregister();
        }
    }

    private bool TryWrite(Connection connection, PendingRequest<TRequest, TResponse> request)
    {
        long written = WrittenTo(connection);
        try
        {
            Send(connection, request.TakeRequest());
            return true;
        }
        catch (Exception exception)
        {
            request.SetException(exception);
            if (WrittenTo(connection) != written)
            {
                // Its first bytes would be taken for the beginning of the next request.
                connection.Abort(exception);
            }

            return false;
        }
    }

    private static long WrittenTo(Connection connection) =>
        connection.QueuedOutputBytes + connection.Statistics.BytesSent;

    private void CloseWhenDone()
    {
        if (reactor.Stopping.IsCancellationRequested && _inFlight.Count + _waiting.Count == 0)
        {
            _connection?.Close();
        }
    }

    private void FailWaiting(Func<Exception> error)
    {
        Unregister();
        while (_waiting.TryTake(out PendingRequest<TRequest, TResponse>? request))
        {
            request.SetException(error());
        }
    }

    // Who waits without a connection is told of the reactor's end.
    private void Register()
    {
        if (_isRegistered)
        {
            return;
        }

        try
        {
            reactor.AddStarter(this);
            _isRegistered = true;
        }
        catch (Exception exception)
        {
            FailWaiting(() => exception);
        }
    }

    public override string ToString() => $"Request client: {InFlight} in flight, {Waiting} waiting";

    private void Unregister()
    {
        if (_isRegistered)
        {
            _isRegistered = false;
            reactor.RemoveStarter(this);
        }
    }
}

using SelectReactor.Dispatch;

namespace SelectReactor.Clients;

/// <summary>The requests of a <see cref="RequestClient{TRequest, TResponse}"/>, in their order: those in flight, and
/// behind them those that wait to be sent. It is the handler of the connection. All of it runs on the reactor's
/// thread.</summary>
internal sealed class RequestPipeline<TRequest, TResponse>(
    Reactor reactor,
    MessageEncoder<TRequest> encoder,
    MessageDecoder<TResponse> decoder,
    RequestClientOptions options)
    : MessageHandler<TResponse, TRequest>(decoder, encoder), IStoppable
{
    private readonly Queue<PendingRequest<TRequest, TResponse>> _inFlight = new();
    private readonly Queue<PendingRequest<TRequest, TResponse>> _waiting = new();
    private Connection? _connection;
    private ReactorTimer? _timer;
    private bool _isRegistered;
    private bool _isPumping;

    /// <summary>Whether the time-out has passed already when the loop last looked, and the responses that lay in the
    /// system then are read by now.</summary>
    private bool _isLate;

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
        request.Begin(static () => { });
        _waiting.Enqueue(request);
        Pump();
        if (_waiting.Count > 0)
        {
            Register();
        }

        KeepTime();
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
        while (_waiting.Count > 0 && (_waiting.Peek().IsCompleted || MaySend))
        {
            PendingRequest<TRequest, TResponse> request = _waiting.Dequeue();
            if (!request.IsCompleted && TryWrite(request))
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

    private bool TryWrite(PendingRequest<TRequest, TResponse> request)
    {
        try
        {
            Send(_connection!, request.TakeRequest());
            return true;
        }
        catch (Exception exception)
        {
            request.SetException(exception);
            return false;
        }
    }

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
        while (_waiting.TryDequeue(out PendingRequest<TRequest, TResponse>? request))
        {
            if (!request.IsCompleted)
            {
                request.SetException(error());
            }
        }
    }

    // Those that were sent come first, so the first of the two queues is the oldest of all.
    private PendingRequest<TRequest, TResponse>? Oldest() =>
        _inFlight.TryPeek(out PendingRequest<TRequest, TResponse>? sent) ? sent
        : _waiting.TryPeek(out PendingRequest<TRequest, TResponse>? waiting) ? waiting
        : null;

    private void KeepTime()
    {
        if (options.RequestTimeout != Timeout.InfiniteTimeSpan
            && _timer is not { IsActive: true }
            && Oldest() is { } oldest)
        {
            TimeSpan left = options.RequestTimeout - reactor.TimeProvider.GetElapsedTime(oldest.StartedAt);
            StartTimer(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    private void StartTimer(TimeSpan due)
    {
        if (_timer is null)
        {
            _timer = reactor.Schedule(
                due, static self => ((RequestPipeline<TRequest, TResponse>)self!).OnTimer(), this);
        }
        else
        {
            _timer.Change(due);
        }
    }

    private void OnTimer()
    {
        while (Oldest() is { } oldest && IsOverdue(oldest))
        {
            if (_inFlight.Count == 0)
            {
                Expire(_waiting.Dequeue(), "It was not sent.");
            }
            else if (_isLate)
            {
                CutLate(_inFlight.Dequeue());
            }
            else
            {
                // After a long callback the response may lie in the system: it is read before the next look.
                _isLate = true;
                StartTimer(TimeSpan.Zero);
                return;
            }
        }

        _isLate = false;
        KeepTime();
    }

    private bool IsOverdue(PendingRequest<TRequest, TResponse> request) =>
        reactor.TimeProvider.GetElapsedTime(request.StartedAt) >= options.RequestTimeout;

    private void CutLate(PendingRequest<TRequest, TResponse> request)
    {
        Expire(request, "Its connection was cut, since the response could not be told from the next one.");
        _connection?.Abort(CloseKind.TimedOut, new TimeoutException(
            $"A request had no response within {options.RequestTimeout}."));
    }

    private void Expire(PendingRequest<TRequest, TResponse> request, string consequence)
    {
        if (!request.IsCompleted)
        {
            request.SetException(new TimeoutException(
                $"The request had no response within {options.RequestTimeout}. {consequence}"));
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

    private void Unregister()
    {
        if (_isRegistered)
        {
            _isRegistered = false;
            reactor.RemoveStarter(this);
        }
    }
}

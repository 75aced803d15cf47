using System.Net;
using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Dispatch;
using SelectReactor.Selection;

namespace SelectReactor.Endpoints;

/// <summary>
/// Connects to an address or a host name. The result is an open connection or one exception. The addresses of a host
/// are tried as RFC 8305 (Happy Eyeballs) says: the families take turns, each address starts a little later than the
/// one before, and the first that answers wins.
/// </summary>
internal sealed class Connector(
    Reactor reactor,
    EndPoint remoteEndPoint,
    Func<Connection, IConnectionHandler> handlerFactory,
    ConnectOptions options,
    CancellationToken token)
    : IOpening
{
    private readonly ConnectOutcome _outcome = new(reactor, remoteEndPoint, options.Connection.TraceConnections);
    private readonly string _description = $"Can't connect to {EndPointText.Of(remoteEndPoint)}";
    private readonly List<ConnectAttempt> _attempts = [];
    private HostAddresses? _host;
    private Exception? _error;
    private ReactorTimer? _timer;
    private long? _due;
    private ReactorTimer? _next;
    private OpeningSequence? _opening;
    private CancellationTokenRegistration _registration;

    /// <summary>Any thread.</summary>
    public Task<Connection> ConnectAsync()
    {
        if (!reactor.TryPost(static self => ((Connector)self!).Begin(), this))
        {
            _outcome.SetFailure(Reactor.DisposedError());
        }

        return _outcome.Task;
    }

    public override string ToString() =>
        $"Connect to {EndPointText.Of(remoteEndPoint)}: {_opening?.StepName ?? "waits for the peer"}";

    public void BeginStop(StopPhase phase) =>
        Fail(new OperationCanceledException($"{_description}: the reactor is stopping."));

    private void Begin()
    {
        try
        {
            if (token.IsCancellationRequested)
            {
                throw Cancelled();
            }

            reactor.AddStarter(this);
            if (reactor.IsFull)
            {
                throw IsFullFailure();
            }

            if (options.Timeout != Timeout.InfiniteTimeSpan)
            {
                _due = reactor.Clock.After(reactor.Clock.Now, options.Timeout);
                _timer = reactor.Schedule(options.Timeout, static self => ((Connector)self!).TimeOut(), this);
            }

            _registration = token.UnsafeRegister(static self => ((Connector)self!).CancelLater(), this);
            if (remoteEndPoint is DnsEndPoint name)
            {
                _host = new HostAddresses(reactor, name, options, OnAddresses);
                _host.Resolve();
            }
            else
            {
                Start(remoteEndPoint, _description);
            }
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    // Further addresses wait until the last attempt has had its time.
    private void OnAddresses()
    {
        if (_next is not { IsActive: true })
        {
            StartNext();
        }
    }

    // Called when addresses have come or none will come, when an attempt has failed, and when one has taken its time.
    private void StartNext()
    {
        _next?.Cancel();
        _next = null;
        if (_outcome.IsCompleted)
        {
            return;
        }

        if (_host?.TakeNext() is { } address)
        {
            _next = reactor.Schedule(options.AttemptDelay, static self => ((Connector)self!).EndAttemptDelay(), this);
            Start(address, $"{_description} ({address.Address})");
        }
        else if (_attempts.Count == 0 && _host is not { IsResolving: true })
        {
            Fail(_error ?? HostFailure());
        }
    }

    private SocketException HostFailure() => _host?.Error switch
    {
        null => SocketFailure.Create(SocketError.HostNotFound, _description, remoteEndPoint, SocketStep.Connect),
        SocketException error => SocketFailure.Create(
            error.SocketErrorCode, _description, remoteEndPoint, SocketStep.Connect, error.Message),
        { } error => new SocketException((int)SocketError.HostNotFound, $"{_description}: {error.Message}"),
    };

    private void Start(EndPoint address, string description)
    {
        var attempt = new ConnectAttempt(reactor, address, description, options, OnConcluded);
        _attempts.Add(attempt);
        attempt.Begin();
    }

    private void OnConcluded(ConnectAttempt attempt, Exception? error)
    {
        _attempts.Remove(attempt);
        if (error is not null)
        {
            _error ??= error;
            StartNext();
            return;
        }

        if (!reactor.TryReservePlace())
        {
            attempt.Abort();
            Fail(IsFullFailure());
            return;
        }

        var opened = new Opened(attempt.TakeHandle()) { Counts = reactor.Counts.Of(_outcome.Tags) };
        IReadOnlyList<Func<OpeningStep>> steps = options.CreateSteps(remoteEndPoint);
        if (steps.Count == 0)
        {
            Open(opened);
            return;
        }

        EndAttempts();
        _opening = new OpeningSequence(reactor, opened, steps, $"{_description}: ", OnOpened);
        _opening.Begin();
    }

    private void OnOpened(OpeningSequence sequence, Exception? error)
    {
        _opening = null;
        if (error is null)
        {
            Open(sequence.Opened);
        }
        else
        {
            Fail(error);
        }
    }

    private void Open(in Opened opened)
    {
        StreamConnection connection;
        try
        {
            End();
            connection = new StreamConnection(
                reactor, opened, options.Connection, pauseReadingWhenOutputIsFull: false, onFinished: null);
            connection.Register();
        }
        catch (Exception exception)
        {
            opened.Handle.Abort();
            reactor.GiveBackPlaces();
            _outcome.SetFailure(exception);
            return;
        }

        Give(connection, opened.Received.Span);
    }

    private void Give(StreamConnection connection, ReadOnlySpan<byte> received)
    {
        IConnectionHandler handler;
        reactor.BeginCallback(handlerFactory, connection);
        try
        {
            handler = connection.MakeHandler(handlerFactory);
        }
        catch (Exception exception)
        {
            _outcome.SetFault(connection, exception);
            return;
        }
        finally
        {
            reactor.EndCallback();
        }

        if ((connection.TryOpen(handler, received) ?? connection.HandlerError) is { } fault)
        {
            _outcome.SetFault(connection, fault);
        }
        else
        {
            _outcome.SetConnection(connection);
        }
    }

    private void EndAttemptDelay()
    {
        // A failure that this finds starts the next address by itself.
        PollAttempts();
        if (_next is not { IsActive: true })
        {
            StartNext();
        }
    }

    private void TimeOut()
    {
        PollAttempts();
        _opening?.LookAgain();
        if (_due is { } due && _opening?.HasProgressSince(due) is true)
        {
            _due = null;
            _timer!.Change(OpeningSequence.OvertimeOf(options.Timeout));
            return;
        }

        Fail(new TimeoutException(_opening is { } opening
            ? $"{_description}: the {opening.StepName} did not end within {options.Timeout}."
            : $"{_description}: no answer within {options.Timeout}."));
    }

    // A time-out must not cut an attempt that has ended meanwhile: after a long callback, many handles may be ready
    // that the loop has not looked at yet.
    private void PollAttempts() => Array.ForEach([.. _attempts], static attempt => attempt.Poll());

    // The token may be cancelled on any thread; this object belongs to the reactor's.
    private void CancelLater() => reactor.TryPost(
        static self =>
        {
            var connector = (Connector)self!;
            connector.Fail(connector.Cancelled());
        },
        this);

    private InvalidOperationException IsFullFailure() =>
        new($"{_description}: the reactor has as many connections as its MaxConnections allows.");

    private OperationCanceledException Cancelled() => new($"{_description}: cancelled.", token);

    private void Fail(Exception exception)
    {
        if (!_outcome.IsCompleted)
        {
            End();
            _outcome.SetFailure(exception);
        }
    }

    private void End()
    {
        reactor.RemoveStarter(this);
        EndAttempts();
        _opening?.Abort();
        _timer?.Cancel();
        _registration.Dispose();
    }

    private void EndAttempts()
    {
        _attempts.ForEach(static attempt => attempt.Abort());
        _attempts.Clear();
        _next?.Cancel();
        _host?.Cancel();
    }
}

using System.Net;
using SelectReactor.Clients;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <content>The attempts, their failures and losses. All of it runs on the reactor's thread.</content>
public sealed partial class ReconnectingClient
{
    private CancellationTokenSource? _attempt;
    private ReactorTimer? _timer;
    private Exception? _lastError;
    private long _connectedAt;
    private long _downSince;
    private int _failures;
    private int _turn;

    private long Now => Reactor.TimeProvider.GetTimestamp();

    private void Begin()
    {
        if (_state != ReconnectState.Idle)
        {
            return;
        }

        try
        {
            Reactor.AddStarter(this);
        }
        catch (Exception exception)
        {
            _lastError = exception;
            End(ReconnectEndKind.ReactorStopped);
            return;
        }

        _downSince = Now;
        Connect();
    }

    private TimeSpan Since(long start) => Reactor.TimeProvider.GetElapsedTime(start);

    private void Connect()
    {
        _state = ReconnectState.Connecting;
        EndPoint endPoint = _endPoints[_turn];
        _attempt = new CancellationTokenSource();
        Reactor.ConnectAsync(endPoint, _handlerFactory, _options.Connect, _attempt.Token)
            .ContinueOnLoop(Reactor, task => OnAttempted(endPoint, task));
        Raise(Attempting, endPoint);
    }

    private void OnAttempted(EndPoint endPoint, Task<Connection> task)
    {
        _attempt = null;
        if (!task.IsCompletedSuccessfully)
        {
            Fail(endPoint, task.ErrorOf());
            return;
        }

        Connection connection = task.Result;
        connection.Completion.ContinueOnLoop(Reactor, closed => OnLost(connection, closed.Result));
        _connection = connection;
        _connectedAt = Now;
        if (_state == ReconnectState.Stopping)
        {
            connection.Close();
            return;
        }

        _state = ReconnectState.Connected;
        foreach (LoopWait<Connection> wait in TakeWaits())
        {
            wait.SetResult(connection);
        }

        Raise(Connected, connection);
    }

    private void Fail(EndPoint endPoint, Exception error)
    {
        if (_state == ReconnectState.Stopping)
        {
            End(ReconnectEndKind.Stopped);
            return;
        }

        _lastError = error;
        TimeSpan? delay = null;
        if (Reactor.Stopping.IsCancellationRequested)
        {
            End(ReconnectEndKind.ReactorStopped);
        }
        else
        {
            delay = RetryAfter(isFailure: true, _options.RetryAfterFailure, error);
        }

        Raise(AttemptFailed, new FailedAttempt
        {
            EndPoint = endPoint,
            Error = error,
            Failures = _failures,
            NextAttemptIn = delay,
        });
    }

    private void OnLost(Connection connection, CloseReason reason)
    {
        TimeSpan openFor = Since(_connectedAt);
        bool isHealthy = openFor >= _options.HealthyAfter;
        _connection = null;
        _lastError = reason.Error;
        TimeSpan? delay = null;
        if (_state == ReconnectState.Stopping)
        {
            End(ReconnectEndKind.Stopped);
        }
        else if (Reactor.Stopping.IsCancellationRequested)
        {
            End(ReconnectEndKind.ReactorStopped);
        }
        else
        {
            if (isHealthy)
            {
                _failures = 0;
                _downSince = Now;
            }

            delay = RetryAfter(isFailure: !isHealthy, _options.RetryAfterLoss, reason);
        }

        Raise(Lost, new LostConnection
        {
            Connection = connection,
            Reason = reason,
            OpenFor = openFor,
            NextAttemptIn = delay,
        });
    }

    /// <summary>Schedules the next attempt, or gives up.</summary>
    private TimeSpan? RetryAfter<T>(bool isFailure, Func<T, bool>? predicate, T reason)
    {
        // Before the user's code is called, which may end the client.
        _state = ReconnectState.Waiting;
        bool mayRetry = May(predicate, reason);
        if (isFailure)
        {
            _failures++;
            _turn = (_turn + 1) % _endPoints.Length;
        }

        TimeSpan delay = NextDelay();
        if (_state == ReconnectState.Stopped)
        {
            return null;
        }

        bool isLate = _options.MaxDowntime != Timeout.InfiniteTimeSpan
            && delay > _options.MaxDowntime - Since(_downSince);
        if (!mayRetry || _failures >= _options.MaxFailures || isLate)
        {
            End(ReconnectEndKind.GaveUp);
            return null;
        }

        _timer = Reactor.Schedule(delay, static self => ((ReconnectingClient)self!).Connect(), this);
        return delay;
    }

    private TimeSpan NextDelay()
    {
        int failures = Math.Max(_failures, 1);
        try
        {
            return _backoff.Next(failures);
        }
        catch (Exception exception)
        {
            // The user's Random must not end the attempts.
            ReactorLog.CallbackFault(Reactor.Logger, exception);
            return _backoff.Bound(failures);
        }
    }

    private void Stop()
    {
        switch (_state)
        {
            case ReconnectState.Idle:
            case ReconnectState.Waiting:
                End(ReconnectEndKind.Stopped);
                break;
            case ReconnectState.Connecting:
                _state = ReconnectState.Stopping;
                _attempt!.Cancel();
                break;
            case ReconnectState.Connected:
                _state = ReconnectState.Stopping;
                _connection!.Close();
                break;
        }
    }

    private void End(ReconnectEndKind kind)
    {
        _state = ReconnectState.Stopped;
        _timer?.Cancel();
        Reactor.RemoveStarter(this);
        foreach (LoopWait<Connection> wait in TakeWaits())
        {
            wait.SetException(EndError());
        }

        _completion.SetResult(new ReconnectEnd { Kind = kind, Error = _lastError });
    }

    private IOException EndError() => new("The client has ended, and no connection follows.", _lastError);

    private void Add(LoopWait<Connection> wait)
    {
        if (_state == ReconnectState.Connected)
        {
            wait.SetResult(_connection!);
        }
        else if (_state is ReconnectState.Stopping or ReconnectState.Stopped)
        {
            wait.SetException(EndError());
        }
        else
        {
            Await(wait);
        }
    }

    private void Await(LoopWait<Connection> wait)
    {
        if (_state == ReconnectState.Idle)
        {
            // A client that was not started is not told of the reactor's end otherwise.
            try
            {
                Reactor.AddStarter(this);
            }
            catch (Exception exception)
            {
                wait.SetException(exception);
                return;
            }
        }

        _waits.Add(wait);
        wait.Begin(() => GiveUp(wait));
    }

    private void GiveUp(LoopWait<Connection> wait)
    {
        _waits.Remove(wait);
        if (_state == ReconnectState.Idle && _waits.Count == 0)
        {
            Reactor.RemoveStarter(this);
        }
    }

    private LoopWait<Connection>[] TakeWaits()
    {
        LoopWait<Connection>[] waits = [.. _waits];
        _waits.Clear();
        return waits;
    }

    private bool May<T>(Func<T, bool>? predicate, T argument)
    {
        try
        {
            return predicate is null || predicate(argument);
        }
        catch (Exception exception)
        {
            ReactorLog.CallbackFault(Reactor.Logger, exception);
            return false;
        }
    }

    // Each subscriber is a callback of its own, so that an exception of one is reported like that of any other, and
    // the next one is told all the same.
    private void Raise<T>(Action<T>? subscribers, T argument)
    {
        foreach (Action<T> subscriber in Delegate.EnumerateInvocationList(subscribers))
        {
            Reactor.PostAlways(new WorkItem(_ => subscriber(argument), null));
        }
    }
}

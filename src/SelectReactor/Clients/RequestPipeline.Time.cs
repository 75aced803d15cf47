namespace SelectReactor.Clients;

/// <content>The time-out of requests.</content>
internal sealed partial class RequestPipeline<TRequest, TResponse>
{
    private ReactorTimer? _timer;

    /// <summary>Whether the time-out has passed already when the loop last looked, and the responses that lay in the
    /// system then are read by now.</summary>
    private bool _isLate;

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
                _waiting.TryTake(out _);
                Expire(oldest, "It was not sent.");
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
}

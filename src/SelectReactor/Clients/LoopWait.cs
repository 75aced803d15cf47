using SelectReactor.Dispatch;

namespace SelectReactor.Clients;

/// <summary>Somebody, on any thread, who waits for something of the loop, until a token is cancelled.</summary>
internal class LoopWait<T>(Reactor reactor, CancellationToken cancellationToken)
{
    private readonly ReactorCompletion<T> _completion = new(reactor);
    private CancellationTokenRegistration _registration;

    /// <summary>The task for the calling thread. Any thread.</summary>
    public Task<T> Task => _completion.Task;

    /// <summary>Whether it may be cancelled: then <see cref="Begin"/> is needed.</summary>
    public bool CanBeCancelled => cancellationToken.CanBeCanceled;

    public bool IsCompleted => _completion.IsCompleted;

    /// <summary>Watches the token. The reactor's thread.</summary>
    /// <param name="cancelled">Called on the reactor's thread when the wait was cancelled.</param>
    public void Begin(Action cancelled)
    {
        if (cancellationToken.CanBeCanceled)
        {
            _registration = cancellationToken.UnsafeRegister(
                _ => reactor.TryPost(_ => Cancel(cancelled), null), null);
        }
    }

    public void SetResult(T result)
    {
        _registration.Unregister();
        _completion.SetResult(result);
    }

    public void SetException(Exception exception)
    {
        _registration.Unregister();
        if (exception is OperationCanceledException cancelled)
        {
            _completion.SetCanceled(cancelled);
        }
        else
        {
            _completion.SetException(exception);
        }
    }

    private void Cancel(Action cancelled)
    {
        if (!IsCompleted)
        {
            SetException(new OperationCanceledException(cancellationToken));
            cancelled();
        }
    }
}

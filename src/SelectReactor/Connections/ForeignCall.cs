namespace SelectReactor.Connections;

/// <summary>
/// An operation on a connection that another thread begins. It runs on the reactor's thread. Code that awaits its task
/// does not continue there, since a foreign thread must never go on as the loop.
/// </summary>
internal sealed class ForeignCall
{
    private readonly TaskCompletionSource<int> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<ValueTask<int>> _operation;
    private readonly CancellationTokenRegistration _registration;
    private Phase _phase;

    private ForeignCall(Func<ValueTask<int>> operation, CancellationToken cancellationToken)
    {
        _operation = operation;
        _registration = cancellationToken.UnsafeRegister(
            static (self, token) => ((ForeignCall)self!).Cancel(token), this);
    }

    private enum Phase
    {
        Waiting,

        /// <summary>The operation was begun, and deals with the token itself.</summary>
        Begun,

        /// <summary>The operation will not be begun.</summary>
        Abandoned,
    }

    public Task<int> Task => _source.Task;

    /// <summary>Begins an operation. If no thread runs the loop and the caller is the one that does so otherwise, it
    /// begins inside this call. The token cancels it while it waits for the loop; after that it is for the
    /// operation.</summary>
    /// <returns>Null if the reactor has ended.</returns>
    public static ForeignCall? TryBegin(
        Reactor reactor, Func<ValueTask<int>> operation, CancellationToken cancellationToken)
    {
        var call = new ForeignCall(operation, cancellationToken);
        if (reactor.Execute(static call => _ = ((ForeignCall)call!).RunAsync(), call))
        {
            return call;
        }

        call.TryAbandon();
        return null;
    }

    /// <summary>Takes the call back. Any thread.</summary>
    /// <returns>False if the operation has begun, or the call was cancelled: the task ends by itself.</returns>
    public bool TryAbandon()
    {
        if (!TryLeaveWaiting(Phase.Abandoned))
        {
            return false;
        }

        _registration.Unregister();
        return true;
    }

    private bool TryLeaveWaiting(Phase next) =>
        Interlocked.CompareExchange(ref _phase, next, Phase.Waiting) == Phase.Waiting;

    private void Cancel(CancellationToken token)
    {
        if (TryLeaveWaiting(Phase.Abandoned))
        {
            _source.SetCanceled(token);
        }
    }

    private async Task RunAsync()
    {
        if (!TryLeaveWaiting(Phase.Begun))
        {
            return;
        }

        _registration.Unregister();
        try
        {
            _source.SetResult(await _operation().ConfigureAwait(false));
        }
        catch (OperationCanceledException exception)
        {
            _source.SetCanceled(exception.CancellationToken);
        }
        catch (Exception exception)
        {
            _source.SetException(exception);
        }
    }
}

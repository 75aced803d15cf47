namespace SelectReactor.Connections;

/// <summary>
/// An operation on a connection that another thread begins. It runs on the reactor's thread. Code that awaits its task
/// does not continue there, since a foreign thread must never go on as the loop.
/// </summary>
internal sealed class ForeignCall
{
    private readonly TaskCompletionSource<int> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<ValueTask<int>> _operation;

    private ForeignCall(Func<ValueTask<int>> operation) => _operation = operation;

    /// <summary>Begins an operation. If no thread runs the loop and the caller is the one that does so otherwise, it
    /// begins inside this call.</summary>
    /// <returns>Null if the reactor has ended.</returns>
    public static Task<int>? TryBegin(Reactor reactor, Func<ValueTask<int>> operation)
    {
        var call = new ForeignCall(operation);
        return reactor.Execute(static call => _ = ((ForeignCall)call!).RunAsync(), call) ? call._source.Task : null;
    }

    private async Task RunAsync()
    {
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

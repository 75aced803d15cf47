using Microsoft.Extensions.Logging;

namespace SelectReactor.Dispatch;

/// <summary>
/// Posting for those who have no way to learn that the reactor is disposed, such as an await or a pipe. What they post
/// must run somewhere, since somebody waits for it: after the reactor's end it runs on the thread pool.
/// </summary>
internal static class PoolFallback
{
    /// <summary>Never throws. Any thread.</summary>
    public static void Post(Reactor reactor, Action<object?> callback, object? state)
    {
        if (!reactor.TryPost(callback, state))
        {
            ReactorLog.PostedAfterDispose(reactor.Logger);
            ThreadPool.UnsafeQueueUserWorkItem(Run, new Work(reactor.Logger, callback, state), preferLocal: false);
        }
    }

    // On the pool an exception would end the process, where the loop would have logged it.
    private static void Run(Work work)
    {
        try
        {
            work.Callback(work.State);
        }
        catch (Exception exception)
        {
            ReactorLog.CallbackFault(work.Logger, exception);
        }
    }

    private sealed record Work(ILogger Logger, Action<object?> Callback, object? State);
}

using SelectReactor.Dispatch;

namespace SelectReactor.Clients;

/// <summary>Callbacks on tasks for code that is no asynchronous method.</summary>
internal static class LoopContinuation
{
    /// <summary>Calls back in a later phase of the loop when the task has completed, however it did. After the
    /// reactor's end it calls back on the thread pool.</summary>
    public static void ContinueOnLoop<T>(this Task<T> task, Reactor reactor, Action<Task<T>> callback) =>
        task.ContinueWith(
            completed =>
            {
                // Read here: a task whose exception nobody has read reports it as unobserved.
                _ = completed.Exception;
                reactor.PostAlways(new WorkItem(_ => callback(completed), null));
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

    /// <summary>The exception of a task that failed or was cancelled.</summary>
    public static Exception ErrorOf(this Task task) =>
        task.Exception?.InnerException ?? new OperationCanceledException("The operation was cancelled.");
}

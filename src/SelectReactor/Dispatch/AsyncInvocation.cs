namespace SelectReactor.Dispatch;

/// <summary>The call of a function that starts a task. Its outcome is that of the task.</summary>
internal sealed class AsyncInvocation<T>(Reactor reactor, Func<Task?> function, Delegate given)
    : Invocation<T>(reactor, given)
{
    private readonly Reactor _reactor = reactor;

    public override void Run()
    {
        Task task;
        try
        {
            task = Context.Run(function) ?? throw new InvalidOperationException(
                "The function returned null in place of a task.");
        }
        catch (Exception exception)
        {
            Completion.CompleteNow(System.Threading.Tasks.Task.FromException<T>(exception));
            return;
        }

        if (task.IsCompleted)
        {
            Completion.CompleteNow(OutcomeOf(task));
            return;
        }

        // The function may have left another context behind, and the wait below must come back to the loop.
        _reactor.EndCallback();
        _ = Follow(task);
    }

    // It may go on inside a user's call, which completes the task: the tasks of the loop's thread complete later.
    private async Task Follow(Task task)
    {
        await task.ConfigureAwait(
            ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        Completion.Set(OutcomeOf(task));
    }

    private static Task<T> OutcomeOf(Task task) => task switch
    {
        Task<T> typed => typed,
        { Exception: { } errors } => FromExceptions(errors.InnerExceptions),
        _ => WithoutResult(task),
    };

    private static Task<T> FromExceptions(IEnumerable<Exception> exceptions)
    {
        var source = new TaskCompletionSource<T>();
        source.SetException(exceptions);
        return source.Task;
    }

    // A cancelled task keeps the exception that tells why.
    private static async Task<T> WithoutResult(Task completed)
    {
        await completed;
        return default!;
    }
}

namespace SelectReactor.Dispatch;

/// <summary>A function that starts a task on the reactor's thread, in the execution context of its caller. Its outcome
/// is that of the task.</summary>
/// <typeparam name="T">The task's result; any type for a task without one.</typeparam>
/// <param name="reactor">Whose thread it is.</param>
/// <param name="function">What is called.</param>
/// <param name="given">What the user gave, which messages name.</param>
internal sealed class AsyncInvocation<T>(Reactor reactor, Func<Task?> function, Delegate given) : INamedCall
{
    private readonly ReactorCompletion<T> _completion = new(reactor);
    private readonly CallerContext _context = CallerContext.Capture();

    Delegate INamedCall.Function => given;

    public Task<T> Task => _completion.Task;

    public void Run()
    {
        Task task;
        try
        {
            task = _context.Run(function) ?? throw new InvalidOperationException(
                "The function returned null in place of a task.");
        }
        catch (Exception exception)
        {
            _completion.CompleteNow(System.Threading.Tasks.Task.FromException<T>(exception));
            return;
        }

        if (task.IsCompleted)
        {
            _completion.CompleteNow(OutcomeOf(task));
            return;
        }

        // The function may have left another context behind, and the wait below must come back to the loop.
        reactor.EndCallback();
        _ = Follow(task);
    }

    // It may go on inside a user's call, which completes the task: the tasks of the loop's thread complete later.
    private async Task Follow(Task task)
    {
        await task.ConfigureAwait(
            ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        _completion.Set(OutcomeOf(task));
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

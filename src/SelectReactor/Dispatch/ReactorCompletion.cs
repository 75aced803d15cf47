namespace SelectReactor.Dispatch;

/// <summary>
/// A result of the loop that is awaited. It has up to two tasks, each made on use. The one for callers on the
/// reactor's thread runs their continuations on that thread, even with <c>ConfigureAwait(false)</c>: it completes in a
/// phase of the loop with no synchronization context current. The one for other threads runs continuations
/// asynchronously, so that a foreign caller never goes on as the loop. The first outcome counts.
/// </summary>
internal sealed class ReactorCompletion<T>(Reactor reactor) : IResumable
{
    private TaskCompletionSource<T>? _onLoop;
    private TaskCompletionSource<T>? _elsewhere;

    /// <summary>A completed task; null until there is an outcome.</summary>
    private Task<T>? _outcome;

    /// <summary>Whether there is an outcome. Any thread. The task for the loop's thread may complete a phase
    /// later.</summary>
    public bool IsCompleted => Volatile.Read(ref _outcome) is not null;

    /// <summary>The task for the calling thread. Any thread.</summary>
    public Task<T> Task => reactor.IsReactorThread ? TaskOnLoop() : TaskElsewhere();

    public void SetResult(T result) => Set(System.Threading.Tasks.Task.FromResult(result));

    public void SetException(Exception exception) => Set(System.Threading.Tasks.Task.FromException<T>(exception));

    /// <summary>Cancels the tasks; awaiting them throws <paramref name="exception"/> itself, with its
    /// message.</summary>
    public void SetCanceled(OperationCanceledException exception) => Set(CancelledBy(exception));

    /// <summary>Completes both tasks at once with what <paramref name="outcome"/> says. Only in a phase of the loop,
    /// never inside a user's call.</summary>
    /// <param name="outcome">A completed task.</param>
    public void CompleteNow(Task<T> outcome)
    {
        SetOutcome(outcome);
        CompleteOnLoop();
    }

    void IResumable.Resume() => CompleteOnLoop();

    private Task<T> TaskOnLoop()
    {
        if (_onLoop is null && _outcome is not null)
        {
            return _outcome;
        }

        _onLoop ??= new TaskCompletionSource<T>();
        return _onLoop.Task;
    }

    private Task<T> TaskElsewhere()
    {
        if (Volatile.Read(ref _elsewhere) is { } made)
        {
            return made.Task;
        }

        var source = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        source = Interlocked.CompareExchange(ref _elsewhere, source, null) ?? source;

        // The loop sets the outcome and then looks for the source; here it is the other way round, so that one of the
        // two completes it. Both orders need a full fence, which the exchanges are.
        if (Volatile.Read(ref _outcome) is { } outcome)
        {
            source.TrySetFromTask(outcome);
        }

        return source.Task;
    }

    /// <summary>Completes both tasks with what <paramref name="outcome"/> says, the one for the loop's thread in a
    /// later phase of the loop.</summary>
    /// <param name="outcome">A completed task.</param>
    public void Set(Task<T> outcome)
    {
        SetOutcome(outcome);
        if (_onLoop is not null)
        {
            reactor.ResumeLater(this);
        }
    }

    private void SetOutcome(Task<T> outcome)
    {
        if (Interlocked.CompareExchange(ref _outcome, outcome, null) is null)
        {
            Volatile.Read(ref _elsewhere)?.TrySetFromTask(outcome);
        }
    }

    // A continuation that asks for no context runs inline only while there is none. One that was captured with the
    // reactor's context is posted to it.
    private void CompleteOnLoop()
    {
        if (_onLoop is not null && !_onLoop.Task.IsCompleted)
        {
            reactor.Invoke(
                static self =>
                {
                    var completion = (ReactorCompletion<T>)self!;
                    completion._onLoop!.TrySetFromTask(completion._outcome!);
                },
                this,
                withContext: false);
        }
    }

    // An async method that throws an OperationCanceledException cancels its task and keeps the exception.
    private static async Task<T> CancelledBy(OperationCanceledException exception)
    {
        await System.Threading.Tasks.Task.CompletedTask;
        throw exception;
    }
}

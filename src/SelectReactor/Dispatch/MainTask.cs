using Microsoft.Extensions.Logging;

namespace SelectReactor.Dispatch;

/// <summary>The task that <see cref="Reactor.Run(Func{Task})"/> runs the loop for. For the thread that runs the
/// loop.</summary>
internal sealed class MainTask(Func<Task> main, Action wake, ILogger logger) : INamedCall
{
    private Task? _task;
    private volatile bool _isAbandoned;

    Delegate INamedCall.Function => main;

    public bool IsCompleted => _task is { IsCompleted: true };

    /// <summary>Calls the user's function, unless the loop has ended before.</summary>
    public void Start()
    {
        if (_isAbandoned)
        {
            return;
        }

        try
        {
            _task = main() ?? throw new InvalidOperationException("The function returned null in place of a task.");
        }
        catch (Exception exception)
        {
            _task = Task.FromException(exception);
        }

        // Inline and in any context, since the loop may wait.
        _task.ContinueWith(
            static (_, self) => ((MainTask)self!).End(),
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>The loop has ended. From now on nobody sees the task's exception, so that it is logged.</summary>
    public void Abandon() => _isAbandoned = true;

    /// <summary>Throws what the task ended with.</summary>
    /// <returns>False if the task has not ended.</returns>
    public bool TryEnd()
    {
        if (!IsCompleted)
        {
            return false;
        }

        _task!.GetAwaiter().GetResult();
        return true;
    }

    private void End()
    {
        wake();
        if (_isAbandoned && _task!.Exception is { } error)
        {
            ReactorLog.MainFault(logger, error.InnerException ?? error);
        }
    }
}

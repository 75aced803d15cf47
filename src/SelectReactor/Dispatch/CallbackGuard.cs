using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Dispatch;

/// <summary>
/// Stands around every call of a user's code. An exception is logged, and each callback starts from the same ambient
/// state: a culture, an <see cref="AsyncLocal{T}"/>, an activity or a synchronization context that one callback leaves
/// behind does not reach the next one.
/// </summary>
internal sealed class CallbackGuard(
    ILogger logger, bool propagatesExceptions, SynchronizationContext context, LoopProgress progress)
{
    /// <summary>The execution context of the thread that entered the loop; null outside the loop.</summary>
    private ExecutionContext? _own;
    private ExceptionDispatchInfo? _kept;

    /// <summary>Makes the reactor's synchronization context current and notes the execution context of the
    /// caller.</summary>
    /// <returns>For <see cref="Leave"/>.</returns>
    public Ambient Enter()
    {
        var outer = new Ambient(SynchronizationContext.Current, ExecutionContext.IsFlowSuppressed());
        if (outer.IsFlowSuppressed)
        {
            // Where the flow is suppressed there is no context to capture, and awaits in callbacks rely on it.
            ExecutionContext.RestoreFlow();
        }

        _own = ExecutionContext.Capture();
        progress.Enter();
        SynchronizationContext.SetSynchronizationContext(context);
        return outer;
    }

    public void Leave(Ambient outer)
    {
        _own = null;
        progress.Leave();
        SynchronizationContext.SetSynchronizationContext(outer.Context);
        if (outer.IsFlowSuppressed)
        {
            ExecutionContext.SuppressFlow();
        }
    }

    /// <summary>Calls a user's code; an exception is reported as <see cref="Report"/> does.</summary>
    public void Run(WorkItem callback, Action<ILogger, Exception> report)
    {
        progress.Begin(callback.Code, callback.State);
        try
        {
            callback.Run();
        }
        catch (Exception exception)
        {
            Report(exception, report);
        }
        finally
        {
            EndCallback();
        }
    }

    /// <summary>Logs an exception of a user's code. Where the options say that exceptions leave the loop, it keeps the
    /// first one for <see cref="ThrowKept"/> instead.</summary>
    public void Report(Exception exception, Action<ILogger, Exception> report)
    {
        if (propagatesExceptions && _kept is null)
        {
            _kept = ExceptionDispatchInfo.Capture(exception);
        }
        else
        {
            report(logger, exception);
        }
    }

    /// <summary>Throws the exception that was kept, if there is one. Only when the tick is complete: an exception in
    /// the middle of it would lose what the selector reported and what the end of the tick does.</summary>
    public void ThrowKept()
    {
        ExceptionDispatchInfo? kept = _kept;
        _kept = null;
        kept?.Throw();
    }

    /// <summary>Runs the continuation of an await, with the reactor's synchronization context current or with
    /// none.</summary>
    public void Invoke(Action<object?> continuation, object? state, bool withContext)
    {
        SynchronizationContext.SetSynchronizationContext(withContext ? context : null);
        Run(new WorkItem(continuation, state), ReactorLog.CallbackFault);
    }

    /// <summary>Notes which handler is about to be called.</summary>
    /// <param name="handler">The handler, or a text that names the callback.</param>
    /// <param name="connection">The connection that it is called for, if there is one.</param>
    public void BeginCallback(object handler, IStoppable? connection = null) =>
        progress.Begin(handler, connection);

    /// <summary>Notes that the library itself works from now on.</summary>
    public void Rest() => progress.Rest();

    /// <summary>Restores the ambient state of the loop if a callback has changed it.</summary>
    public void EndCallback()
    {
        progress.End();
        if (_own is null)
        {
            return;
        }

        if (SynchronizationContext.Current != context)
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }

        if (ExecutionContext.Capture() != _own)
        {
            ExecutionContext.Restore(_own);
        }
    }

    /// <summary>What was current on the thread before it entered the loop.</summary>
    public readonly record struct Ambient(SynchronizationContext? Context, bool IsFlowSuppressed);
}

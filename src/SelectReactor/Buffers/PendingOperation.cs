using System.Threading.Tasks.Sources;

namespace SelectReactor.Buffers;

/// <summary>
/// A read or flush that waits. One object serves all waits of a buffer, one at a time. It is made at the first wait,
/// so that a connection whose handler only uses callbacks never has one. A continuation that was attached on the
/// reactor's thread runs there, directly and without allocation: with the reactor's context current if it was current
/// at the await, and with none otherwise, so that code after <c>ConfigureAwait(false)</c> stays on the loop.
/// </summary>
internal sealed class PendingOperation<TResult>(
    IBufferOwner owner, Func<TResult> takeResult) : IValueTaskSource<TResult>
{
    private CancellationToken _token;
    private CancellationTokenRegistration _registration;
    private Action<object?>? _continuation;
    private object? _state;
    private ExecutionContext? _executionContext;
    private object? _scheduler;
    private OperationCanceledException? _error;
    private short _version;
    private Phase _phase;
    private bool _awaited;

    private enum Phase : byte
    {
        Idle,
        Waiting,

        /// <summary>The waiter may go on and has not done so yet.</summary>
        Ended,
    }

    /// <summary>Whether somebody waits.</summary>
    public bool IsWaiting => _phase == Phase.Waiting;

    /// <summary>Whether somebody waits, or has yet to take the result of a wait that has ended.</summary>
    public bool IsPending => _phase != Phase.Idle;

    /// <summary>Whether somebody awaits it, and has yet to take the result.</summary>
    public bool IsAwaited => IsPending && _awaited;

    /// <summary>Begins a wait. It replaces one that nobody awaits; beside one that somebody awaits it fails.</summary>
    public ValueTask<TResult> Wait(CancellationToken token)
    {
        if (_phase != Phase.Idle)
        {
            // As a failed task: code that does not await its flushes must not see an exception here.
            if (_awaited)
            {
                return ValueTask.FromException<TResult>(
                    new InvalidOperationException("An operation is already in progress: await one before the next."));
            }

            Stop();
            Reset();
        }

        _phase = Phase.Waiting;
        _token = token;
        _registration = token.UnsafeRegister(static self => ((PendingOperation<TResult>)self!).CancelLater(), this);
        return new ValueTask<TResult>(this, _version);
    }

    /// <summary>Lets the waiter go on; it then takes the result as it stands. Only for the loop, since the waiter's
    /// code runs inside this call.</summary>
    public void Complete()
    {
        if (Stop())
        {
            RunContinuation();
        }
    }

    /// <summary>The result of the wait, if there is one, will say that it was cancelled. From now on its token does
    /// not count: it would leave that result to the next wait.</summary>
    public void IgnoreToken()
    {
        if (IsWaiting)
        {
            _registration.Unregister();
            _token = default;
        }
    }

    public TResult GetResult(short token)
    {
        if (!owner.HasAccess)
        {
            // The waiter has had its exception then; the loop's code may read and flush on.
            ForgetLater(token);
            owner.VerifyAccess();
        }

        VerifyVersion(token);
        if (_phase != Phase.Ended)
        {
            throw new InvalidOperationException("The operation has not ended: its result can't be taken yet.");
        }

        OperationCanceledException? error = _error;
        _phase = Phase.Idle;
        Reset();
        return error is null ? takeResult() : throw error;
    }

    public ValueTaskSourceStatus GetStatus(short token)
    {
        VerifyVersion(token);
        return _phase != Phase.Ended ? ValueTaskSourceStatus.Pending
            : _error is null ? ValueTaskSourceStatus.Succeeded
            : ValueTaskSourceStatus.Canceled;
    }

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        ExecutionContext? executionContext = (flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0
            ? ExecutionContext.Capture()
            : null;
        object? scheduler = (flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0
            ? CurrentScheduler()
            : null;
        if (owner.HasAccess)
        {
            Attach(continuation, state, token, executionContext, scheduler);
            return;
        }

        AttachForeign(continuation, state, token, executionContext, scheduler ?? TaskScheduler.Default);
    }

    private static object? CurrentScheduler()
    {
        if (SynchronizationContext.Current is { } context && context.GetType() != typeof(SynchronizationContext))
        {
            return context;
        }

        return TaskScheduler.Current == TaskScheduler.Default ? null : TaskScheduler.Current;
    }

    // A foreign thread awaits an operation of the loop: its code must not go on as the loop's.
    private void AttachForeign(
        Action<object?> continuation, object? state, short token, ExecutionContext? executionContext, object scheduler)
    {
        if (!owner.Defer(_ => Attach(continuation, state, token, executionContext, scheduler), null))
        {
            // The reactor has ended: the waiter learns so when it asks for the result.
            ThreadPool.UnsafeQueueUserWorkItem(continuation, state, preferLocal: false);
        }
    }

    private void ForgetLater(short token) => owner.Defer(_ => Forget(token), null);

    private void Forget(short token)
    {
        if (token == _version && _phase == Phase.Ended)
        {
            _phase = Phase.Idle;
            Reset();
        }
    }

    private void Attach(
        Action<object?> continuation,
        object? state,
        short token,
        ExecutionContext? executionContext,
        object? scheduler)
    {
        if (token != _version || _continuation is not null)
        {
            // Awaited twice: the second waiter gets its exception when it asks for the result. Thrown here, it would
            // end the process, since nobody stands above an await.
            owner.Defer(continuation, state);
            return;
        }

        _continuation = continuation;
        _state = state;
        _executionContext = executionContext;
        _scheduler = scheduler;
        _awaited = true;
        if (_phase == Phase.Ended)
        {
            owner.Defer(static self => ((PendingOperation<TResult>)self!).RunContinuation(), this);
        }
    }

    private void RunContinuation()
    {
        if (_continuation is not { } continuation)
        {
            return;
        }

        object? state = _state;
        object? scheduler = _scheduler;
        if (_executionContext is not null)
        {
            continuation = Under(_executionContext, continuation);
        }

        _continuation = null;
        _state = null;
        if (scheduler is null || scheduler == owner.Context)
        {
            owner.Invoke(continuation, state, withContext: scheduler is not null);
        }
        else if (scheduler is SynchronizationContext context)
        {
            context.Post(continuation.Invoke, state);
        }
        else
        {
            Task.Factory.StartNew(
                continuation,
                state,
                CancellationToken.None,
                TaskCreationOptions.DenyChildAttach,
                (TaskScheduler)scheduler);
        }
    }

    private static Action<object?> Under(ExecutionContext executionContext, Action<object?> continuation) =>
        state => ExecutionContext.Run(executionContext, continuation.Invoke, state);

    // The token may be cancelled on any thread; the waiter is the reactor's.
    private void CancelLater() => owner.Defer(static self => ((PendingOperation<TResult>)self!).Cancel(), this);

    private void Cancel()
    {
        // By now another wait with another token may be under way.
        if (_token.IsCancellationRequested && IsWaiting)
        {
            _error = new OperationCanceledException(_token);
            Complete();
        }
    }

    private bool Stop()
    {
        if (_phase != Phase.Waiting)
        {
            return false;
        }

        _phase = Phase.Ended;
        _registration.Dispose();
        return true;
    }

    private void Reset()
    {
        _version++;
        _continuation = null;
        _state = null;
        _executionContext = null;
        _scheduler = null;
        _error = null;
        _awaited = false;
        _token = default;
    }

    private void VerifyVersion(short token)
    {
        if (token != _version)
        {
            throw new InvalidOperationException(
                "A ValueTask can be awaited only once, its result taken only once, and only until the next call.");
        }
    }
}

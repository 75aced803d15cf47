using System.Threading.Tasks.Sources;

namespace SelectReactor.Buffers;

/// <summary>
/// A read or flush that waits. One object serves all waits of a buffer, one at a time, and is made at the first, so that
/// a connection whose handler only uses callbacks never has one.
/// </summary>
internal sealed class PendingOperation<TResult>(IBufferOwner owner, Func<TResult> takeResult) : IValueTaskSource<TResult>
{
    private ManualResetValueTaskSourceCore<bool> _source;
    private CancellationToken _token;
    private CancellationTokenRegistration _registration;
    private Phase _phase;
    private bool _awaited;

    private enum Phase : byte
    {
        Idle,
        Waiting,

        /// <summary>The waiter may go on and has not done so yet.</summary>
        Ended,
    }

    public bool IsWaiting => _phase == Phase.Waiting;

    /// <summary>Whether somebody waits, or is about to take the result of a wait that has ended.</summary>
    public bool IsPending => _phase != Phase.Idle;

    /// <summary>Begins a wait. It takes the place of one that nobody awaits; beside one that somebody awaits it fails.</summary>
    public ValueTask<TResult> Wait(CancellationToken token)
    {
        if (_phase != Phase.Idle)
        {
            // Not by throwing: whoever does not await his flushes has done nothing wrong.
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
        return new ValueTask<TResult>(this, _source.Version);
    }

    /// <summary>Lets the waiter go on; it then takes the result as it stands.</summary>
    public void Complete()
    {
        if (Stop())
        {
            _source.SetResult(true);
        }
    }

    public TResult GetResult(short token)
    {
        if (_source.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            throw new InvalidOperationException("The operation has not ended: its result can't be taken yet.");
        }

        _phase = Phase.Idle;
        try
        {
            _source.GetResult(token);
            return takeResult();
        }
        finally
        {
            Reset();
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _source.OnCompleted(continuation, state, token, flags);
        _awaited = true;
    }

    // The token may be cancelled on any thread; the waiter is the reactor's.
    private void CancelLater() => owner.Defer(static self => ((PendingOperation<TResult>)self!).Cancel(), this);

    private void Cancel()
    {
        // By now another wait with another token may be under way.
        if (_token.IsCancellationRequested && Stop())
        {
            _source.SetException(new OperationCanceledException(_token));
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
        _source.Reset();
        _awaited = false;
        _token = default;
    }
}

using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Buffers;

/// <content>Flushes, and who waits for them.</content>
internal sealed partial class OutputBuffer
{
    /// <summary>Of so many flushes that say <c>IsCompleted</c>, one waits for a moment.</summary>
    private const int CompletedFlushesPerWait = 64;

    private PendingOperation<FlushResult>? _pending;
    private int _completedFlushes;
    private bool _cancelNext;

    private bool CanFlush => !IsAboveMark || _writer == WriterState.Discarding || _cancelNext;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        owner.VerifyAccess();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        // A loop that forgets IsCompleted must not stop the whole reactor, nor use up its core.
        _unflushed = 0;
        bool waits = _writer == WriterState.Discarding && ++_completedFlushes % CompletedFlushesPerWait == 0;
        if (CanFlush && !waits)
        {
            return new ValueTask<FlushResult>(TakeResult());
        }

        _pending ??= new PendingOperation<FlushResult>(owner, TakeResult);
        ValueTask<FlushResult> flush = _pending.Wait(cancellationToken);
        if (waits)
        {
            owner.DelayOutputResult();
        }

        return flush;
    }

    /// <summary>As the stock one; but bytes that would exceed the limit of the queue are written piece by piece, and
    /// beside a flush that is awaited none are written.</summary>
    public override ValueTask<FlushResult> WriteAsync(
        ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        owner.VerifyAccess();
        if (!CanFlush && _pending is { IsAwaited: true })
        {
            return ValueTask.FromException<FlushResult>(new InvalidOperationException(
                "Another write or flush of this output is already in progress and awaited, maybe by a stream of the "
                    + "connection: await one before the next. Nothing was queued."));
        }

        return Queued + source.Length <= limits.MaxBytes || _writer == WriterState.Discarding
            ? base.WriteAsync(source, cancellationToken)
            : WriteInPiecesAsync(source, cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        owner.VerifyAccess();
        _cancelNext = true;
        _pending?.IgnoreToken();
        CompletePendingFlushLater();
    }

    /// <summary>Lets a waiting flush go on, if it may. Only for the loop, since the writer's code may run inside this
    /// call.</summary>
    public void CompletePendingFlush()
    {
        if (CanFlush)
        {
            _pending?.Complete();
        }
    }

    private async ValueTask<FlushResult> WriteInPiecesAsync(
        ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        FlushResult result = default;
        while (!source.IsEmpty && result is { IsCompleted: false, IsCanceled: false })
        {
            // A writer that is above its mark already waits for the queue first.
            int count = (int)Math.Min(source.Length, Math.Max(0, limits.HighWaterMark - Queued));
            if (count > 0)
            {
                BuffersExtensions.Write(this, source.Span[..count]);
                source = source[count..];
            }

            result = await FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        return result;
    }

    // Not inside the call that caused it: the writer's code would run in the middle of its caller's.
    private void CompletePendingFlushLater()
    {
        if (_pending is { IsWaiting: true })
        {
            owner.OutputResultReady();
        }
    }

    private FlushResult TakeResult()
    {
        bool cancelled = _cancelNext;
        _cancelNext = false;
        return new FlushResult(cancelled, isCompleted: _writer == WriterState.Discarding);
    }
}

using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace SelectReactor.Buffers;

/// <summary>
/// Bytes to send behind the contract of <see cref="PipeWriter"/>, for one thread. Advanced bytes are queued, flushed
/// or not; the connection sends them with <see cref="Send"/> and tells with <see cref="Consume"/> how many left.
/// <see cref="FlushAsync"/> waits only while the queue is above its high-water mark, until it has fallen to the low
/// one.
/// </summary>
internal sealed class OutputBuffer(BufferPool pool, IBufferOwner owner, OutputLimits limits) : PipeWriter
{
    /// <summary>Of so many flushes that say <c>IsCompleted</c>, one waits for a moment.</summary>
    private const int CompletedFlushesPerWait = 64;

    private OutputQueue _queue = new(pool);
    private PendingOperation<FlushResult>? _pending;
    private long _unflushed;
    private int _completedFlushes;
    private int _refusedBytes;
    private WriterState _writer;
    private bool _cancelNext;

    private enum WriterState : byte
    {
        Open,

        /// <summary>The writer has completed the output: writing throws.</summary>
        Completed,

        /// <summary>The connection is closing or closed: written bytes are dropped, and flushes say
        /// <c>IsCompleted</c>.</summary>
        Discarding,
    }

    /// <summary>Bytes advanced and not yet taken by the system.</summary>
    public long Queued => _queue.Length;

    /// <summary>Whether the queue is longer than its limit, or holds far more memory.</summary>
    public bool IsOverLimit => limits.AreExceededBy(Queued, _queue.Capacity);

    /// <summary>Whether the queue has reached the high-water mark and not fallen to the low one since.</summary>
    public bool IsAboveMark { get; private set; }

    public override bool CanGetUnflushedBytes => true;

    /// <summary>Bytes advanced since the last flush, sent or not.</summary>
    public override long UnflushedBytes => _unflushed;

    private bool CanFlush => !IsAboveMark || _writer == WriterState.Discarding || _cancelNext;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        owner.VerifyAccess();
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        VerifyCanWrite();
        int size = Math.Max(sizeHint, 1);
        return _writer == WriterState.Discarding ? new byte[Math.Max(size, BufferPool.SmallSize)] : _queue.Lend(size);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        owner.VerifyAccess();
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (_writer == WriterState.Discarding)
        {
            return;
        }

        if (bytes > _queue.Lent)
        {
            throw new ArgumentOutOfRangeException(
                nameof(bytes), bytes, $"{_queue.Lent} bytes are lent: call GetMemory or GetSpan before each Advance.");
        }

        if (bytes > 0)
        {
            VerifyCanWrite();
        }

        _queue.CommitLoan(bytes);
        if (bytes > 0)
        {
            _unflushed += bytes;
            Grow();
        }
    }

    /// <summary>Queues a copy of the bytes, all or none.</summary>
    /// <returns>False, and nothing was queued, when the queue would exceed its limit.</returns>
    public bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        if (_writer == WriterState.Discarding || bytes.IsEmpty)
        {
            return true;
        }

        VerifyCanWrite();
        if (!HasRoomFor(bytes.Length))
        {
            return false;
        }

        _queue.Copy(bytes);
        Grow();
        return true;
    }

    /// <inheritdoc cref="TryAppend(ReadOnlySpan{byte})"/>
    public bool TryAppend(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment || _writer == WriterState.Discarding)
        {
            return TryAppend(bytes.FirstSpan);
        }

        VerifyCanWrite();
        if (!HasRoomFor(bytes.Length))
        {
            return false;
        }

        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            _queue.Copy(segment.Span);
        }

        Grow();
        return true;
    }

    /// <inheritdoc cref="OutputQueue.Append(in ReadOnlySequence{byte}, in OutputLimits)"/>
    public void Append(in ReadOnlySequence<byte> bytes)
    {
        owner.VerifyAccess();
        if (_writer == WriterState.Discarding || bytes.IsEmpty)
        {
            return;
        }

        VerifyCanWrite();
        _unflushed += _queue.Append(bytes, limits);
        Grow();
    }

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

    public override void Complete(Exception? exception = null)
    {
        owner.VerifyAccess();
        if (_writer == WriterState.Open || exception is not null)
        {
            _writer = _writer == WriterState.Open ? WriterState.Completed : _writer;
            owner.OutputCompleted(exception);
        }
    }

    /// <inheritdoc cref="OutputQueue.Send"/>
    public SocketError Send(Handle handle, List<ArraySegment<byte>> gather, out int sent, out long offered) =>
        _queue.Send(handle, gather, out sent, out offered);

    /// <summary>Takes out the bytes that were sent.</summary>
    /// <returns>Whether to tell the writer, which had to stop before, that it may go on.</returns>
    public bool Consume(int sent)
    {
        _queue.Consume(sent);
        return FallBelowMark() | HasRoomForRefused();
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

    /// <summary>Drops all that is written from now on; flushes say <c>IsCompleted</c>. The queue is still to be
    /// sent.</summary>
    public void DiscardWrites()
    {
        _writer = WriterState.Discarding;
        CompletePendingFlushLater();
    }

    /// <summary>Drops the queue and all that is written from now on.</summary>
    public void Discard()
    {
        DiscardWrites();
        _queue.Release();
        IsAboveMark = false;
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

    // The writer that is refused is told when there is room.
    private bool HasRoomFor(long bytes)
    {
        bool hasRoom = Queued + bytes <= limits.MaxBytes && _queue.Capacity <= limits.MaxMemory;
        _refusedBytes = hasRoom ? _refusedBytes : (int)Math.Min(Math.Max(_refusedBytes, bytes), int.MaxValue);
        return hasRoom;
    }

    private void Grow()
    {
        IsAboveMark |= Queued >= limits.HighWaterMark || _queue.Capacity >= limits.HighMemoryMark;
        owner.OutputAdvanced();
    }

    private bool FallBelowMark()
    {
        if (!IsAboveMark || Queued > limits.LowWaterMark)
        {
            return false;
        }

        IsAboveMark = false;
        CompletePendingFlushLater();
        return true;
    }

    private bool HasRoomForRefused()
    {
        // A write that is larger than the limit never fits: the writer is told once the queue is empty.
        bool hasRoom = _refusedBytes > 0 && Queued + Math.Min(_refusedBytes, limits.MaxBytes) <= limits.MaxBytes;
        _refusedBytes = hasRoom ? 0 : _refusedBytes;
        return hasRoom;
    }

    // Not inside the call that caused it: the writer's code would run in the middle of its caller's.
    private void CompletePendingFlushLater()
    {
        if (_pending is { IsWaiting: true })
        {
            owner.OutputResultReady();
        }
    }

    private void VerifyCanWrite()
    {
        if (_writer == WriterState.Completed)
        {
            throw new InvalidOperationException("Writing is not allowed after the output was completed.");
        }
    }

    private FlushResult TakeResult()
    {
        bool cancelled = _cancelNext;
        _cancelNext = false;
        return new FlushResult(cancelled, isCompleted: _writer == WriterState.Discarding);
    }
}

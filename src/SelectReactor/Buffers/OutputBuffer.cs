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
internal sealed partial class OutputBuffer(BufferPool pool, IBufferOwner owner, OutputLimits limits) : PipeWriter
{
    private OutputQueue? _queue;
    private long _unflushed;
    private int _refusedBytes;

    /// <summary>How large a segment the next queue begins with.</summary>
    private int _segmentSize = BufferPool.SmallSize;
    private WriterState _writer;

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
    public long Queued => _queue?.Length ?? 0;

    /// <summary>Whether the queue is longer than its limit, or holds far more memory.</summary>
    public bool IsOverLimit => limits.AreExceededBy(Queued, Memory);

    /// <summary>Whether the queue has reached the high-water mark and not fallen to the low one since.</summary>
    public bool IsAboveMark { get; private set; }

    public override bool CanGetUnflushedBytes => true;

    /// <summary>Bytes advanced since the last flush, sent or not.</summary>
    public override long UnflushedBytes => _unflushed;

    private long Memory => _queue?.Capacity ?? 0;

    private OutputQueue Queue => _queue ??= pool.RentOutputQueue(_segmentSize);

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        owner.VerifyAccess();
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        VerifyCanWrite();
        int size = Math.Max(sizeHint, 1);
        return _writer == WriterState.Discarding ? new byte[Math.Max(size, BufferPool.SmallSize)] : Queue.Lend(size);
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

        int lent = _queue?.Lent ?? 0;
        if (bytes > lent)
        {
            throw new ArgumentOutOfRangeException(
                nameof(bytes), bytes, $"{lent} bytes are lent: call GetMemory or GetSpan before each Advance.");
        }

        if (bytes > 0)
        {
            VerifyCanWrite();
        }

        _queue?.CommitLoan(bytes);
        ReturnIfEmpty();
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

        Queue.Copy(bytes);
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
            Queue.Copy(segment.Span);
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
        _unflushed += Queue.Append(bytes, limits);
        ReturnIfEmpty();
        Grow();
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
        _queue!.Send(handle, gather, out sent, out offered);

    /// <summary>Takes out the bytes that were sent.</summary>
    /// <returns>Whether to tell the writer, which had to stop before, that it may go on.</returns>
    public bool Consume(int sent)
    {
        _queue?.Consume(sent);
        ReturnIfEmpty();
        return FallBelowMark() | HasRoomForRefused();
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
        _queue?.Release();
        ReturnIfEmpty();
        IsAboveMark = false;
    }

    private void ReturnIfEmpty()
    {
        if (_queue is { IsEmpty: true } queue)
        {
            _queue = null;
            _segmentSize = queue.SegmentSize;
            pool.Return(queue);
        }
    }

    // The writer that is refused is told when there is room.
    private bool HasRoomFor(long bytes)
    {
        bool hasRoom = Queued + bytes <= limits.MaxBytes && Memory <= limits.MaxMemory;
        _refusedBytes = hasRoom ? _refusedBytes : (int)Math.Min(Math.Max(_refusedBytes, bytes), int.MaxValue);
        return hasRoom;
    }

    private void Grow()
    {
        IsAboveMark |= Queued >= limits.HighWaterMark || Memory >= limits.HighMemoryMark;
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

    private void VerifyCanWrite()
    {
        if (_writer == WriterState.Completed)
        {
            throw new InvalidOperationException("Writing is not allowed after the output was completed.");
        }
    }
}

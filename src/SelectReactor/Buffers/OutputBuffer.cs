using System.IO.Pipelines;
using System.Net.Sockets;

namespace SelectReactor.Buffers;

/// <summary>
/// Bytes to send behind the contract of <see cref="PipeWriter"/>, for one thread. What is advanced is queued, flushed or
/// not; the connection sends it with <see cref="Send"/>. <see cref="FlushAsync"/> only waits while the queue is above its
/// high-water mark, until it has fallen to the low one.
/// </summary>
internal sealed class OutputBuffer(BufferPool pool, IBufferOwner owner, int highWaterMark, int lowWaterMark) : PipeWriter
{
    private const int MostSegmentsPerSend = 16;
    private BufferSegment? _head;
    private BufferSegment? _tail;
    private PendingOperation<FlushResult>? _pending;
    private int _segmentSize = BufferPool.SmallSize;
    private long _batch;
    private bool _completed;
    private bool _discarding;
    private bool _cancelNext;

    /// <summary>Bytes advanced and not yet taken by the kernel.</summary>
    public long Queued { get; private set; }

    /// <summary>Whether the queue has reached the high-water mark and not fallen to the low one since.</summary>
    public bool IsAboveMark { get; private set; }

    private bool HasResult => !IsAboveMark || _discarding || _cancelNext;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => Queued;

    public override Memory<byte> GetMemory(int sizeHint = 0) => Lend(sizeHint).FreeMemory;

    public override Span<byte> GetSpan(int sizeHint = 0) => Lend(sizeHint).FreeSpan;

    public override void Advance(int bytes)
    {
        owner.VerifyAccess();
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (_discarding)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _tail?.Free ?? 0);
        if (_tail is { } tail)
        {
            tail.IsLent = false;
        }

        if (bytes == 0)
        {
            Consume(0);
            return;
        }

        VerifyCanWrite();
        Commit(bytes);
        owner.OutputAdvanced();
    }

    /// <summary>Copies bytes in as one piece, of which the owner learns once.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_discarding || bytes.IsEmpty)
        {
            return;
        }

        VerifyCanWrite();
        if (_tail is { IsLent: true })
        {
            // Somebody may still write to that memory: what comes now must not stand there.
            AddSegment(bytes.Length);
        }

        while (!bytes.IsEmpty)
        {
            if (_tail is null or { Free: 0 })
            {
                AddSegment(1);
            }

            Span<byte> room = _tail!.FreeSpan;
            int count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            bytes = bytes[count..];
            Commit(count);
        }

        owner.OutputAdvanced();
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        owner.VerifyAccess();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        if (HasResult)
        {
            return new ValueTask<FlushResult>(TakeResult());
        }

        _pending ??= new PendingOperation<FlushResult>(owner, TakeResult);
        return _pending.Wait(cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        owner.VerifyAccess();
        _cancelNext = true;
        CompletePendingFlushLater();
    }

    public override void Complete(Exception? exception = null)
    {
        owner.VerifyAccess();
        if (!_completed || exception is not null)
        {
            End();
            owner.OutputCompleted(exception);
        }
    }

    /// <summary>Takes no more bytes from the writer; those queued are still sent.</summary>
    public void End() => _completed = true;

    /// <summary>Sends what is queued, or a good part of it, with one call; <paramref name="gather"/> is scratch space.</summary>
    public SocketError Send(Handle handle, List<ArraySegment<byte>> gather, out int sent)
    {
        BufferSegment first = _head!;
        SocketError error;
        if (first.Successor is null)
        {
            error = handle.Send(first.Unread, out sent);
        }
        else
        {
            for (BufferSegment? s = first; s is not null && gather.Count < MostSegmentsPerSend; s = s.Successor)
            {
                gather.Add(s.UnreadSegment);
            }

            error = handle.Send(gather, out sent);
            gather.Clear();
        }

        Consume(sent);
        return error;
    }

    /// <summary>Lets a waiting flush go on once the queue is low, and says whether it has just become so.</summary>
    public bool FallBelowMark()
    {
        if (!IsAboveMark || Queued > lowWaterMark)
        {
            return false;
        }

        IsAboveMark = false;
        CompletePendingFlushLater();
        return true;
    }

    /// <summary>Drops the queue and all that is written later; flushes say <c>IsCompleted</c>.</summary>
    public void Discard()
    {
        _discarding = true;
        Release();
        Queued = 0;
        IsAboveMark = false;
        CompletePendingFlushLater();
    }

    // Not inside the call that caused it: the writer's code would run in the middle of its caller's.
    private void CompletePendingFlushLater()
    {
        if (_pending is { IsWaiting: true })
        {
            owner.Defer(static self => ((OutputBuffer)self!).CompletePendingFlush(), this);
        }
    }

    private void CompletePendingFlush()
    {
        if (HasResult)
        {
            _pending!.Complete();
        }
    }

    private BufferSegment Lend(int sizeHint)
    {
        owner.VerifyAccess();
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        VerifyCanWrite();
        int size = Math.Max(sizeHint, 1);
        if (_discarding)
        {
            return new BufferSegment(new byte[Math.Max(size, BufferPool.SmallSize)]);
        }

        if (_tail is null || _tail.Free < size)
        {
            AddSegment(size);
        }

        _tail!.IsLent = true;
        Consume(0);
        return _tail;
    }

    private void AddSegment(int size)
    {
        // Whoever has filled a segment has more.
        if (_tail is { IsLent: false })
        {
            _segmentSize = BufferPool.Larger(_segmentSize);
        }

        BufferSegment segment = pool.Rent(Math.Max(size, _segmentSize));
        _tail?.Append(segment);
        _tail = segment;
        _head ??= segment;
    }

    private void Commit(int bytes)
    {
        _tail!.Commit(bytes);
        Queued += bytes;
        _batch += bytes;
        IsAboveMark |= Queued >= highWaterMark;
    }

    // The next batch is often as long as this one, and leaves fastest in one piece. Never a large segment, though: many
    // connections may be told something short after each was told something long.
    private void EndBatch()
    {
        _segmentSize = Math.Min(BufferPool.SizeFor(_batch), BufferPool.MediumSize);
        _batch = 0;
    }

    // Gives back what holds nothing more to send. The last segment stays while somebody may write behind its last byte.
    private void Consume(int sent)
    {
        Queued -= sent;
        if (sent > 0 && Queued == 0)
        {
            EndBatch();
        }

        while (_head is { } first)
        {
            int count = Math.Min(sent, first.Length);
            first.Start += count;
            sent -= count;
            if (first.Length > 0 || (first == _tail && first.IsLent))
            {
                return;
            }

            DropHead(first);
        }
    }

    private void DropHead(BufferSegment head)
    {
        _head = head.Successor;
        _tail = _head is null ? null : _tail;
        if (head.IsLent)
        {
            pool.Abandon();
        }
        else
        {
            pool.Return(head);
        }
    }

    private void Release()
    {
        while (_head is { } first)
        {
            DropHead(first);
        }
    }

    private void VerifyCanWrite()
    {
        if (_completed && !_discarding)
        {
            throw new InvalidOperationException("Writing is not allowed after the output was completed or closed.");
        }
    }

    private FlushResult TakeResult()
    {
        bool cancelled = _cancelNext;
        _cancelNext = false;
        return new FlushResult(cancelled, isCompleted: _discarding);
    }
}

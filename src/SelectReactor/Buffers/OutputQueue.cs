using System.Buffers;
using System.Net.Sockets;

namespace SelectReactor.Buffers;

/// <summary>
/// The bytes that a connection has to send, in pooled memory. A writer fills memory that it was lent, has its bytes
/// copied, or hands over bytes that lie in pooled memory already; they leave from the head in the order in which they
/// were committed. Of bytes and memory, at most about twice as much memory is held as there are bytes, and beside it
/// the free end of one block, whatever the order of the two kinds. Used again for another connection once it is empty.
/// </summary>
internal sealed class OutputQueue(BufferPool pool, IByteSource? source = null)
{
    private const int MaxSegmentsPerSend = 16;

    /// <summary>Behind other bytes a shorter piece is copied: that costs less than one more piece in the
    /// send.</summary>
    private const int MinShared = BufferPool.SmallSize;

    private SegmentQueue _segments = new(pool) { Source = source };

    /// <summary>A block for what is written behind a view. It is not in the chain itself: views show its parts. So
    /// short pieces between the ones that are shared take one block together.</summary>
    private BufferSegment? _open;
    private MemoryLoan _loan;
    private long _batch;

    /// <summary>The size of the next segment, which follows the size of the batches.</summary>
    public int SegmentSize { get; set; } = BufferPool.SmallSize;

    /// <summary>Whether it holds no memory and none is lent.</summary>
    public bool IsEmpty => _segments.Head is null && _open is null && _loan.Segment is null;

    public long Length { get; private set; }

    /// <summary>The memory that the queue holds, in bytes.</summary>
    public long Capacity => _segments.Capacity;

    public ReadOnlySequence<byte> Bytes => _segments.Bytes;

    /// <summary>How many bytes of lent memory may be committed.</summary>
    public int Lent => _loan.Memory.Length;

    /// <summary>Lends memory of at least this size. A loan that is still open is over.</summary>
    public Memory<byte> Lend(int size)
    {
        BufferSegment place = PlaceFor(size);
        if (_loan.Segment is { IsLent: true } earlier)
        {
            // Somebody may still write to that memory, now or after the segment has left this connection.
            earlier.IsEscaped = true;
        }

        _loan = MemoryLoan.Of(place);
        return _loan.Memory;
    }

    /// <summary>Ends the loan and queues the first <paramref name="count"/> bytes of it. The rest may follow by
    /// further calls, until anything else is written or the queue is empty.</summary>
    public void CommitLoan(int count)
    {
        MemoryLoan loan = _loan;
        _loan = default;
        if (loan.Segment is not { } segment)
        {
            return;
        }

        segment.IsLent = false;
        if (count > 0 && (loan.IsAtEndOf(_segments.Tail) || loan.IsAtEndOf(_open)))
        {
            Commit(segment, count);
            _loan = MemoryLoan.RestOf(segment);
        }
        else
        {
            // Something else was written since: these bytes come after it.
            Copy(loan.Memory.Span[..count]);
        }

        _segments.Consume(0);
        CloseIfEmpty();
    }

    /// <summary>Queues a copy.</summary>
    public void Copy(ReadOnlySpan<byte> bytes)
    {
        EndRest();
        while (!bytes.IsEmpty)
        {
            BufferSegment place = PlaceForCopy(bytes.Length);
            int count = Math.Min(place.Free, bytes.Length);
            bytes[..count].CopyTo(place.FreeSpan);
            bytes = bytes[count..];
            Commit(place, count);
        }
    }

    /// <summary>Queues bytes: by reference where they lie in memory of the pool and that costs less than a copy. It
    /// stops once the queue is over its limits.</summary>
    /// <returns>How many were queued.</returns>
    /// <exception cref="InvalidOperationException">Bytes were given back before, as far as can be seen. Nothing was
    /// queued.</exception>
    public long Append(in ReadOnlySequence<byte> bytes, in OutputLimits limits)
    {
        if (!bytes.IsSingleSegment)
        {
            HandedBytes.Verify(bytes, _segments.Pool);
        }

        long before = Length;
        var pieces = new HandedBytes(bytes, _segments.Pool);
        while (!limits.AreExceededBy(Length, Capacity) && pieces.MoveNext())
        {
            if (pieces.Segment is null || !TryShare(pieces.Segment, pieces.Start, pieces.Piece.Length))
            {
                CopyWithin(limits, pieces.Piece.Span);
            }
        }

        return Length - before;
    }

    /// <summary>Sends from the head with one call; <paramref name="gather"/> is scratch space. The queue stays as it
    /// is until <see cref="Consume"/>. It offers not all of the bytes if they lie in many pieces.</summary>
    public SocketError Send(
        Handle handle, List<ArraySegment<byte>> gather, out int sent, out long offered)
    {
        BufferSegment head = _segments.Head!;
        offered = head.Length;
        if (head.Successor is null)
        {
            return handle.Send(head.Unread, out sent);
        }

        try
        {
            gather.Add(head.UnreadSegment);
            BufferSegment? next = head.Successor;
            for (; next is not null && gather.Count < MaxSegmentsPerSend; next = next.Successor)
            {
                gather.Add(next.UnreadSegment);
                offered += next.Length;
            }

            return handle.Send(gather, out sent);
        }
        finally
        {
            gather.Clear();
        }
    }

    /// <summary>Takes out the bytes that were sent.</summary>
    public void Consume(int sent)
    {
        Length -= sent;
        if (sent > 0 && Length == 0)
        {
            EndBatch();
            EndRest();
        }

        _segments.Consume(sent);
        CloseIfEmpty();
    }

    /// <summary>Drops everything. Lent memory is left to the collector.</summary>
    public void Release()
    {
        _segments.Release();
        Close();
        _loan = default;
        _batch = 0;
        Length = 0;
    }

    private bool TryShare(BufferSegment segment, int start, int length)
    {
        if (_segments.Tail is { IsView: true } tail && tail.Origin == segment && tail.End == start)
        {
            tail.ShowMore(length);
        }
        else if (IsWorthSharing(segment, length))
        {
            EndRest();
            _segments.Append(_segments.Pool.RentView(segment, start, length));
        }
        else
        {
            return false;
        }

        Length += length;
        return true;
    }

    // A few bytes must not hold a large block: at most twice the memory of the bytes is held, but for the first piece.
    // That one takes a block of the size that a copy would take, or at most four times its bytes.
    private bool IsWorthSharing(BufferSegment segment, int length) => Length == 0
        ? segment.Capacity <= BufferPool.SmallSize || segment.Source!.IsForMany || 4L * length >= segment.Capacity
        : length >= MinShared && (segment.Source!.IsForMany || 2L * length >= segment.Capacity);

    // What is over the limits ends the connection, however much it is: only a little of it is copied.
    private void CopyWithin(in OutputLimits limits, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !limits.AreExceededBy(Length, Capacity))
        {
            int count = Math.Min(bytes.Length, BufferPool.LargeSize);
            Copy(bytes[..count]);
            bytes = bytes[count..];
        }
    }

    private void EndRest() => _loan = _loan.IsRest ? default : _loan;

    private BufferSegment PlaceFor(int size)
    {
        if (_open is not null || _segments.Tail is { IsView: true })
        {
            return _open?.Free >= size ? _open : Open(Math.Max(size, OpenSizeFor(size)));
        }

        return _segments.Tail?.Free >= size ? _segments.Tail : AddSegment(size);
    }

    // Not where somebody may still write to: other bytes must not stand there.
    private BufferSegment PlaceForCopy(int size) => _segments.Tail switch
    {
        { IsView: true } => _open is { IsLent: false, Free: > 0 } ? _open : Open(OpenSizeFor(size)),
        { IsLent: true } => AddSegment(size),
        { Free: > 0 } tail => tail,
        _ => AddSegment(1),
    };

    private BufferSegment AddSegment(int size)
    {
        // A writer that has filled a segment has more.
        if (_segments.Tail is { IsLent: false })
        {
            SegmentSize = BufferPool.Larger(SegmentSize);
        }

        BufferSegment segment = _segments.Pool.Rent(Math.Max(size, SegmentSize));
        _segments.Append(segment);
        return segment;
    }

    private BufferSegment Open(int size)
    {
        Close();
        _open = _segments.Pool.Rent(size);
        return _open;
    }

    // A size that the bytes fill, or that is little beside what is queued.
    private int OpenSizeFor(long bytes) => Math.Max(bytes, Length / 4) switch
    {
        >= BufferPool.LargeSize => BufferPool.LargeSize,
        >= BufferPool.MediumSize => BufferPool.MediumSize,
        _ => BufferPool.SmallSize,
    };

    // The views of it keep the block.
    private void Close()
    {
        if (_open is { } open)
        {
            _open = null;
            _segments.Pool.Return(open);
        }
    }

    private void CloseIfEmpty()
    {
        if (Length == 0 && _open is { IsLent: false })
        {
            Close();
        }
    }

    private void Commit(BufferSegment place, int count)
    {
        int start = place.End;
        place.Commit(count);
        if (place == _open)
        {
            Show(place, start, count);
        }

        Length += count;
        _batch += count;
    }

    private void Show(BufferSegment open, int start, int count)
    {
        if (_segments.Tail is { IsView: true } tail && tail.Origin == open && tail.End == start)
        {
            tail.ShowMore(count);
        }
        else
        {
            _segments.Append(_segments.Pool.RentView(open, start, count), isCounted: start == 0);
        }
    }

    // The next batch is often as long as this one, and leaves fastest in one piece. But never a large segment: many
    // connections may have little to say after each had much.
    private void EndBatch()
    {
        SegmentSize = Math.Min(BufferPool.SizeFor(_batch), BufferPool.MediumSize);
        _batch = 0;
    }
}

using System.Net.Sockets;

namespace SelectReactor.Buffers;

/// <summary>
/// The bytes that a connection has to send, in pooled memory. A writer fills memory that it was lent, or has its bytes
/// copied; they leave from the head in the order in which they were committed.
/// </summary>
internal struct OutputQueue(BufferPool pool)
{
    private const int MaxSegmentsPerSend = 16;
    private SegmentQueue _segments = new(pool);
    private MemoryLoan _loan;
    private int _segmentSize = BufferPool.SmallSize;
    private long _batch;

    public long Length { get; private set; }

    /// <summary>The memory that the queue holds, in bytes.</summary>
    public readonly long Capacity => _segments.Capacity;

    /// <summary>How many bytes of lent memory may be committed.</summary>
    public readonly int Lent => _loan.Memory.Length;

    /// <summary>Lends memory of at least this size. A loan that is still open is over.</summary>
    public Memory<byte> Lend(int size)
    {
        if (_segments.Tail is null || _segments.Tail.Free < size)
        {
            AddSegment(size);
        }

        if (_loan.Segment is { IsLent: true } earlier)
        {
            // Somebody may still write to that memory, now or after the segment has left this connection.
            earlier.IsEscaped = true;
        }

        _loan = MemoryLoan.Of(_segments.Tail!);
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
        if (count > 0 && loan.IsAtEndOf(_segments.Tail))
        {
            Commit(count);
            _loan = MemoryLoan.RestOf(segment);
        }
        else
        {
            // Something else was written since: these bytes come after it.
            Copy(loan.Memory.Span[..count]);
        }

        _segments.Consume(0);
    }

    /// <summary>Queues a copy.</summary>
    public void Copy(ReadOnlySpan<byte> bytes)
    {
        EndRest();
        if (_segments.Tail is { IsLent: true } && !bytes.IsEmpty)
        {
            // Somebody may still write to that memory: other bytes must not stand there.
            AddSegment(bytes.Length);
        }

        while (!bytes.IsEmpty)
        {
            if (_segments.Tail is null or { Free: 0 })
            {
                AddSegment(1);
            }

            Span<byte> room = _segments.Tail!.FreeSpan;
            int count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            bytes = bytes[count..];
            Commit(count);
        }
    }

    /// <summary>Sends from the head with one call; <paramref name="gather"/> is scratch space. The queue stays as it
    /// is until <see cref="Consume"/>.</summary>
    public readonly SocketError Send(Handle handle, List<ArraySegment<byte>> gather, out int sent)
    {
        BufferSegment head = _segments.Head!;
        if (head.Successor is null)
        {
            return handle.Send(head.Unread, out sent);
        }

        try
        {
            for (BufferSegment? s = head; s is not null && gather.Count < MaxSegmentsPerSend; s = s.Successor)
            {
                gather.Add(s.UnreadSegment);
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
    }

    /// <summary>Drops everything. Lent memory is left to the collector.</summary>
    public void Release()
    {
        _segments.Release();
        _loan = default;
        Length = 0;
    }

    private void EndRest() => _loan = _loan.IsRest ? default : _loan;

    private void AddSegment(int size)
    {
        // A writer that has filled a segment has more.
        if (_segments.Tail is { IsLent: false })
        {
            _segmentSize = BufferPool.Larger(_segmentSize);
        }

        _segments.Append(pool.Rent(Math.Max(size, _segmentSize)));
    }

    private void Commit(int count)
    {
        _segments.Tail!.Commit(count);
        Length += count;
        _batch += count;
    }

    // The next batch is often as long as this one, and leaves fastest in one piece. But never a large segment: many
    // connections may have little to say after each had much.
    private void EndBatch()
    {
        _segmentSize = Math.Min(BufferPool.SizeFor(_batch), BufferPool.MediumSize);
        _batch = 0;
    }
}

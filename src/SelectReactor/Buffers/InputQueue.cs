using System.Buffers;

namespace SelectReactor.Buffers;

/// <summary>The received bytes of a connection in pooled memory. The connection receives into <see cref="Reserve"/>
/// and calls <see cref="Commit"/>; the reader consumes from the head. Used again for another connection once it is
/// empty.</summary>
internal sealed class InputQueue(BufferPool pool)
{
    /// <summary>A rest of at most this size does not keep a larger segment alive.</summary>
    private const int MaxMovedBytes = 1024;

    private SegmentQueue _segments = new(pool);
    private BufferSegment? _fresh;

    /// <summary>The one that shows the bytes to readers.</summary>
    public IByteSource? Source
    {
        set => _segments.Source = value;
    }

    /// <summary>Whether it holds no memory.</summary>
    public bool IsEmpty => _segments.Head is null && _fresh is null;

    /// <summary>The size of the memory that <see cref="Reserve"/> has given.</summary>
    public int Reserved => (_fresh ?? _segments.Tail!).Free;

    /// <summary>Bytes that were not consumed.</summary>
    public long Length { get; private set; }

    public ReadOnlySequence<byte> Bytes => _segments.Bytes;

    /// <summary>Memory to receive into, of about this size. <see cref="Commit"/> must follow at once.</summary>
    public Span<byte> Reserve(int size)
    {
        if (_fresh is not null)
        {
            // The receive before this one threw.
            return _fresh.FreeSpan;
        }

        // Too little room is not worth a system call.
        if (_segments.Tail is { } tail && tail.Free >= size / 4)
        {
            return tail.FreeSpan;
        }

        _fresh = _segments.Pool.Rent(size);
        return _fresh.FreeSpan;
    }

    /// <summary>Adds the first <paramref name="count"/> bytes of the reserved memory, maybe none.</summary>
    public void Commit(int count)
    {
        BufferSegment target = _fresh ?? _segments.Tail!;
        if (_fresh is { } fresh)
        {
            _fresh = null;
            if (count == 0)
            {
                _segments.Pool.Return(fresh);
                return;
            }

            _segments.Append(fresh);
        }

        target.Commit(count);
        Length += count;
    }

    /// <summary>How far a position of <see cref="Bytes"/> is from its start. The default position, which an empty
    /// result has, stands for the start.</summary>
    /// <exception cref="InvalidOperationException">The position belongs to other memory.</exception>
    public long OffsetOf(SequencePosition position) => position.GetObject() switch
    {
        BufferSegment segment when _segments.Head is { } head =>
            segment.RunningIndex + position.GetInteger() - head.RunningIndex - head.Start,
        null => 0,
        _ =>
            throw new InvalidOperationException("The position given to AdvanceTo is not in the bytes that were read."),
    };

    public void Consume(long count)
    {
        Length -= count;
        _segments.Consume(count);
        MoveRest();
    }

    /// <summary>Gives the memory back. Segments that a reader still looks at are left to the collector.</summary>
    public void Release(bool areShared)
    {
        _segments.Release(areShared);
        Length = 0;
        if (_fresh is { } fresh)
        {
            _fresh = null;
            _segments.Pool.Return(fresh);
        }
    }

    // One byte left over from a burst must not hold the memory of the burst.
    private void MoveRest()
    {
        if (_segments.Head is { Capacity: > BufferPool.SmallSize } head
            && head == _segments.Tail && Length <= MaxMovedBytes)
        {
            BufferSegment small = _segments.Pool.Rent(BufferPool.SmallSize);
            head.Unread.CopyTo(small.FreeSpan);
            small.Commit(head.Length);
            _segments.Release();
            _segments.Append(small);
        }
    }
}

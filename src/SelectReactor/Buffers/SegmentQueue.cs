namespace SelectReactor.Buffers;

/// <summary>A chain of pooled segments: bytes go in at the tail and out at the head.</summary>
internal struct SegmentQueue(BufferPool pool)
{
    public BufferSegment? Head { get; private set; }

    public BufferSegment? Tail { get; private set; }

    /// <summary>The memory of all segments in bytes.</summary>
    public long Capacity { get; private set; }

    public void Append(BufferSegment segment)
    {
        Tail?.Append(segment);
        Tail = segment;
        Capacity += segment.Capacity;
        if (Head is { Length: 0 } empty)
        {
            // It was kept only because its free end was lent.
            DropHead(empty, empty.IsShared);
        }

        Head ??= segment;
    }

    /// <summary>Takes out so many bytes and gives back the segments that hold no more. A tail that is lent stays,
    /// since somebody may still write behind its last byte.</summary>
    public void Consume(long count)
    {
        while (Head is { } head)
        {
            int here = (int)Math.Min(count, head.Length);
            head.Start += here;
            count -= here;
            if (head.Length > 0 || (head == Tail && head.IsLent))
            {
                return;
            }

            DropHead(head, head.IsShared);
        }
    }

    /// <summary>Gives everything back. Shared segments, which somebody may still look at, are left to the
    /// collector.</summary>
    public void Release(bool areShared = false)
    {
        while (Head is { } head)
        {
            DropHead(head, areShared || head.IsShared);
        }
    }

    private void DropHead(BufferSegment head, bool isShared)
    {
        Head = head.Successor;
        Capacity -= head.Capacity;
        Tail = Head is null && Tail == head ? null : Tail;
        if (isShared)
        {
            pool.Abandon();
        }
        else
        {
            pool.Return(head);
        }
    }
}

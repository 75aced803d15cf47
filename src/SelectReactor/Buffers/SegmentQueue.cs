using System.Buffers;

namespace SelectReactor.Buffers;

/// <summary>A chain of pooled segments: bytes go in at the tail and out at the head.</summary>
/// <param name="pool">Where the segments go back to.</param>
internal struct SegmentQueue(BufferPool pool)
{
    /// <summary>Where the segments come from and go back to.</summary>
    public readonly BufferPool Pool => pool;

    /// <summary>The one that shows the bytes to readers, if any.</summary>
    public IByteSource? Source { get; set; }

    public BufferSegment? Head { get; private set; }

    public BufferSegment? Tail { get; private set; }

    /// <summary>The memory of all segments in bytes. A block counts once for neighbours that show parts of it, and
    /// with its first segment where the others say that they are not counted.</summary>
    public long Capacity { get; private set; }

    /// <summary>All bytes, for a reader. There must be no views in the chain.</summary>
    public readonly ReadOnlySequence<byte> Bytes => Head is { } head
        ? new ReadOnlySequence<byte>(head, head.Start, Tail!, Tail!.End)
        : default;

    public void Append(BufferSegment segment, bool isCounted = true)
    {
        segment.Counted = isCounted && Tail?.Origin != segment.Origin ? segment.Capacity : 0;
        Capacity += segment.Counted;
        Tail?.Append(segment);
        Tail = segment;
        segment.Source = Source;
        if (Head is { Length: 0 } empty)
        {
            // It was kept only because its free end was lent.
            DropHead(empty);
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

            DropHead(head);
        }
    }

    /// <summary>Gives everything back. Shared segments, which somebody may still look at, are left to the
    /// collector.</summary>
    public void Release(bool areShared = false)
    {
        while (Head is { } head)
        {
            head.IsEscaped |= areShared;
            DropHead(head);
        }
    }

    private void DropHead(BufferSegment head)
    {
        Head = head.Successor;
        if (Head?.Origin == head.Origin)
        {
            Head.Counted += head.Counted;
        }
        else
        {
            Capacity -= head.Counted;
        }

        Tail = Head is null && Tail == head ? null : Tail;
        pool.Return(head);
    }
}

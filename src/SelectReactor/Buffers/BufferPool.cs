namespace SelectReactor.Buffers;

/// <summary>
/// The segments of one reactor, in three sizes: small for messages, medium for batches, large for streams. The blocks are
/// pinned for life, so that the kernel reads and writes them without the collector being told. One thread, so no lock.
/// </summary>
internal sealed class BufferPool
{
    public const int SmallSize = 4 * 1024;
    public const int MediumSize = 32 * 1024;
    public const int LargeSize = 128 * 1024;

    private const int MostIdleBytes = 32 * 1024 * 1024;
    private BufferSegment? _small;
    private BufferSegment? _medium;
    private BufferSegment? _large;
    private long _idleBytes;

    /// <summary>Segments handed out and not given back.</summary>
    public int Outstanding { get; private set; }

    /// <summary>The smallest of the three sizes with room for so many bytes, and the largest when none has.</summary>
    public static int SizeFor(long bytes) => bytes switch
    {
        <= SmallSize => SmallSize,
        <= MediumSize => MediumSize,
        _ => LargeSize,
    };

    /// <summary>The next size above one of the three; the largest stays.</summary>
    public static int Larger(int size) => SizeFor(size + 1L);

    /// <summary>A segment with room for <paramref name="size"/> bytes at least.</summary>
    public BufferSegment Rent(int size)
    {
        Outstanding++;
        return size switch
        {
            <= SmallSize => Take(ref _small, SmallSize),
            <= MediumSize => Take(ref _medium, MediumSize),
            <= LargeSize => Take(ref _large, LargeSize),
            _ => Create(size),
        };
    }

    public void Return(BufferSegment segment)
    {
        Outstanding--;
        switch (segment.Capacity)
        {
            case SmallSize:
                Keep(ref _small, segment);
                break;
            case MediumSize:
                Keep(ref _medium, segment);
                break;
            case LargeSize:
                Keep(ref _large, segment);
                break;
            default:
                break; // Made to measure for one large request: the collector's.
        }
    }

    /// <summary>Gives up a segment that somebody may still write to or read from: it must never be used again.</summary>
    public void Abandon() => Outstanding--;

    private BufferSegment Take(ref BufferSegment? free, int size)
    {
        if (free is not { } segment)
        {
            return Create(size);
        }

        free = segment.Successor;
        segment.Reset(next: null);
        _idleBytes -= size;
        return segment;
    }

    private void Keep(ref BufferSegment? free, BufferSegment segment)
    {
        if (_idleBytes + segment.Capacity <= MostIdleBytes)
        {
            segment.Reset(free);
            free = segment;
            _idleBytes += segment.Capacity;
        }
    }

    // What is kept is pinned; a block made to measure is not, so that the collector may move and free it as any other.
    private static BufferSegment Create(int size) =>
        new(GC.AllocateUninitializedArray<byte>(size, pinned: size <= LargeSize));
}

namespace SelectReactor.Buffers;

/// <summary>
/// The segments of one reactor, in three sizes: small for messages, medium for batches, large for streams. The blocks
/// are pinned for life, so that the kernel reads and writes them without the collector being told. Views, which show
/// a part of another segment's block, are kept, too. One thread, so no lock.
/// </summary>
internal sealed class BufferPool
{
    public const int SmallSize = 4 * 1024;
    public const int MediumSize = 32 * 1024;
    public const int LargeSize = 128 * 1024;

    /// <summary>Idle memory up to this size is kept for good.</summary>
    private const long WorthTrimming = 256 * 1024;

    private const int MaxSmall = 1024;
    private const int MaxMedium = 256;
    private const int MaxLarge = 160;

    /// <summary>Enough for one message to so many connections. A view takes about a hundred bytes.</summary>
    private const int MaxViews = 16 * 1024;

    /// <summary>Idle queues of each kind. One takes about a hundred bytes.</summary>
    private const int MaxQueues = 1024;

    private Shelf _small;
    private Shelf _medium;
    private Shelf _large;
    private Shelf _views;
    private readonly Stack<InputQueue> _inputQueues = [];
    private readonly Stack<OutputQueue> _outputQueues = [];
    private bool _isClosed;
    private long _usedBytes;

    /// <summary>Whether so much is idle that it should be freed in time: call <see cref="Trim"/> now and
    /// then.</summary>
    public bool IsWorthTrimming => IdleBytes > WorthTrimming;

    /// <summary>The memory of the blocks that are kept for later. Any thread; on another one it may be a moment
    /// old.</summary>
    public long IdleBytes =>
        ((long)_small.Count * SmallSize)
        + ((long)_medium.Count * MediumSize)
        + ((long)_large.Count * LargeSize);

    /// <summary>The memory of the blocks that are handed out. Any thread; on another one it may be a moment
    /// old.</summary>
    public long UsedBytes => Volatile.Read(ref _usedBytes);

    /// <summary>Blocks and views handed out and not given back.</summary>
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

    /// <summary>The next size below one of the three; the smallest stays.</summary>
    public static int Smaller(int size) => size == LargeSize ? MediumSize : SmallSize;

    /// <summary>A segment with room for <paramref name="size"/> bytes at least.</summary>
    public BufferSegment Rent(int size)
    {
        Outstanding++;
        BufferSegment segment = size switch
        {
            <= SmallSize => _small.Take() ?? Create(SmallSize),
            <= MediumSize => _medium.Take() ?? Create(MediumSize),
            <= LargeSize => _large.Take() ?? Create(LargeSize),
            _ => Create(size),
        };
        _usedBytes += segment.Capacity;
        segment.BeginUse();
        return segment;
    }

    /// <summary>A segment that shows <paramref name="length"/> bytes of the block of another one from
    /// <paramref name="start"/> on. The block is kept until this one is returned, too.</summary>
    public BufferSegment RentView(BufferSegment segment, int start, int length)
    {
        Outstanding++;
        BufferSegment view = _views.Take() ?? new BufferSegment(this, []);
        view.Show(segment.Origin, start, length);
        return view;
    }

    /// <summary>Takes a segment back, and its block when this was the last use of it. A block that somebody may still
    /// look at or write to is left to the collector.</summary>
    public void Return(BufferSegment segment)
    {
        if (segment.Detach() is { } origin)
        {
            Outstanding--;
            _views.Keep(segment, _isClosed ? 0 : MaxViews);
            segment = origin;
        }
        else
        {
            segment.LeaveChain();
        }

        if (segment.EndUse())
        {
            Outstanding--;
            _usedBytes -= segment.Capacity;
            if (!segment.IsShared)
            {
                Keep(segment);
            }
        }
    }

    /// <summary>An empty queue for received bytes, which <paramref name="source"/> shows to its reader.</summary>
    public InputQueue RentInputQueue(IByteSource source)
    {
        if (!_inputQueues.TryPop(out InputQueue? queue))
        {
            queue = new InputQueue(this);
        }

        queue.Source = source;
        return queue;
    }

    /// <summary>An empty queue for bytes to send.</summary>
    public OutputQueue RentOutputQueue(int segmentSize)
    {
        if (!_outputQueues.TryPop(out OutputQueue? queue))
        {
            queue = new OutputQueue(this);
        }

        queue.SegmentSize = segmentSize;
        return queue;
    }

    /// <summary>Takes an empty queue back.</summary>
    public void Return(InputQueue queue)
    {
        queue.Source = null;
        if (_inputQueues.Count < MaxQueues)
        {
            _inputQueues.Push(queue);
        }
    }

    /// <summary>Takes an empty queue back.</summary>
    public void Return(OutputQueue queue)
    {
        if (_outputQueues.Count < MaxQueues)
        {
            _outputQueues.Push(queue);
        }
    }

    /// <summary>Frees the segments that nobody needed since the last call.</summary>
    public void Trim()
    {
        _small.Trim();
        _medium.Trim();
        _large.Trim();
        _views.Trim();
    }

    /// <summary>Frees all that is idle, and keeps nothing from now on: whoever holds on to one segment must not hold
    /// the others, too.</summary>
    public void Close()
    {
        _isClosed = true;
        _small = default;
        _medium = default;
        _large = default;
        _views = default;
    }

    private void Keep(BufferSegment segment)
    {
        switch (_isClosed ? 0 : segment.Capacity)
        {
            case SmallSize:
                _small.Keep(segment, MaxSmall);
                break;
            case MediumSize:
                _medium.Keep(segment, MaxMedium);
                break;
            case LargeSize:
                _large.Keep(segment, MaxLarge);
                break;
            default:
                break; // What was made for one large request is left to the collector, and so is all at the end.
        }
    }

    // Pooled blocks are pinned. A larger one is made for one request and is not, so that the collector treats it as
    // any other.
    private BufferSegment Create(int size) =>
        new(this, GC.AllocateUninitializedArray<byte>(size, pinned: size <= LargeSize));

    /// <summary>Idle segments of one size. Each size has a bound of its own, so that a burst of one can't crowd out
    /// another: 4 + 8 + 20 MiB.</summary>
    private struct Shelf
    {
        private BufferSegment? _first;
        private int _leastIdle;

        public int Count { get; private set; }

        public BufferSegment? Take()
        {
            if (_first is not { } segment)
            {
                return null;
            }

            _first = segment.Successor;
            segment.Reset(next: null);
            _leastIdle = Math.Min(_leastIdle, --Count);
            return segment;
        }

        public void Keep(BufferSegment segment, int max)
        {
            if (Count < max)
            {
                segment.Reset(_first);
                _first = segment;
                Count++;
            }
        }

        // The least number that was idle since the last call is the number that nobody needed.
        public void Trim()
        {
            for (int dropped = 0; dropped < _leastIdle; dropped++)
            {
                _first = _first!.Successor;
                Count--;
            }

            _leastIdle = Count;
        }
    }
}

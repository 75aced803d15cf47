namespace SelectReactor.Buffers;

/// <summary>The bounds of an output queue in bytes, each at most as large as the next one, whatever the options
/// say.</summary>
internal readonly record struct OutputLimits
{
    /// <summary>A writer that asks for much memory and uses little of it should stop when it holds so many times its
    /// mark, and must stop when it holds so many times its limit.</summary>
    private const int MemoryPerMark = 4;
    private const int MemoryPerLimit = 64;

    public OutputLimits(int lowWaterMark, int highWaterMark, int maxBytes)
    {
        MaxBytes = maxBytes;
        HighWaterMark = Math.Min(highWaterMark, maxBytes);
        LowWaterMark = Math.Min(lowWaterMark, HighWaterMark);
    }

    /// <summary>At this size a writer that had to stop may go on.</summary>
    public int LowWaterMark { get; }

    /// <summary>From this size on a writer should stop.</summary>
    public int HighWaterMark { get; }

    /// <summary>More than this is refused.</summary>
    public int MaxBytes { get; }

    /// <summary>From this much memory on a writer should stop, however few bytes it has written into it.</summary>
    public long HighMemoryMark => MemoryPerMark * (long)Math.Max(HighWaterMark, BufferPool.LargeSize);

    /// <summary>More memory than this is refused.</summary>
    public long MaxMemory => MemoryPerLimit * (long)Math.Max(MaxBytes, BufferPool.LargeSize);

    /// <summary>Whether a queue of so many bytes in so much memory is too long.</summary>
    public bool AreExceededBy(long bytes, long memory) => bytes > MaxBytes || memory > MaxMemory;
}

namespace SelectReactor.Buffers;

/// <summary>The bounds of an output queue in bytes, each at most as large as the next one, whatever the options say.</summary>
internal readonly record struct OutputLimits
{
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
}

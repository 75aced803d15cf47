namespace SelectReactor.Buffers;

/// <summary>Memory that a writer may commit bytes in: the free end of a segment. While nothing of it is committed the
/// segment is marked as lent.</summary>
internal readonly struct MemoryLoan
{
    private readonly int _end;

    private MemoryLoan(BufferSegment segment)
    {
        Segment = segment;
        _end = segment.End;
    }

    /// <summary>Null for no loan.</summary>
    public BufferSegment? Segment { get; }

    /// <summary>It is not stored, since every connection has room for a loan.</summary>
    public Memory<byte> Memory => Segment?.MemoryFrom(_end) ?? default;

    /// <summary>Whether something of it was committed: the rest may be, as long as nothing else happens.</summary>
    public bool IsRest => Segment is { IsLent: false };

    public static MemoryLoan Of(BufferSegment segment)
    {
        segment.IsLent = true;
        return new MemoryLoan(segment);
    }

    /// <summary>What is left when bytes of a loan were committed in place.</summary>
    public static MemoryLoan RestOf(BufferSegment segment) => new(segment);

    /// <summary>Whether the segment is the given one and nothing was written to it since.</summary>
    public bool IsAtEndOf(BufferSegment? segment) => segment is not null && segment == Segment && segment.End == _end;
}

using System.Buffers;

namespace SelectReactor.Buffers;

/// <summary>Walks the pieces of bytes that somebody hands over, and says which of them lie in memory of a
/// pool.</summary>
internal struct HandedBytes(in ReadOnlySequence<byte> bytes, BufferPool pool)
{
    private readonly ReadOnlySequence<byte> _bytes = bytes;
    private SequencePosition _next = bytes.Start;

    /// <summary>The current piece.</summary>
    public ReadOnlyMemory<byte> Piece { get; private set; }

    /// <summary>Where the current piece begins in <see cref="Segment"/>.</summary>
    public int Start { get; private set; }

    /// <summary>The segment of the pool that shows the current piece. Null for other memory, which has to be
    /// copied.</summary>
    public BufferSegment? Segment { get; private set; }

    /// <summary>Looks at all pieces, so that none is taken when one of them can't be.</summary>
    /// <exception cref="InvalidOperationException">A piece was given back before, as far as can be seen.</exception>
    public static void Verify(in ReadOnlySequence<byte> bytes, BufferPool pool)
    {
        var pieces = new HandedBytes(bytes, pool);
        while (pieces.MoveNext())
        {
        }
    }

    /// <summary>Goes to the next piece that is not empty.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidOperationException">The piece was given back before, as far as can be seen.</exception>
    public bool MoveNext()
    {
        do
        {
            Segment = _next.GetObject() as BufferSegment;
            if (Segment is { } segment)
            {
                Start = _next.GetInteger();
                int end = _bytes.End.GetObject() == segment ? _bytes.End.GetInteger() : segment.End;
                Segment = segment.Pool == pool && segment.MayShare(Start, end) ? segment : null;
            }

            if (!_bytes.TryGet(ref _next, out ReadOnlyMemory<byte> piece))
            {
                return false;
            }

            Piece = piece;
        }
        while (Piece.IsEmpty);

        return true;
    }
}

using System.Buffers;

namespace SelectReactor.Framing;

/// <summary>Searches in sequences whose beginning was searched before.</summary>
internal static class SequenceSearch
{
    /// <summary>Where a delimiter begins, at <paramref name="from"/> or later; -1 if it is not there.</summary>
    public static long IndexOf(in ReadOnlySequence<byte> bytes, ReadOnlySpan<byte> delimiter, long from)
    {
        ReadOnlySequence<byte> rest = From(bytes, from);
        if (rest.IsSingleSegment)
        {
            int index = delimiter.Length == 1
                ? rest.FirstSpan.IndexOf(delimiter[0])
                : rest.FirstSpan.IndexOf(delimiter);
            return index < 0 ? -1 : from + index;
        }

        var reader = new SequenceReader<byte>(rest);
        return reader.TryReadTo(out ReadOnlySequence<byte> _, delimiter, advancePastDelimiter: false)
            ? from + reader.Consumed
            : -1;
    }

    /// <summary>The byte at a place.</summary>
    public static byte At(in ReadOnlySequence<byte> bytes, long index) =>
        index < bytes.FirstSpan.Length ? bytes.FirstSpan[(int)index] : bytes.Slice(index).FirstSpan[0];

    // Slice goes from segment to segment. A search that goes on with a few new bytes would pass all the others each
    // time, so the last segment is tried first.
    private static ReadOnlySequence<byte> From(in ReadOnlySequence<byte> bytes, long offset)
    {
        if (offset > 0
            && bytes.Start.GetObject() is ReadOnlySequenceSegment<byte> first
            && bytes.End.GetObject() is ReadOnlySequenceSegment<byte> last)
        {
            long index = first.RunningIndex + bytes.Start.GetInteger() + offset - last.RunningIndex;
            if (index >= 0)
            {
                return new ReadOnlySequence<byte>(last, (int)index, last, bytes.End.GetInteger());
            }
        }

        return bytes.Slice(offset);
    }
}

using System.Buffers;

namespace SelectReactor.Tests.Framing;

/// <summary>Sequences of several segments.</summary>
internal static class Sequences
{
    /// <summary>The bytes in segments of these lengths, over and over.</summary>
    public static ReadOnlySequence<byte> Of(ReadOnlyMemory<byte> bytes, params int[] lengths)
    {
        Segment? first = null;
        Segment? last = null;
        int at = 0;
        for (int turn = 0; at < bytes.Length || first is null; turn++)
        {
            int length = Math.Min(lengths[turn % lengths.Length], bytes.Length - at);
            var next = new Segment(bytes.Slice(at, length), at);
            first ??= next;
            last?.Follow(next);
            last = next;
            at += length;
        }

        return new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public void Follow(Segment next) => Next = next;
    }
}

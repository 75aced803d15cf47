using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>
/// A reader whose bytes arrive when they are told to and lie in segments of any length, and which checks every
/// position that it is given.
/// </summary>
internal sealed class ArrivingReader(byte[] input, int[] segmentLengths) : PipeReader
{
    private ReadOnlySequence<byte>? _reading;
    private bool _hasNew;

    public int Arrived { get; private set; }

    public int Consumed { get; private set; }

    /// <summary>Whether there is something that the reader has not looked at.</summary>
    public bool HasUnexamined => _hasNew;

    public void Arrive(int count)
    {
        int before = Arrived;
        Arrived = Math.Min(input.Length, Arrived + count);
        _hasNew |= Arrived > before;
    }

    public override bool TryRead(out ReadResult result)
    {
        Fuzz.Require(_reading is null, "a read before the last one was advanced");
        if (!_hasNew)
        {
            result = default;
            return false;
        }

        _reading = Segment.Sequence(input.AsMemory(Consumed, Arrived - Consumed), segmentLengths, Consumed);
        result = new ReadResult(_reading.Value, isCanceled: false, isCompleted: false);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        Fuzz.Require(_reading is not null, "an advance without a read");
        ReadOnlySequence<byte> bytes = _reading!.Value;

        // Throw when a position is not in the sequence.
        long taken = bytes.Slice(0, consumed).Length;
        long seen = bytes.Slice(0, examined).Length;
        Fuzz.Require(seen >= taken, "consumed more than was examined");
        Fuzz.Require(
            taken > 0 || seen == bytes.Length, "neither took anything nor looked at all of it: it would spin");
        Consumed += (int)taken;
        _hasNew = seen < bytes.Length;
        _reading = null;
    }

    public override void CancelPendingRead() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null) => throw new NotSupportedException();

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        /// <summary>The bytes in segments of these lengths, over and over, whichever comes first.</summary>
        public static ReadOnlySequence<byte> Sequence(ReadOnlyMemory<byte> bytes, int[] lengths, int skipped)
        {
            Segment? first = null;
            Segment? last = null;
            int turn = skipped % lengths.Length;
            for (int at = 0; at < bytes.Length || first is null;)
            {
                int length = Math.Min(lengths[turn++ % lengths.Length], bytes.Length - at);
                var next = new Segment(bytes.Slice(at, length), at);
                first ??= next;
                last?.Next = next;
                last = next;
                at += length;
            }

            return new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
        }
    }
}

using System.Buffers;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>Short pieces that are written between frames that are handed over: their order, and the memory that they
/// take.</summary>
public sealed class HandOverMixTests : HandOverFixture
{
    private const int Small = BufferPool.SmallSize;

    // A pool that is never trimmed has allocated at least what is held.
    [Test]
    public void HeadersBetweenFrames_TakeLittleMemory(
        [Values(4096, 16_384, 20_000, 65_536)] int frame, [Values(0, 60_000)] int prime, [Values] bool lends)
    {
        const int Queue = 4 * 1024 * 1024;
        byte[] bytes = new byte[frame];
        Output.TryAppend(new byte[prime]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        while (Output.Queued < Queue)
        {
            WriteHeader(Output, lends);
            HandOver(bytes);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.LessThan((2 * Output.Queued) + (1024 * 1024)));
    }

    [Test]
    public void HeadersBetweenFrames_CountWithTheMemoryThatTheyTake(
        [Values(4096, 16_384, 20_000, 65_536)] int frame, [Values(0, 60_000)] int prime, [Values] bool lends)
    {
        const int Mark = 1024 * 1024;
        OutputBuffer output = new BufferOwner().CreateOutput(Pool, Mark, Mark / 2);
        var limits = new OutputLimits(Mark / 2, Mark, int.MaxValue);
        Assert.That(limits.HighMemoryMark, Is.EqualTo(4 * Mark));
        output.TryAppend(new byte[prime]);
        byte[] bytes = new byte[frame];
        while (output.Queued + frame + 4 < Mark)
        {
            WriteHeader(output, lends);
            HandOver(bytes, output);
        }

        Assert.That(output.IsAboveMark, Is.False);
        output.Discard();
    }

    [Test]
    public void ShortPieces_ShareABlock([Values] bool lends)
    {
        byte[] frame = Bytes(Small);
        var payload = new SharedPayload(Pool);
        payload.Write(frame);
        var sent = new List<byte>();
        for (int i = 0; i < 16; i++)
        {
            WriteHeader(Output, lends);
            Output.Append(payload.Bytes);
            sent.AddRange("head"u8);
            sent.AddRange(frame);
        }

        // The first header has a segment of its own; the others, one block and 15 views of it. The frames have one
        // block and 16 views.
        Assert.That(Pool.Outstanding, Is.EqualTo(1 + 1 + 15 + 1 + 16));
        payload.Dispose();
        SendAll(0);
        Assert.That(Sinks[0].Sent, Is.EqualTo(sent));
        Assert.That(Pool.Outstanding, Is.Zero);
    }

    [TestCase(10)]
    [TestCase(Small)]
    [TestCase(50_000)]
    [TestCase(300_000)]
    public void PiecesThatFollowEachOther_AreOne(int size)
    {
        byte[] frame = Bytes(Small);
        byte[] written = Bytes(size, seed: 1);
        HandOver(frame);
        for (int at = 0; at < size; at += 1000)
        {
            Output.TryAppend(written.AsSpan(at, Math.Min(1000, size - at)));
        }

        HandOver(frame);
        SendAll(0);

        Assert.That(Sinks[0].Sent, Is.EqualTo((byte[])[.. frame, .. written, .. frame]));
        Assert.That(Sinks[0].LargestGather, Is.LessThanOrEqualTo(2 + Math.Max(1, (size / Small) + 1)));
    }

    [Test]
    public void LentMemory_IsCommittedBehindWhatCameSince([Values] bool shares, [Values] bool sends)
    {
        byte[] frame = Bytes(Small);
        HandOver(frame);
        Memory<byte> lent = Output.GetMemory(100);
        if (sends)
        {
            SendAll(0);
        }

        byte[] since = shares ? frame : "since"u8.ToArray();
        if (shares)
        {
            HandOver(frame);
        }
        else
        {
            Output.TryAppend(since);
        }

        "lent"u8.CopyTo(lent.Span);
        Output.Advance(4);
        SendAll(0);

        Assert.That(Sinks[0].Sent, Is.EqualTo((byte[])[.. frame, .. since, .. "lent"u8]));
        Assert.That(Pool.Outstanding, Is.Zero);
    }

    [Test]
    public void LentMemory_IsKept_WhileTheQueueIsEmpty([Values(0, 4)] int committed)
    {
        byte[] frame = Bytes(Small);
        HandOver(frame);
        Memory<byte> lent = Output.GetMemory(100);
        SendAll(0);
        BufferSegment other = Pool.Rent(1);
        other.FreeSpan.Fill(9);
        "lent"u8.CopyTo(lent.Span);
        Output.Advance(committed);
        SendAll(0);

        Assert.That(Sinks[0].Sent, Is.EqualTo((byte[])[.. frame, .. "lent"u8[..committed]]));
        Assert.That(Pool.Outstanding, Is.EqualTo(1), "the one rented here");
        Pool.Return(other);
    }

    [Test]
    public void RestOfALoan_GoesOn_UntilSomethingElseIsWritten([Values(0, 1, 2)] int next)
    {
        byte[] frame = Bytes(Small);
        HandOver(frame);
        Memory<byte> lent = Output.GetMemory(100);
        "onetwo"u8.CopyTo(lent.Span);
        Output.Advance(3);
        Output.Advance(3);
        switch (next)
        {
            case 0:
                Output.TryAppend("x"u8);
                break;
            case 1:
                HandOver(frame);
                break;
            default:
                SendAll(0);
                break;
        }

        Assert.That(() => Output.Advance(1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        SendAll(0);
        Assert.That(Sinks[0].Sent.GetRange(Small, 6), Is.EqualTo("onetwo"u8.ToArray()));
    }

    [Test]
    public void LoanThatIsNotUsed_IsReplacedByTheNext_AndItsMemoryIsNotUsedAgain(
        [Values(100, 10_000)] int next, [Values] bool sends)
    {
        byte[] frame = Bytes(Small);
        HandOver(frame);
        Memory<byte> first = Output.GetMemory(100);
        if (sends)
        {
            SendAll(0);
        }

        Output.GetMemory(next);
        Output.Advance(0);
        SendAll(0);
        Assert.That(Pool.Outstanding, Is.Zero);

        BufferSegment other = Pool.Rent(1);
        Assert.That(other.FreeSpan.Overlaps(first.Span), Is.False);
        Pool.Return(other);
    }

    [Test]
    public void LoanOfAQueueThatIsDropped_IsLeftToItsWriter([Values] bool commits)
    {
        HandOver(Bytes(Small));
        Memory<byte> lent = Output.GetMemory(100);
        if (commits)
        {
            Output.Advance(10);
            lent = Output.GetMemory(100);
        }

        Output.Discard();

        Assert.That(Pool.Outstanding, Is.Zero);
        BufferSegment other = Pool.Rent(1);
        Assert.That(other.FreeSpan.Overlaps(lent.Span), Is.False);
        Pool.Return(other);
    }

    private static void WriteHeader(OutputBuffer output, bool lends)
    {
        if (lends)
        {
            "head"u8.CopyTo(output.GetSpan(4));
            output.Advance(4);
        }
        else
        {
            output.TryAppend("head"u8);
        }
    }

    private void HandOver(byte[] frame, OutputBuffer? output = null)
    {
        Receive(Input, frame);
        ReadOnlySequence<byte> all = Read(Input);
        (output ?? Output).Append(all);
        Input.AdvanceTo(all.End);
    }
}

using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>What an output takes over by reference, what it copies and what it refuses.</summary>
public sealed class HandOverTests : HandOverFixture
{
    [TestCase(BufferPool.SmallSize, 1, true)]
    [TestCase(BufferPool.SmallSize, BufferPool.SmallSize, true)]
    [TestCase(BufferPool.MediumSize, (BufferPool.MediumSize / 4) - 1, false)]
    [TestCase(BufferPool.MediumSize, BufferPool.MediumSize / 4, true)]
    [TestCase(BufferPool.LargeSize, (BufferPool.LargeSize / 4) - 1, false)]
    [TestCase(BufferPool.LargeSize, BufferPool.LargeSize / 4, true)]
    public void FirstPiece_IsSharedFromAQuarterOfItsBlockOn(int block, int size, bool shared) =>
        AssertShares(block, size, shared, before: 0);

    [TestCase(BufferPool.SmallSize, BufferPool.SmallSize - 1, false)]
    [TestCase(BufferPool.SmallSize, BufferPool.SmallSize, true)]
    [TestCase(BufferPool.MediumSize, (BufferPool.MediumSize / 2) - 1, false)]
    [TestCase(BufferPool.MediumSize, BufferPool.MediumSize / 2, true)]
    [TestCase(BufferPool.LargeSize, (BufferPool.LargeSize / 2) - 1, false)]
    [TestCase(BufferPool.LargeSize, BufferPool.LargeSize / 2, true)]
    public void FurtherPiece_IsSharedFromHalfItsBlockOn(int block, int size, bool shared) =>
        AssertShares(block, size, shared, before: 1);

    [Test]
    public void PieceThatFollowsTheLastOne_IsShared_HoweverShort()
    {
        Grow(BufferPool.MediumSize);
        byte[] bytes = Bytes(20_010);
        Receive(Input, bytes);
        ReadOnlySequence<byte> all = Read(Input);
        Output.Append(all.Slice(0, 20_000));
        int outstanding = Pool.Outstanding;

        Output.Append(all.Slice(20_000, 1));
        Output.Append(all.Slice(20_001));

        Assert.That((Pool.Outstanding, Output.Queued), Is.EqualTo((outstanding, 20_010)));
        Input.AdvanceTo(all.End);
        SendAll(0);
        Assert.That(Sinks[0].Sent, Is.EqualTo(bytes));
        Assert.That(Sinks[0].LargestGather, Is.Zero, "one piece");
    }

    [Test]
    public void Memory_ComesBackWithTheLastUser([Values] bool inputFirst)
    {
        Receive(Input, Bytes(3000));
        ReadOnlySequence<byte> all = Read(Input);
        Array.ForEach(Outputs, output => output.Append(all));
        Output.Append(all);
        if (inputFirst)
        {
            Input.AdvanceTo(all.End);
        }

        SendAll(0);
        Assert.That(Pool.Outstanding, Is.EqualTo(2), "the block and one view of it");
        SendAll(1);
        if (!inputFirst)
        {
            Assert.That(Pool.Outstanding, Is.EqualTo(1));
            Input.AdvanceTo(all.End);
        }

        Assert.That(Pool.Outstanding, Is.Zero);
        Assert.That(Sinks[0].Sent, Is.EqualTo(Bytes(3000).Concat(Bytes(3000))));
        Assert.That(Sinks[1].Sent, Is.EqualTo(Bytes(3000)));
    }

    [Test]
    public void FreeEndOfABlock_IsReceivedInto_WhileItsBeginningWaitsToBeSent()
    {
        byte[] bytes = Bytes(3000);
        Receive(Input, bytes.AsSpan(0, 2000));
        ReadOnlySequence<byte> first = Read(Input);
        Output.Append(first.Slice(0, 1990));
        Input.AdvanceTo(first.GetPosition(1990));

        Receive(Input, bytes.AsSpan(2000));

        Assert.That(Pool.Outstanding, Is.EqualTo(2), "the block and a view of it");
        HandOver(Read(Input));
        SendAll(0);
        Assert.That(Sinks[0].Sent, Is.EqualTo(bytes));
    }

    [Test]
    public void Write_BehindAHandOver_DoesNotGrowIntoTheInputsMemory([Values] bool lends)
    {
        Receive(Input, Bytes(100));
        ReadOnlySequence<byte> all = Read(Input);
        Output.Append(all);
        if (lends)
        {
            Output.Write("written"u8);
        }
        else
        {
            Output.TryAppend("written"u8);
        }

        Receive(Input, "received"u8);
        Input.AdvanceTo(all.End);
        HandOver(Read(Input));
        SendAll(0);

        Assert.That(Sinks[0].Sent, Is.EqualTo((byte[])[.. Bytes(100), .. "writtenreceived"u8]));
    }

    [Test]
    public void OpenLoan_IsCommittedBehindAHandOver([Values(0, 10)] int before)
    {
        Output.TryAppend(new byte[before]);
        Memory<byte> lent = Output.GetMemory(100);
        Grow(BufferPool.SmallSize);
        Receive(Input, Bytes(BufferPool.SmallSize));
        HandOver(Read(Input));
        "lent"u8.CopyTo(lent.Span);

        Output.Advance(4);

        SendAll(0);
        Assert.That(
            Sinks[0].Sent, Is.EqualTo((byte[])[.. new byte[before], .. Bytes(BufferPool.SmallSize), .. "lent"u8]));
    }

    [Test]
    public void RestOfALoan_IsOver_AfterAHandOver()
    {
        Output.GetMemory(100);
        Output.Advance(10);
        Receive(Input, Bytes(BufferPool.SmallSize));
        HandOver(Read(Input));

        Assert.That(() => Output.Advance(1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void RestThatMovesToASmallBlock_LeavesTheLargeOneToTheOutput()
    {
        Grow(BufferPool.LargeSize);
        byte[] bytes = Bytes(BufferPool.LargeSize);
        Receive(Input, bytes);
        ReadOnlySequence<byte> all = Read(Input);
        Output.Append(all);
        Input.AdvanceTo(all.GetPosition(BufferPool.LargeSize - 10));
        Assert.That(((BufferSegment)Read(Input).Start.GetObject()!).Capacity, Is.EqualTo(BufferPool.SmallSize));

        BufferSegment other = Pool.Rent(BufferPool.LargeSize);
        other.FreeSpan.Fill(9);
        SendAll(0);

        Assert.That(Sinks[0].Sent, Is.EqualTo(bytes));
        Assert.That(Pool.Outstanding, Is.EqualTo(2), "the rest, and the one rented here");
        Pool.Return(other);
    }

    [Test]
    public void InputThatEnds_LeavesItsBytesToTheOutput([Values] bool whileReading, [Values] bool advances)
    {
        Receive(Input, Bytes(3000));
        ReadOnlySequence<byte> all = Read(Input);
        Output.Append(all);
        if (!whileReading)
        {
            Input.Complete();
        }

        Input.Fail();
        Input.Release();
        BufferSegment other = Pool.Rent(1);
        other.FreeSpan.Fill(9);
        SendAll(0);
        if (advances && whileReading)
        {
            Input.AdvanceTo(all.End);
        }

        Assert.That(Sinks[0].Sent, Is.EqualTo(Bytes(3000)));
        Assert.That(Pool.Outstanding, Is.EqualTo(1), "the one rented here");
        Pool.Return(other);
    }

    [Test]
    public void OutputThatEnds_GivesSharedMemoryBackOnce()
    {
        Receive(Input, Bytes(3000));
        ReadOnlySequence<byte> all = Read(Input);
        Array.ForEach(Outputs, output => output.Append(all));
        Input.AdvanceTo(all.End);
        Output.Discard();

        BufferSegment other = Pool.Rent(1);
        other.FreeSpan.Fill(9);
        SendAll(1);

        Assert.That(Sinks[1].Sent, Is.EqualTo(Bytes(3000)));
        Pool.Return(other);
    }

    [Test]
    public void BytesReleasedDuringARead_AreCopied()
    {
        Receive(Input, Bytes(3000));
        ReadOnlySequence<byte> all = Read(Input);
        Input.Release();
        Assert.That(Pool.Outstanding, Is.Zero);

        Output.Append(all);

        Assert.That(Shares(all), Is.False);
        SendAll(0);
        Assert.That(Sinks[0].Sent, Is.EqualTo(Bytes(3000)));
    }

    [Test]
    public void BytesThatWereGivenBack_AreRefused([Values(0, 1, 3000)] int kept, [Values] bool readAgain)
    {
        Receive(Input, Bytes(3000));
        ReadOnlySequence<byte> stale = Read(Input);
        Input.AdvanceTo(stale.GetPosition(3000 - kept));
        if (readAgain && kept is > 0 and < 3000)
        {
            Read(Input);
        }

        Assert.That(() => Output.Append(stale), Throws.InvalidOperationException.With.Message.Contains("AdvanceTo"));

        Assert.That(Output.Queued, Is.Zero);
    }

    [Test]
    public void BytesThatWereGivenBack_AreRefused_WhenAnotherConnectionHasTheMemory([Values] bool received)
    {
        Receive(Input, Bytes(3000));
        ReadOnlySequence<byte> stale = Read(Input);
        Input.AdvanceTo(stale.End);
        if (received)
        {
            Receive(Inputs[1], "a secret"u8);
        }
        else
        {
            Outputs[1].TryAppend("a secret"u8);
        }

        Assert.That(() => Output.Append(stale), Throws.InvalidOperationException);
    }

    [TestCase(10)]
    [TestCase(2999)]
    public void BytesThatWereGivenBack_AreRefused_WhenTheMemoryHoldsFewerNow(int received)
    {
        Receive(Input, Bytes(3000));
        ReadOnlySequence<byte> stale = Read(Input);
        Input.AdvanceTo(stale.End);
        Receive(Input, Bytes(received));
        ReadOnlySequence<byte> now = Read(Input);
        Assert.That(now.Start.GetObject(), Is.SameAs(stale.Start.GetObject()));

        Assert.That(() => Output.Append(stale), Throws.InvalidOperationException.With.Message.Contains("AdvanceTo"));
        Assert.That(() => Output.Append(stale.Slice(2999)), Throws.InvalidOperationException);
    }

    [Test]
    public void BytesThatWereGivenBackByComplete_AreRefused()
    {
        Receive(Input, Bytes(10));
        ReadOnlySequence<byte> stale = Read(Input);
        Input.Complete();

        Assert.That(() => Output.Append(stale), Throws.InvalidOperationException);
    }

    [Test]
    public void SequenceWithAPieceThatWasGivenBack_IsRefusedWhole()
    {
        Receive(Input, Bytes(3000));
        ReadOnlySequence<byte> stale = Read(Input);
        Input.AdvanceTo(stale.GetPosition(10));
        Read(Input);
        var first = new Link(Bytes(5));
        var second = (ReadOnlySequenceSegment<byte>)stale.End.GetObject()!;
        var mixed = new ReadOnlySequence<byte>(first, 0, first.Before(second), 20);

        Assert.That(() => Output.Append(mixed), Throws.InvalidOperationException);

        Assert.That(Output.Queued, Is.Zero);
    }

    [Test]
    public void MemoryOfAnotherPool_AndOfTheUser_IsCopied()
    {
        var other = new BufferPool();
        InputBuffer foreign = new BufferOwner().CreateInput(other);
        Receive(foreign, Bytes(10));
        var bytes = Read(foreign);
        Receive(Input, Bytes(20));
        ReadOnlySequence<byte> own = Read(Input);
        var link = new Link(own.First);
        byte[] array = Bytes(200_000);

        Output.Append(bytes);
        Output.Append(new ReadOnlySequence<byte>(link, 0, link, 20));
        Output.Append(new ReadOnlySequence<byte>(array, 1, 150_000));
        Output.Append(ReadOnlySequence<byte>.Empty);
        foreign.AdvanceTo(bytes.End);
        Assert.That(other.Outstanding, Is.Zero);
        MemoryMarshal.AsMemory(own.First).Span.Clear();
        array.AsSpan().Clear();

        SendAll(0);
        Assert.That(
            Sinks[0].Sent, Is.EqualTo((byte[])[.. Bytes(10), .. Bytes(20), .. Bytes(200_000).AsSpan(1, 150_000)]));
    }

    [Test]
    public void SequenceOfManySegments_IsHandedOverFromAnyPlaceToAny([Range(0, 12)] int seed)
    {
        var random = new Random(seed);
        byte[] bytes = Bytes(400_000, seed);
        Receive(Input, bytes, random);
        ReadOnlySequence<byte> all = Read(Input);
        int start = random.Next(bytes.Length);
        int length = random.Next(bytes.Length - start);

        Output.Append(all.Slice(start, length));

        Input.AdvanceTo(all.End);
        SendAll(0);
        Assert.That(Sinks[0].Sent.ToArray(), Is.EqualTo(bytes.AsSpan(start, length).ToArray()));
    }

    // Every second frame is dropped, so that blocks hold what nobody needs. A pool that is never trimmed has allocated
    // at least what is held.
    [Test]
    public void ForwarderOfFrames_HoldsLittleMoreThanItsQueue(
        [Values(10, 1000, 5000, 17_000, 40_000, 90_000)] int frame, [Values(5000, 20_000, 200_000)] int received)
    {
        const int Queue = 4 * 1024 * 1024;
        byte[] bytes = new byte[received];
        long before = GC.GetAllocatedBytesForCurrentThread();
        while (Output.Queued < Queue)
        {
            Receive(Input, bytes);
            ReadOnlySequence<byte> rest = Read(Input);
            for (; rest.Length >= 2 * frame; rest = rest.Slice(2 * frame))
            {
                Output.Append(rest.Slice(0, frame));
            }

            Input.AdvanceTo(rest.Start, rest.End);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.LessThan((2 * Output.Queued) + (1024 * 1024)));
    }

    private void AssertShares(int block, int size, bool shared, int before)
    {
        Grow(block);
        Receive(Input, Bytes(size));
        ReadOnlySequence<byte> all = Read(Input);
        Assert.That(((BufferSegment)all.Start.GetObject()!).Capacity, Is.EqualTo(block));
        Output.TryAppend(Bytes(before));

        Output.Append(all);

        Assert.That(Shares(all), Is.EqualTo(shared));
        Input.AdvanceTo(all.End);
        SendAll(0);
        Assert.That(Sinks[0].Sent, Is.EqualTo(Bytes(before).Concat(Bytes(size))));
    }

    // Has the next receive offer a block of this size.
    private void Grow(int block)
    {
        foreach (int full in (int[])[BufferPool.SmallSize, BufferPool.MediumSize])
        {
            if (full < block)
            {
                Receive(Input, new byte[full]);
                Input.AdvanceTo(Read(Input).End);
            }
        }
    }

    private void HandOver(in ReadOnlySequence<byte> bytes)
    {
        Output.Append(bytes);
        Input.AdvanceTo(bytes.End);
    }

    // Whether what is to be sent lies where the input has it.
    private bool Shares(in ReadOnlySequence<byte> bytes)
    {
        using var probe = new ProbeHandle(bytes.First);
        SendTo(Output, probe);
        return probe.HasSeenIt;
    }

    /// <summary>A segment of the user's.</summary>
    private sealed class Link : ReadOnlySequenceSegment<byte>
    {
        public Link(ReadOnlyMemory<byte> memory) => Memory = memory;

        public ReadOnlySequenceSegment<byte> Before(ReadOnlySequenceSegment<byte> next)
        {
            Next = next;
            return next;
        }
    }

    /// <summary>Takes nothing, and looks whether it is offered some memory.</summary>
    private sealed class ProbeHandle(ReadOnlyMemory<byte> memory) : Handle
    {
        public bool HasSeenIt { get; private set; }

        public override bool IsClosed => false;

        public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
        {
            sent = 0;
            HasSeenIt |= buffer.Overlaps(memory.Span);
            return SocketError.WouldBlock;
        }

        public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
        {
            foreach (ArraySegment<byte> buffer in buffers)
            {
                Send(buffer, out _);
            }

            sent = 0;
            return SocketError.WouldBlock;
        }

        public override void Close()
        {
        }
    }
}

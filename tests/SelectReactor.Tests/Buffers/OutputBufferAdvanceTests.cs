using System.Buffers;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>What our output refuses, what it tells its owner, and how much it gives to one send.</summary>
public sealed class OutputBufferAdvanceTests : OutputBufferFixture
{
    [Test]
    public void AfterComplete_BytesAreRefused_AlsoInMemoryLentBefore()
    {
        Buffer.TryAppend([1, 2]);
        Buffer.GetMemory(10);
        Buffer.Complete();

        Assert.That(() => Buffer.Advance(1), Throws.InvalidOperationException);
        Assert.That(() => Buffer.TryAppend([3]), Throws.InvalidOperationException);

        Assert.That((Buffer.Queued, Owner.OutputAdvances), Is.EqualTo((2, 1)));
    }

    [Test]
    public void AfterDiscardWrites_BytesAreDropped_AndTheQueueIsStillSent()
    {
        Buffer.TryAppend([1, 2]);
        Buffer.GetMemory(10);
        Buffer.DiscardWrites();

        Assert.That(() => Buffer.Advance(1), Throws.Nothing);
        Assert.That(Buffer.TryAppend([3]));
        Buffer.Write("4"u8);
        Buffer.Complete();
        SendAll();

        Assert.That(Sink.Sent, Is.EqualTo(new byte[] { 1, 2 }));
        Assert.That((Owner.OutputAdvances, Owner.OutputCompletions.Count), Is.EqualTo((1, 0)));
    }

    [Test]
    public void MemoryLentBeforeAnotherWrite_IsCommittedBehindIt_AndNothingStaleIs([Values(0, 3)] int before)
    {
        Buffer.TryAppend(new byte[before]);
        Memory<byte> lent = Buffer.GetMemory(100);
        BufferSegment other = Pool.Rent(1);
        other.FreeSpan.Fill(0xEE);
        Buffer.TryAppend("other"u8);
        "lent"u8.CopyTo(lent.Span);

        Buffer.Advance(4);

        SendAll();
        Assert.That(Sink.Sent, Is.EqualTo(new byte[before].Concat("otherlent"u8.ToArray())));
        Pool.Return(other);
    }

    [Test]
    public void MemoryLentBeforeAnotherWrite_StaysTheWriters_WhateverIsSentMeanwhile()
    {
        Memory<byte> lent = Buffer.GetMemory(100);
        Buffer.TryAppend("other"u8);
        SendAll();
        AssertNotReused(lent);
        lent.Span.Fill(7);
        Buffer.Advance(2);
        SendAll();

        Assert.That(Sink.Sent, Is.EqualTo("other"u8.ToArray().Concat(new byte[] { 7, 7 })));
    }

    [Test]
    public void MemoryLentTwice_IsNeverUsedAgain_SinceTheFirstHolderMayStillWrite()
    {
        Memory<byte> first = Buffer.GetMemory(100);
        Buffer.Write("x"u8);
        SendAll();
        Assert.That(Pool.Outstanding, Is.Zero);

        AssertNotReused(first);
    }

    [Test]
    public void MemoryThatNobodyWasLent_IsNotCommitted([Values] bool afterASend)
    {
        Buffer.GetMemory(10);
        Buffer.Advance(5);
        if (afterASend)
        {
            SendAll();
        }
        else
        {
            Buffer.TryAppend([1]);
        }

        Assert.That(() => Buffer.Advance(1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void ASendThatThrows_LeavesNothingInTheScratchList()
    {
        Buffer.TryAppend(new byte[10_000]);
        Sink.Throws = true;

        Assert.That(() => SendOnce(), Throws.InstanceOf<InsufficientMemoryException>());

        Assert.That(Buffer.Queued, Is.EqualTo(10_000));
    }

    [Test]
    public void EachAdvance_IsTold()
    {
        Buffer.GetMemory();
        Buffer.Advance(1);
        Buffer.Advance(2);

        Assert.That((Buffer.Queued, Owner.OutputAdvances), Is.EqualTo((3, 2)));
    }

    [Test]
    public void ASend_IsGivenSixteenSegmentsAtMost([Values(16, 17, 40)] int segments)
    {
        for (int i = 0; i < segments; i++)
        {
            Buffer.GetMemory(BufferPool.LargeSize);
            Buffer.Advance(BufferPool.LargeSize);
        }

        int sent = SendOnce();

        Assert.That((Sink.LargestGather, sent), Is.EqualTo((16, 16 * BufferPool.LargeSize)));
        Assert.That(Pool.Outstanding, Is.EqualTo(segments - 16));
    }
}

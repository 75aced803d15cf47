using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>What our output does beyond the contract of a <see cref="PipeWriter"/>.</summary>
public sealed class OutputBufferTests : OutputBufferFixture
{
    [Test]
    public void ARandomStream_IsSentAsItWasWritten([Range(1, 25)] int seed)
    {
        var random = new Random(seed);
        var model = new List<byte>();
        for (int round = 0; round < 300; round++)
        {
            string message = $"seed {seed}, round {round}";
            switch (random.Next(6))
            {
                case 0:
                    byte[] bytes = RandomBytes(random, random.Next(3) == 0 ? 200_000 : 5000);
                    Buffer.TryAppend(bytes);
                    model.AddRange(bytes);
                    break;
                case 1:
                    byte[] some = RandomBytes(random, random.Next(5) == 0 ? 100_000 : 300);
                    some.CopyTo(Buffer.GetMemory(some.Length));
                    Buffer.Advance(some.Length);
                    model.AddRange(some);
                    break;
                case 2:
                    Buffer.GetMemory(random.Next(random.Next(2) == 0 ? 100 : 100_000)).Span.Fill(255);
                    break;
                case 3:
                    Buffer.GetMemory(random.Next(100));
                    Buffer.Advance(0);
                    break;
                default:
                    Sink.Appetite = random.Next(3) == 0 ? int.MaxValue : random.Next(30_000);
                    if (Buffer.Queued > 0)
                    {
                        long before = Sink.Sent.Count;
                        int sent = SendOnce();
                        Assert.That(Sink.Sent.Count - before, Is.EqualTo(sent), message);
                    }

                    break;
            }

            Assert.That(Buffer.Queued, Is.EqualTo(model.Count - Sink.Sent.Count), message);
        }

        SendAll();
        Assert.That(Sink.Sent.SequenceEqual(model), Is.True, $"seed {seed}");
        Assert.That(Sink.LargestGather, Is.InRange(2, 16), $"seed {seed}");
        Buffer.GetMemory();
        Buffer.Advance(0);
        Assert.That(Pool.Outstanding, Is.Zero, $"seed {seed}");
    }

    [Test]
    public void WhatIsSentWhole_GivesItsMemoryBack()
    {
        Buffer.TryAppend(new byte[200_000]);
        SendAll();

        Assert.That(Pool.Outstanding, Is.Zero);
    }

    [Test]
    public void AnAdvanceOfZero_OnAnIdleOutput_GivesTheMemoryBack()
    {
        Buffer.GetMemory(100);
        Buffer.Advance(0);

        Assert.That(Pool.Outstanding, Is.Zero);
    }

    [Test]
    public void LentMemory_StaysWhileEverythingElseIsSent()
    {
        Buffer.TryAppend([1, 2]);
        Memory<byte> lent = Buffer.GetMemory(10);
        SendAll();
        BufferSegment other = Pool.Rent(10);
        other.FreeSpan.Fill(9);
        lent.Span[0] = 3;
        Buffer.Advance(1);
        SendAll();

        Assert.That(Sink.Sent, Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(Pool.Outstanding, Is.EqualTo(1), "the one rented here");
        Pool.Return(other);
    }

    [Test]
    public void MemoryReplacedByALargerOne_IsNeverUsedAgain(
        [Values(0, 10, 4000)] int before, [Values(5000, 70_000)] int hint)
    {
        Buffer.TryAppend(new byte[before]);
        Memory<byte> stale = Buffer.GetMemory(1);
        Buffer.GetMemory(hint).Span[0] = 7;
        Buffer.Advance(1);
        SendAll();
        Assert.That(Pool.Outstanding, Is.Zero);

        AssertNotReused(stale);
    }

    [Test]
    public void MemoryLentWhenTheEndComes_IsNeverUsedAgain([Values(0, 10)] int before)
    {
        Buffer.TryAppend(new byte[before]);
        Memory<byte> stale = Buffer.GetMemory(1);
        Buffer.Discard();
        Assert.That(Pool.Outstanding, Is.Zero);

        AssertNotReused(stale);
        Assert.That(() => Buffer.Advance(1), Throws.Nothing);
    }

    [Test]
    public void AfterDiscard_MemoryCanBeHadAndCountsForNothing()
    {
        Buffer.TryAppend(new byte[5000]);
        Buffer.Discard();

        Assert.That(Buffer.GetMemory(70_000).Length, Is.GreaterThanOrEqualTo(70_000));
        Assert.That(Pool.Outstanding, Is.Zero);
        Buffer.TryAppend(new byte[300_000]);
        Assert.That((Buffer.Queued, Pool.Outstanding, Buffer.IsAboveMark), Is.EqualTo((0, 0, false)));
    }

    [Test]
    public void AfterCompleteAndDiscard_WritesAreDroppedAndDoNotThrow()
    {
        Buffer.Complete();
        Buffer.Discard();

        Assert.That(() => Buffer.TryAppend([1]), Throws.Nothing);
    }

    [Test]
    public void ASmallMessage_TakesASmallSegment_AndABacklogEverLargerOnes()
    {
        Buffer.TryAppend([1]);
        Assert.That(Buffer.GetMemory().Length, Is.LessThan(BufferPool.SmallSize));
        Buffer.TryAppend(new byte[BufferPool.SmallSize]);
        Assert.That(Buffer.GetMemory().Length, Is.InRange(BufferPool.SmallSize, BufferPool.MediumSize));
        Buffer.TryAppend(new byte[BufferPool.MediumSize]);

        Assert.That(Buffer.GetMemory().Length, Is.GreaterThan(BufferPool.MediumSize));
    }

    [Test]
    public void ABatch_AsLongAsTheOneBefore_LiesInOnePiece_HoweverThatOneLeft()
    {
        Buffer.TryAppend(new byte[20_000]);
        Assert.That(Pool.Outstanding, Is.EqualTo(2));
        Send(19_000);
        Send(1_000);
        Buffer.TryAppend(new byte[20_000]);

        Assert.That(Pool.Outstanding, Is.EqualTo(1));
    }

    [Test]
    public void ASmallMessage_AfterALargeBatch_TakesNoLargeSegment_AndTheNextASmallOne()
    {
        Buffer.TryAppend(new byte[500_000]);
        SendAll();
        Buffer.TryAppend([1]);
        Assert.That(Buffer.GetMemory().Length, Is.LessThan(BufferPool.MediumSize));
        Buffer.Advance(0);
        SendAll();
        Buffer.TryAppend([1]);

        Assert.That(Buffer.GetMemory().Length, Is.LessThan(BufferPool.SmallSize));
    }

    [Test]
    public void MemoryThatIsOnlyLent_MakesNoSegmentLarger()
    {
        for (int i = 0; i < 5; i++)
        {
            Buffer.GetMemory();
            Buffer.TryAppend([1]);
        }

        Assert.That(Buffer.GetMemory().Length, Is.LessThanOrEqualTo(BufferPool.SmallSize));
    }

    [Test]
    public void AnAppend_IsToldOfOnce()
    {
        Buffer.TryAppend(new byte[500_000]);

        Assert.That(Owner.OutputAdvances, Is.EqualTo(1));
    }

    [Test]
    public void TheOwner_LearnsOfAdvancesAndOfTheEnd()
    {
        var error = new IOException();
        Buffer.TryAppend([1, 2]);
        Buffer.GetMemory();
        Buffer.Advance(0);
        Buffer.Complete(error);
        Buffer.Complete();

        Assert.That(Owner.OutputAdvances, Is.EqualTo(1));
        Assert.That(Owner.OutputCompletions, Is.EqualTo(new[] { error }));
    }

    [Test]
    public void EveryMember_IsForTheReactorsThread()
    {
        Owner.RefusesAccess = true;
        Assert.Multiple(() =>
        {
            Assert.That(() => Buffer.GetMemory(), Throws.InvalidOperationException);
            Assert.That(() => Buffer.Advance(0), Throws.InvalidOperationException);
            Assert.That(() => Buffer.FlushAsync().AsTask(), Throws.InvalidOperationException);
            Assert.That(() => Buffer.CancelPendingFlush(), Throws.InvalidOperationException);
            Assert.That(() => Buffer.Complete(), Throws.InvalidOperationException);
        });
    }

    private static byte[] RandomBytes(Random random, int most)
    {
        byte[] bytes = new byte[random.Next(1, most)];
        random.NextBytes(bytes);
        return bytes;
    }
}

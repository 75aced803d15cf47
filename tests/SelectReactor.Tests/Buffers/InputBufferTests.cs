using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>What our input does beyond the contract of a <see cref="PipeReader"/>.</summary>
public sealed class InputBufferTests : InputBufferFixture
{
    [Test]
    public void ARandomStream_IsReadAsItCame([Range(1, 25)] int seed)
    {
        var random = new Random(seed);
        var model = new Queue<byte>();
        int examined = 0;
        long totalConsumed = 0;
        for (int round = 0; round < 100; round++)
        {
            string message = $"seed {seed}, round {round}";
            if (random.Next(3) > 0)
            {
                byte[] bytes = new byte[random.Next(4) == 0 ? random.Next(1, 100_000) : random.Next(1, 9000)];
                random.NextBytes(bytes);
                Receive(bytes, random);
                Array.ForEach(bytes, model.Enqueue);
            }

            bool hasResult = Buffer.TryRead(out ReadResult result);
            Assert.That(hasResult, Is.EqualTo(model.Count > examined), message);
            if (hasResult)
            {
                Assert.That(result.Buffer.ToArray().AsSpan().SequenceEqual(model.ToArray()), Is.True, message);
                int consumed = random.Next(3) switch { 0 => 0, 1 => model.Count, _ => random.Next(model.Count + 1) };
                examined = random.Next(2) == 0 ? consumed : random.Next(consumed, model.Count + 1);
                Buffer.AdvanceTo(result.Buffer.GetPosition(consumed), result.Buffer.GetPosition(examined));
                examined -= consumed;
                totalConsumed += consumed;
                for (int i = 0; i < consumed; i++)
                {
                    model.Dequeue();
                }
            }

            Assert.That(Buffer.Unconsumed, Is.EqualTo(model.Count), message);
            Assert.That(Buffer.Unexamined, Is.EqualTo(model.Count - examined), message);
            Assert.That(Buffer.TotalConsumed, Is.EqualTo(totalConsumed), message);
            Assert.That(Pool.Outstanding == 0, Is.EqualTo(model.Count == 0), message);
        }
    }

    [Test]
    public void ASegment_GoesBackWithItsLastByte()
    {
        Receive(new byte[BufferPool.SmallSize]);
        Receive(new byte[10]);
        Assert.That(Pool.Outstanding, Is.EqualTo(2));
        Buffer.TryRead(out ReadResult result);
        Buffer.AdvanceTo(result.Buffer.GetPosition(BufferPool.SmallSize));

        Assert.That(Pool.Outstanding, Is.EqualTo(1));
    }

    [Test]
    public void ASmallRestOfABurst_DoesNotHoldTheBurstsMemory()
    {
        foreach (int size in (int[])[BufferPool.SmallSize, BufferPool.MediumSize, BufferPool.LargeSize])
        {
            Receive(new byte[size]);
            Buffer.AdvanceTo(Read().End);
        }

        byte[] burst = new byte[BufferPool.LargeSize / 2];
        burst[^1] = 42;
        Receive(burst);
        Buffer.AdvanceTo(Read().GetPosition(burst.Length - 1));

        ReadOnlySequence<byte> rest = Read();
        Assert.That(rest.ToArray(), Is.EqualTo(new byte[] { 42 }));
        Assert.That(((BufferSegment)rest.Start.GetObject()!).Capacity, Is.EqualTo(BufferPool.SmallSize));
        Assert.That(Pool.Outstanding, Is.EqualTo(1));
        Buffer.AdvanceTo(rest.Start, rest.End);
        Receive([43]);
        Assert.That(Read().ToArray(), Is.EqualTo(new byte[] { 42, 43 }));
    }

    [Test]
    public void ReadingOnAfterTheEnd_Throws_SinceItWouldNeverWait()
    {
        Receive([1]);
        Buffer.End();
        int reads = 0;

        Assert.That(
            async () =>
            {
                while (reads < 10_000)
                {
#pragma warning disable SR0004 // What the test is about.
                    ReadResult result = await Buffer.ReadAsync();
#pragma warning restore SR0004
                    Buffer.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                    reads++;
                }
            },
            Throws.InvalidOperationException.With.Message.Contains("IsCompleted"));
        Assert.That(reads, Is.InRange(2, 1000));
    }

    [Test]
    public void ReadingAfterTheEnd_ByteByByte_IsFine()
    {
        Receive(new byte[1000]);
        Buffer.End();
        for (int i = 0; i < 1000; i++)
        {
            ReadOnlySequence<byte> bytes = Read();
            Buffer.AdvanceTo(bytes.GetPosition(1), bytes.End);
        }

        Assert.That(Read().IsEmpty);
    }

    [Test]
    public void AReserve_WithNothingReceived_HoldsNoSegment()
    {
        Assert.That(Buffer.Reserve().IsEmpty, Is.False);
        Buffer.Commit(0);

        Assert.That(Pool.Outstanding, Is.Zero);
    }

    [Test]
    public void OneByteReceives_ShareASegment()
    {
        for (int i = 0; i < BufferPool.SmallSize / 2; i++)
        {
            Receive([1]);
        }

        Assert.That(Pool.Outstanding, Is.EqualTo(1));
    }

    [Test]
    public void FullReceives_MakeTheNextOnesLarger_AndTwoSmallOnesTurnBack()
    {
        int[] sizes = [BufferPool.SmallSize, BufferPool.MediumSize, BufferPool.LargeSize, BufferPool.LargeSize];
        foreach (int size in sizes)
        {
            Assert.That(Buffer.Reserve().Length, Is.EqualTo(size));
            CommitAndConsume(size);
        }

        int[] received = [1, BufferPool.LargeSize / 2, 1, 1, 1, 1];
        sizes =
        [
            BufferPool.LargeSize, BufferPool.LargeSize, BufferPool.LargeSize, BufferPool.LargeSize,
            BufferPool.MediumSize, BufferPool.MediumSize,
        ];
        for (int i = 0; i < received.Length; i++)
        {
            Assert.That(Buffer.Reserve().Length, Is.EqualTo(sizes[i]));
            CommitAndConsume(received[i]);
        }

        Assert.That(Buffer.Reserve().Length, Is.EqualTo(BufferPool.SmallSize));
        Buffer.Commit(0);

        void CommitAndConsume(int count)
        {
            Buffer.Commit(count);
            Buffer.TryRead(out ReadResult result);
            Buffer.AdvanceTo(result.Buffer.End);
        }
    }

    [Test]
    public void Fail_GivesAllBack_DropsWhatComes_AndReadsThrow()
    {
        Receive(new byte[20_000]);
        Buffer.Fail();
        Assert.That(Pool.Outstanding, Is.Zero);

        Receive(new byte[20_000]);

        Assert.That((Buffer.Unconsumed, Pool.Outstanding), Is.EqualTo((0, 0)));
        Assert.That(() => Buffer.TryRead(out _), Throws.Exception.SameAs(Owner.ReadError));
    }

    [Test]
    public void Fail_DuringARead_WaitsForItsAdvance([Values] bool all)
    {
        Receive([1, 2, 3]);
        Buffer.TryRead(out ReadResult result);
        Buffer.Fail();
        Receive([4, 5, 6]);
        Assert.That(result.Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));

        Buffer.AdvanceTo(all ? result.Buffer.End : result.Buffer.Start);

        Assert.That((Buffer.Unconsumed, Pool.Outstanding), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Release_DuringARead_LeavesItsBytesToTheReader()
    {
        Receive([1, 2, 3]);
        Buffer.TryRead(out ReadResult result);
        Buffer.Release();
        Assert.That(Pool.Outstanding, Is.Zero);

        BufferSegment other = Pool.Rent(10);
        other.FreeSpan.Fill(9);
        Assert.That(result.Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(() => Buffer.AdvanceTo(result.Buffer.End), Throws.Nothing);
        Assert.That(() => Buffer.AdvanceTo(result.Buffer.End), Throws.InvalidOperationException);
        Pool.Return(other);
    }

    [Test]
    public void Release_AfterComplete_DuringARead_ReturnsEachSegmentOnce()
    {
        Receive(new byte[20_000]);
        Buffer.TryRead(out _);
        Buffer.Complete();
        Buffer.Release();
        Buffer.Release();

        Assert.That(Pool.Outstanding, Is.Zero);
    }

    [Test]
    public void APositionOfAnEarlierRead_DoesNoHarmToThePool()
    {
        Receive(new byte[BufferPool.SmallSize]);
        Buffer.TryRead(out ReadResult old);
        SequencePosition stale = old.Buffer.GetPosition(10);
        Buffer.AdvanceTo(old.Buffer.End);
        Receive(new byte[BufferPool.MediumSize]);
        Buffer.TryRead(out _);

        // Whether it is refused or taken for the same place in what is there now: the count stays right.
        try
        {
            Buffer.AdvanceTo(stale);
        }
        catch (InvalidOperationException)
        {
            Assert.That(Buffer.Unconsumed, Is.EqualTo(BufferPool.MediumSize));
        }

        Assert.That(Pool.Outstanding, Is.EqualTo(1));
    }

    [Test]
    public void Complete_TellsTheOwnerOnce()
    {
        var error = new IOException();
        Buffer.Complete(error);
        Buffer.Complete();

        Assert.That(Owner.InputCompletions, Is.EqualTo(new[] { error }));
    }

    [Test]
    public void AdvanceTo_TellsTheOwner()
    {
        Receive([1]);
        Buffer.TryRead(out ReadResult result);
        Buffer.AdvanceTo(result.Buffer.End);

        Assert.That(Owner.InputAdvances, Is.EqualTo(1));
    }

    [Test]
    public void EveryMember_IsForTheReactorsThread()
    {
        Owner.RefusesAccess = true;
        Assert.Multiple(() =>
        {
            Assert.That(() => Buffer.TryRead(out _), Throws.InvalidOperationException);
            Assert.That(() => Buffer.ReadAsync().AsTask(), Throws.InvalidOperationException);
            Assert.That(() => Buffer.AdvanceTo(default), Throws.InvalidOperationException);
            Assert.That(() => Buffer.CancelPendingRead(), Throws.InvalidOperationException);
            Assert.That(() => Buffer.Complete(), Throws.InvalidOperationException);
        });
    }
}

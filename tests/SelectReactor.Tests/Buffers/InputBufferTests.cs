using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>What our input does beyond the contract of a <see cref="PipeReader"/>.</summary>
public sealed class InputBufferTests
{
    private BufferPool _pool = null!;
    private BufferOwner _owner = null!;
    private InputBuffer _buffer = null!;

    [SetUp]
    public void Create()
    {
        _pool = new BufferPool();
        _owner = new BufferOwner();
        _buffer = new InputBuffer(_pool, _owner);
    }

    [TearDown]
    public void NothingIsOutstanding()
    {
        _buffer.Release();
        Assert.That(_pool.Outstanding, Is.Zero);
    }

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

            bool hasResult = _buffer.TryRead(out ReadResult result);
            Assert.That(hasResult, Is.EqualTo(model.Count > examined), message);
            if (hasResult)
            {
                Assert.That(result.Buffer.ToArray().AsSpan().SequenceEqual(model.ToArray()), Is.True, message);
                int consumed = random.Next(3) switch { 0 => 0, 1 => model.Count, _ => random.Next(model.Count + 1) };
                examined = random.Next(2) == 0 ? consumed : random.Next(consumed, model.Count + 1);
                _buffer.AdvanceTo(result.Buffer.GetPosition(consumed), result.Buffer.GetPosition(examined));
                examined -= consumed;
                totalConsumed += consumed;
                for (int i = 0; i < consumed; i++)
                {
                    model.Dequeue();
                }
            }

            Assert.That(_buffer.Unconsumed, Is.EqualTo(model.Count), message);
            Assert.That(_buffer.Unexamined, Is.EqualTo(model.Count - examined), message);
            Assert.That(_buffer.TotalConsumed, Is.EqualTo(totalConsumed), message);
            Assert.That(_pool.Outstanding == 0, Is.EqualTo(model.Count == 0), message);
        }
    }

    [Test]
    public void ASegment_GoesBackWithItsLastByte()
    {
        Receive(new byte[BufferPool.SmallSize]);
        Receive(new byte[10]);
        Assert.That(_pool.Outstanding, Is.EqualTo(2));
        _buffer.TryRead(out ReadResult result);
        _buffer.AdvanceTo(result.Buffer.GetPosition(BufferPool.SmallSize));

        Assert.That(_pool.Outstanding, Is.EqualTo(1));
    }

    [Test]
    public void AReserve_WithNothingReceived_HoldsNoSegment()
    {
        Assert.That(_buffer.Reserve().IsEmpty, Is.False);
        _buffer.Commit(0);

        Assert.That(_pool.Outstanding, Is.Zero);
    }

    [Test]
    public void OneByteReceives_ShareASegment()
    {
        for (int i = 0; i < BufferPool.SmallSize / 2; i++)
        {
            Receive([1]);
        }

        Assert.That(_pool.Outstanding, Is.EqualTo(1));
    }

    [Test]
    public void FullReceives_MakeTheNextOnesLarger_AndTwoSmallOnesTurnBack()
    {
        int[] sizes = [BufferPool.SmallSize, BufferPool.MediumSize, BufferPool.LargeSize, BufferPool.LargeSize];
        foreach (int size in sizes)
        {
            Assert.That(_buffer.Reserve().Length, Is.EqualTo(size));
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
            Assert.That(_buffer.Reserve().Length, Is.EqualTo(sizes[i]));
            CommitAndConsume(received[i]);
        }

        Assert.That(_buffer.Reserve().Length, Is.EqualTo(BufferPool.SmallSize));
        _buffer.Commit(0);

        void CommitAndConsume(int count)
        {
            _buffer.Commit(count);
            _buffer.TryRead(out ReadResult result);
            _buffer.AdvanceTo(result.Buffer.End);
        }
    }

    [Test]
    public void Discard_GivesAllBack_AndDropsWhatComes()
    {
        Receive(new byte[20_000]);
        _buffer.Discard();
        Assert.That(_pool.Outstanding, Is.Zero);

        Receive(new byte[20_000]);

        Assert.That((_buffer.Unconsumed, _pool.Outstanding), Is.EqualTo((0, 0)));
        Assert.That(_buffer.TryRead(out _), Is.False);
    }

    [Test]
    public void Discard_DuringARead_WaitsForItsAdvance([Values] bool all)
    {
        Receive([1, 2, 3]);
        _buffer.TryRead(out ReadResult result);
        _buffer.Discard();
        Receive([4, 5, 6]);
        Assert.That(result.Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));

        _buffer.AdvanceTo(all ? result.Buffer.End : result.Buffer.Start);

        Assert.That((_buffer.Unconsumed, _pool.Outstanding), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Release_DuringARead_LeavesItsBytesToTheReader()
    {
        Receive([1, 2, 3]);
        _buffer.TryRead(out ReadResult result);
        _buffer.Release();
        Assert.That(_pool.Outstanding, Is.Zero);

        _pool.Rent(10).FreeSpan.Fill(9);
        Assert.That(result.Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(() => _buffer.AdvanceTo(result.Buffer.End), Throws.Nothing);
        Assert.That(() => _buffer.AdvanceTo(result.Buffer.End), Throws.InvalidOperationException);
        _pool.Abandon();
    }

    [Test]
    public void Release_AfterComplete_DuringARead_ReturnsEachSegmentOnce()
    {
        Receive(new byte[20_000]);
        _buffer.TryRead(out _);
        _buffer.Complete();
        _buffer.Release();
        _buffer.Release();

        Assert.That(_pool.Outstanding, Is.Zero);
    }

    [Test]
    public void APositionOfAnEarlierRead_DoesNoHarmToThePool()
    {
        Receive(new byte[BufferPool.SmallSize]);
        _buffer.TryRead(out ReadResult old);
        SequencePosition stale = old.Buffer.GetPosition(10);
        _buffer.AdvanceTo(old.Buffer.End);
        Receive(new byte[BufferPool.MediumSize]);
        _buffer.TryRead(out _);

        // Whether it is refused or taken for the same place in what is there now: the count stays right.
        try
        {
            _buffer.AdvanceTo(stale);
        }
        catch (InvalidOperationException)
        {
            Assert.That(_buffer.Unconsumed, Is.EqualTo(BufferPool.MediumSize));
        }

        Assert.That(_pool.Outstanding, Is.EqualTo(1));
    }

    [Test]
    public void Complete_TellsTheOwnerOnce()
    {
        var error = new IOException();
        _buffer.Complete(error);
        _buffer.Complete();

        Assert.That(_owner.InputCompletions, Is.EqualTo(new[] { error }));
    }

    [Test]
    public void AdvanceTo_TellsTheOwner()
    {
        Receive([1]);
        _buffer.TryRead(out ReadResult result);
        _buffer.AdvanceTo(result.Buffer.End);

        Assert.That(_owner.InputAdvances, Is.EqualTo(1));
    }

    [Test]
    public void EveryMember_IsForTheReactorsThread()
    {
        _owner.RefusesAccess = true;
        Assert.Multiple(() =>
        {
            Assert.That(() => _buffer.TryRead(out _), Throws.InvalidOperationException);
            Assert.That(() => _buffer.ReadAsync().AsTask(), Throws.InvalidOperationException);
            Assert.That(() => _buffer.AdvanceTo(default), Throws.InvalidOperationException);
            Assert.That(() => _buffer.CancelPendingRead(), Throws.InvalidOperationException);
            Assert.That(() => _buffer.Complete(), Throws.InvalidOperationException);
        });
    }

    // As the loop does it: pieces as large as the memory, or as random cuts it.
    private void Receive(byte[] bytes, Random? random = null)
    {
        for (int done = 0; done < bytes.Length;)
        {
            Span<byte> room = _buffer.Reserve();
            int count = Math.Min(room.Length, bytes.Length - done);
            count = random is null ? count : random.Next(count + 1);
            bytes.AsSpan(done, count).CopyTo(room);
            _buffer.Commit(count);
            done += count;
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>What our output does beyond the contract of a <see cref="PipeWriter"/>.</summary>
public sealed class OutputBufferTests
{
    private const int High = 64 * 1024;
    private const int Low = 32 * 1024;
    private readonly List<ArraySegment<byte>> _gather = [];
    private BufferPool _pool = null!;
    private BufferOwner _owner = null!;
    private SinkHandle _sink = null!;
    private OutputBuffer _buffer = null!;

    [SetUp]
    public void Create()
    {
        _pool = new BufferPool();
        _owner = new BufferOwner();
        _sink = new SinkHandle();
        _buffer = new OutputBuffer(_pool, _owner, High, Low);
    }

    [TearDown]
    public void NothingIsOutstanding()
    {
        _buffer.Discard();
        _sink.Dispose();
        Assert.That(_pool.Outstanding, Is.Zero);
    }

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
                    _buffer.Append(bytes);
                    model.AddRange(bytes);
                    break;
                case 1:
                    byte[] some = RandomBytes(random, random.Next(5) == 0 ? 100_000 : 300);
                    some.CopyTo(_buffer.GetMemory(some.Length));
                    _buffer.Advance(some.Length);
                    model.AddRange(some);
                    break;
                case 2:
                    _buffer.GetMemory(random.Next(random.Next(2) == 0 ? 100 : 100_000)).Span.Fill(255);
                    break;
                case 3:
                    _buffer.GetMemory(random.Next(100));
                    _buffer.Advance(0);
                    break;
                default:
                    _sink.Appetite = random.Next(3) == 0 ? int.MaxValue : random.Next(30_000);
                    if (_buffer.Queued > 0)
                    {
                        long before = _sink.Sent.Count;
                        _buffer.Send(_sink, _gather, out int sent);
                        Assert.That(_sink.Sent.Count - before, Is.EqualTo(sent), message);
                    }

                    break;
            }

            Assert.That(_buffer.Queued, Is.EqualTo(model.Count - _sink.Sent.Count), message);
        }

        SendAll();
        Assert.That(_sink.Sent.SequenceEqual(model), Is.True, $"seed {seed}");
        Assert.That(_sink.LargestGather, Is.InRange(2, 16), $"seed {seed}");
        Assert.That(_gather, Is.Empty);
        _buffer.GetMemory();
        _buffer.Advance(0);
        Assert.That(_pool.Outstanding, Is.Zero, $"seed {seed}");
    }

    [Test]
    public void WhatIsSentWhole_GivesItsMemoryBack()
    {
        _buffer.Append(new byte[200_000]);
        SendAll();

        Assert.That(_pool.Outstanding, Is.Zero);
    }

    [Test]
    public void AnAdvanceOfZero_OnAnIdleOutput_GivesTheMemoryBack()
    {
        _buffer.GetMemory(100);
        _buffer.Advance(0);

        Assert.That(_pool.Outstanding, Is.Zero);
    }

    [Test]
    public void LentMemory_StaysWhileEverythingElseIsSent()
    {
        _buffer.Append([1, 2]);
        Memory<byte> lent = _buffer.GetMemory(10);
        SendAll();
        _pool.Rent(10).FreeSpan.Fill(9);
        lent.Span[0] = 3;
        _buffer.Advance(1);
        SendAll();

        Assert.That(_sink.Sent, Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(_pool.Outstanding, Is.EqualTo(1), "the one rented here");
        _pool.Abandon();
    }

    [Test]
    public void MemoryReplacedByALargerOne_IsNeverUsedAgain([Values(0, 10, 4000)] int before, [Values(5000, 70_000)] int hint)
    {
        _buffer.Append(new byte[before]);
        Memory<byte> stale = _buffer.GetMemory(1);
        _buffer.GetMemory(hint).Span[0] = 7;
        _buffer.Advance(1);
        SendAll();
        Assert.That(_pool.Outstanding, Is.Zero);

        AssertNotReused(stale);
    }

    [Test]
    public void MemoryLentWhenTheEndComes_IsNeverUsedAgain([Values(0, 10)] int before)
    {
        _buffer.Append(new byte[before]);
        Memory<byte> stale = _buffer.GetMemory(1);
        _buffer.Discard();
        Assert.That(_pool.Outstanding, Is.Zero);

        AssertNotReused(stale);
        Assert.That(() => _buffer.Advance(1), Throws.Nothing);
    }

    [Test]
    public void AfterDiscard_MemoryCanBeHadAndCountsForNothing()
    {
        _buffer.Append(new byte[5000]);
        _buffer.Discard();

        Assert.That(_buffer.GetMemory(70_000).Length, Is.GreaterThanOrEqualTo(70_000));
        Assert.That(_pool.Outstanding, Is.Zero);
        _buffer.Append(new byte[300_000]);
        Assert.That((_buffer.Queued, _pool.Outstanding, _buffer.IsAboveMark), Is.EqualTo((0, 0, false)));
    }

    [Test]
    public void AfterCompleteAndDiscard_WritesAreDroppedAndDoNotThrow()
    {
        _buffer.Complete();
        _buffer.Discard();

        Assert.That(() => _buffer.Append([1]), Throws.Nothing);
    }

    [Test]
    public void ASmallMessage_TakesASmallSegment_AndABacklogEverLargerOnes()
    {
        _buffer.Append([1]);
        Assert.That(_buffer.GetMemory().Length, Is.LessThan(BufferPool.SmallSize));
        _buffer.Append(new byte[BufferPool.SmallSize]);
        Assert.That(_buffer.GetMemory().Length, Is.InRange(BufferPool.SmallSize, BufferPool.MediumSize));
        _buffer.Append(new byte[BufferPool.MediumSize]);

        Assert.That(_buffer.GetMemory().Length, Is.GreaterThan(BufferPool.MediumSize));
    }

    [Test]
    public void ABatch_AsLongAsTheOneBefore_LiesInOnePiece_HoweverThatOneLeft()
    {
        _buffer.Append(new byte[20_000]);
        Assert.That(_pool.Outstanding, Is.EqualTo(2));
        Send(19_000);
        Send(1_000);
        _buffer.Append(new byte[20_000]);

        Assert.That(_pool.Outstanding, Is.EqualTo(1));
    }

    [Test]
    public void ASmallMessage_AfterALargeBatch_TakesNoLargeSegment_AndTheNextASmallOne()
    {
        _buffer.Append(new byte[500_000]);
        SendAll();
        _buffer.Append([1]);
        Assert.That(_buffer.GetMemory().Length, Is.LessThan(BufferPool.MediumSize));
        _buffer.Advance(0);
        SendAll();
        _buffer.Append([1]);

        Assert.That(_buffer.GetMemory().Length, Is.LessThan(BufferPool.SmallSize));
    }

    [Test]
    public void MemoryThatIsOnlyLent_MakesNoSegmentLarger()
    {
        for (int i = 0; i < 5; i++)
        {
            _buffer.GetMemory();
            _buffer.Append([1]);
        }

        Assert.That(_buffer.GetMemory().Length, Is.LessThanOrEqualTo(BufferPool.SmallSize));
    }

    [Test]
    public void AnAppend_IsToldOfOnce()
    {
        _buffer.Append(new byte[500_000]);

        Assert.That(_owner.OutputAdvances, Is.EqualTo(1));
    }

    [Test]
    public void TheOwner_LearnsOfAdvancesAndOfTheEnd()
    {
        var error = new IOException();
        _buffer.Append([1, 2]);
        _buffer.GetMemory();
        _buffer.Advance(0);
        _buffer.Complete(error);
        _buffer.Complete();

        Assert.That(_owner.OutputAdvances, Is.EqualTo(1));
        Assert.That(_owner.OutputCompletions, Is.EqualTo(new[] { error }));
    }

    [Test]
    public void EveryMember_IsForTheReactorsThread()
    {
        _owner.RefusesAccess = true;
        Assert.Multiple(() =>
        {
            Assert.That(() => _buffer.GetMemory(), Throws.InvalidOperationException);
            Assert.That(() => _buffer.Advance(0), Throws.InvalidOperationException);
            Assert.That(() => _buffer.FlushAsync().AsTask(), Throws.InvalidOperationException);
            Assert.That(() => _buffer.CancelPendingFlush(), Throws.InvalidOperationException);
            Assert.That(() => _buffer.Complete(), Throws.InvalidOperationException);
        });
    }

    // Whoever still holds the memory may write to it: nobody else may have been given it.
    private void AssertNotReused(Memory<byte> stale)
    {
        BufferSegment[] others = [.. Enumerable.Range(0, 4).SelectMany(_ => new[] { _pool.Rent(1), _pool.Rent(5000) })];
        stale.Span.Fill(9);
        foreach (BufferSegment other in others)
        {
            Assert.That(other.FreeMemory.Span.Overlaps(stale.Span), Is.False);
            _pool.Return(other);
        }
    }

    private void Send(int count)
    {
        for (long end = _buffer.Queued - count; _buffer.Queued > end;)
        {
            _sink.Appetite = (int)(_buffer.Queued - end);
            _buffer.Send(_sink, _gather, out _);
        }
    }

    private void SendAll() => Send((int)_buffer.Queued);

    private static byte[] RandomBytes(Random random, int most)
    {
        byte[] bytes = new byte[random.Next(1, most)];
        random.NextBytes(bytes);
        return bytes;
    }
}

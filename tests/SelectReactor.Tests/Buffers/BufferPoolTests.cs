using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

public sealed class BufferPoolTests
{
    private BufferPool _pool = null!;

    [SetUp]
    public void Create() => _pool = new BufferPool();

    [TestCase(0, BufferPool.SmallSize)]
    [TestCase(1, BufferPool.SmallSize)]
    [TestCase(BufferPool.SmallSize, BufferPool.SmallSize)]
    [TestCase(BufferPool.SmallSize + 1, BufferPool.MediumSize)]
    [TestCase(BufferPool.MediumSize, BufferPool.MediumSize)]
    [TestCase(BufferPool.MediumSize + 1, BufferPool.LargeSize)]
    [TestCase(BufferPool.LargeSize, BufferPool.LargeSize)]
    [TestCase(BufferPool.LargeSize + 1, BufferPool.LargeSize + 1)]
    public void Rent_HasTheSizeForTheRequest(int request, int capacity) =>
        Assert.That(_pool.Rent(request).Capacity, Is.EqualTo(capacity));

    [Test]
    public void WhatIsReturned_IsRentedAgainAsNew([Values(1, 5_000, 50_000)] int size)
    {
        BufferSegment first = _pool.Rent(size);
        BufferSegment second = _pool.Rent(size);
        first.Commit(10);
        first.Start = 5;
        first.Append(second);
        _pool.Return(first);
        _pool.Return(second);
        Assert.That(_pool.Outstanding, Is.Zero);

        BufferSegment[] again = [_pool.Rent(size), _pool.Rent(size)];

        Assert.That(again, Is.EquivalentTo(new[] { first, second }));
        foreach (BufferSegment segment in again)
        {
            Assert.That((segment.Start, segment.End, segment.Length), Is.EqualTo((0, 0, 0)));
            Assert.That((segment.Successor, segment.RunningIndex), Is.EqualTo(((BufferSegment?)null, 0L)));
            Assert.That(segment.Memory.IsEmpty, Is.True);
        }
    }

    [Test]
    public void TheSizes_AreKeptApart()
    {
        _pool.Return(_pool.Rent(BufferPool.LargeSize));
        _pool.Return(_pool.Rent(BufferPool.MediumSize));

        Assert.That(_pool.Rent(1).Capacity, Is.EqualTo(BufferPool.SmallSize));
        Assert.That(_pool.Rent(BufferPool.MediumSize).Capacity, Is.EqualTo(BufferPool.MediumSize));
    }

    [Test]
    public void ABlockMadeToMeasure_IsNotKept()
    {
        BufferSegment large = _pool.Rent(BufferPool.LargeSize + 1);
        _pool.Return(large);

        Assert.That(_pool.Outstanding, Is.Zero);
        Assert.That(_pool.Rent(BufferPool.LargeSize + 1), Is.Not.SameAs(large));
    }

    [TestCase(BufferPool.SmallSize, 1024)]
    [TestCase(BufferPool.MediumSize, 256)]
    [TestCase(BufferPool.LargeSize, 160)]
    public void ABoundedNumber_IsKeptOfEachSize(int size, int kept)
    {
        BufferSegment[] rented = [.. Enumerable.Range(0, kept + 5).Select(_ => _pool.Rent(size))];
        Array.ForEach(rented, _pool.Return);
        Assert.That(_pool.Outstanding, Is.Zero);

        var again = Enumerable.Range(0, kept + 5).Select(_ => _pool.Rent(size)).ToHashSet();

        Assert.That(again.Intersect(rented).Count(), Is.EqualTo(kept));
        Assert.That(_pool.Outstanding, Is.EqualTo(kept + 5));
    }

    [Test]
    public void ABurstOfLargeOnes_LeavesRoomForSmallOnes()
    {
        BufferSegment[] burst = [.. Enumerable.Range(0, 500).Select(_ => _pool.Rent(BufferPool.LargeSize))];
        Array.ForEach(burst, _pool.Return);
        BufferSegment small = _pool.Rent(1);
        _pool.Return(small);

        Assert.That(_pool.Rent(1), Is.SameAs(small));
    }

    [Test]
    public void Trim_DropsWhatWasIdleSinceTheLastOne()
    {
        BufferSegment[] burst = [.. Enumerable.Range(0, 10).Select(_ => _pool.Rent(BufferPool.LargeSize))];
        Array.ForEach(burst, _pool.Return);
        Assert.That(_pool.IsWorthTrimming);
        _pool.Trim();
        Assert.That(_pool.IsWorthTrimming, "it was in use since the beginning");
        BufferSegment[] steady = [_pool.Rent(BufferPool.LargeSize), _pool.Rent(BufferPool.LargeSize)];
        Array.ForEach(steady, _pool.Return);
        _pool.Trim();

        Assert.That(_pool.IsWorthTrimming, Is.False);
        BufferSegment[] again =
            [_pool.Rent(BufferPool.LargeSize), _pool.Rent(BufferPool.LargeSize), _pool.Rent(BufferPool.LargeSize)];
        Assert.That(again.Intersect(burst).Count(), Is.EqualTo(2), "what is in use is kept");
    }

    [TestCase(BufferPool.SmallSize, 64)]
    [TestCase(BufferPool.MediumSize, 8)]
    [TestCase(BufferPool.LargeSize, 2)]
    public void AQuarterOfAMegabyteIdle_IsNotWorthTrimming_AndOneSegmentMoreIs(int size, int segments)
    {
        BufferSegment[] rented = [.. Enumerable.Range(0, segments + 1).Select(_ => _pool.Rent(size))];
        Array.ForEach(rented[1..], _pool.Return);
        Assert.That(_pool.IsWorthTrimming, Is.False);

        _pool.Return(rented[0]);

        Assert.That(_pool.IsWorthTrimming);
    }

    [Test]
    public void IdleSegmentsOfAllSizes_CountTogether()
    {
        BufferSegment[] medium = [.. Enumerable.Range(0, 4).Select(_ => _pool.Rent(BufferPool.MediumSize))];
        _pool.Return(_pool.Rent(BufferPool.SmallSize));
        _pool.Return(_pool.Rent(BufferPool.LargeSize));
        Array.ForEach(medium, _pool.Return);

        Assert.That(_pool.IsWorthTrimming, "4 + 4 * 32 + 128 KiB");
    }

    [Test]
    public void Trim_DropsIdleOnesOfEachSize(
        [Values(BufferPool.SmallSize, BufferPool.MediumSize, BufferPool.LargeSize)] int size)
    {
        BufferSegment first = _pool.Rent(size);
        BufferSegment second = _pool.Rent(size);
        _pool.Return(first);
        _pool.Return(second);
        _pool.Trim();
        _pool.Return(_pool.Rent(size));
        _pool.Trim();

        BufferSegment[] again = [_pool.Rent(size), _pool.Rent(size)];

        Assert.That(again.Intersect([first, second]).Count(), Is.EqualTo(1), "one was idle since the trim before");
    }

    [Test]
    public void Close_FreesWhatIsIdle_AndKeepsNothingFromThenOn(
        [Values(BufferPool.SmallSize, BufferPool.MediumSize, BufferPool.LargeSize)] int size)
    {
        BufferSegment[] rented = [.. Enumerable.Range(0, 3).Select(_ => _pool.Rent(size))];
        BufferSegment view = _pool.RentView(rented[2], 0, 1);
        _pool.Return(rented[0]);
        _pool.Return(rented[1]);
        _pool.Close();
        _pool.Return(rented[2]);
        _pool.Return(view);

        BufferSegment[] again = [.. Enumerable.Range(0, 3).Select(_ => _pool.Rent(size))];

        Assert.That(again.Intersect(rented), Is.Empty);
        Assert.That(_pool.RentView(again[0], 0, 1), Is.Not.SameAs(view));
        Assert.That(_pool.Outstanding, Is.EqualTo(4));
    }

    [Test]
    public void ReactorThatEnds_FreesWhatIsIdle()
    {
        var reactor = new Reactor();
        BufferSegment idle = reactor.Buffers.Rent(1);
        reactor.Buffers.Return(idle);

        reactor.Dispose();

        Assert.That(reactor.Buffers.Rent(1), Is.Not.SameAs(idle));
    }

    [TestCase(0, BufferPool.SmallSize)]
    [TestCase(BufferPool.SmallSize, BufferPool.SmallSize)]
    [TestCase(BufferPool.SmallSize + 1, BufferPool.MediumSize)]
    [TestCase(BufferPool.MediumSize, BufferPool.MediumSize)]
    [TestCase(BufferPool.MediumSize + 1, BufferPool.LargeSize)]
    [TestCase(long.MaxValue, BufferPool.LargeSize)]
    public void SizeFor_IsTheSmallestWithRoom(long bytes, int size) =>
        Assert.That(BufferPool.SizeFor(bytes), Is.EqualTo(size));

    [Test]
    public void Outstanding_CountsWhatIsNotBack()
    {
        BufferSegment first = _pool.Rent(1);
        BufferSegment second = _pool.Rent(5000);
        Assert.That(_pool.Outstanding, Is.EqualTo(2));
        _pool.Return(first);
        Assert.That(_pool.Outstanding, Is.EqualTo(1));
        _pool.Return(second);
        Assert.That(_pool.Outstanding, Is.Zero);
    }
}

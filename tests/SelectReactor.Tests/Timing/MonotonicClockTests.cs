using System.Numerics;
using SelectReactor.Timing;

namespace SelectReactor.Tests.Timing;

/// <summary>Clocks of even and odd frequencies: never early, never more than a unit late, no overflow.</summary>
[TestFixture(3)]
[TestFixture(1000)]
[TestFixture(1_000_003)]
[TestFixture(10_000_000)]
[TestFixture(1_000_000_000)]
[TestFixture(2_999_999_999)]
public sealed class MonotonicClockTests(long frequency)
{
    private readonly MonotonicClock _clock = new(new ManualTime(frequency));

    [Test]
    public void After_IsTheFirstMomentThatIsNotEarly()
    {
        foreach (long ticks in Spans())
        {
            long units = _clock.After(0, TimeSpan.FromTicks(ticks));

            BigInteger exact = (BigInteger)ticks * frequency;
            Assert.That(units * (BigInteger)TimeSpan.TicksPerSecond, Is.GreaterThanOrEqualTo(exact), $"{ticks} ticks");
            Assert.That((units - 1) * (BigInteger)TimeSpan.TicksPerSecond, Is.LessThan(exact), $"{ticks} ticks");
        }
    }

    [Test]
    public void Until_IsTheShortestWaitThatReachesTheMoment()
    {
        foreach (long units in Spans().Where(
            units => (BigInteger)units * TimeSpan.TicksPerSecond / frequency < long.MaxValue))
        {
            TimeSpan wait = _clock.Until(1000 + units, 1000);

            BigInteger exact = (BigInteger)units * TimeSpan.TicksPerSecond;
            Assert.That((BigInteger)wait.Ticks * frequency, Is.GreaterThanOrEqualTo(exact), $"{units} units");
            Assert.That((BigInteger)(wait.Ticks - 1) * frequency, Is.LessThan(exact), $"{units} units");
        }
    }

    [Test]
    public void TheFarFuture_DoesNotOverflow()
    {
        Assert.Multiple(() =>
        {
            Assert.That(_clock.After(0, TimeSpan.MaxValue), Is.GreaterThan(0));
            Assert.That(_clock.After(long.MaxValue - 1, TimeSpan.MaxValue), Is.EqualTo(long.MaxValue));
            Assert.That(_clock.Until(long.MaxValue, 0), Is.GreaterThan(TimeSpan.Zero));
            Assert.That(_clock.Until(long.MaxValue, long.MinValue), Is.GreaterThan(TimeSpan.Zero));
        });
    }

    [Test]
    public void AMomentThatHasPassed_IsNoWait()
    {
        Assert.Multiple(() =>
        {
            Assert.That(_clock.Until(5, 5), Is.EqualTo(TimeSpan.Zero));
            Assert.That(_clock.Until(4, 5), Is.EqualTo(TimeSpan.Zero));
        });
    }

    private static IEnumerable<long> Spans()
    {
        var random = new Random(1);
        long[] edges =
            [1, 2, 3, 9_999, 10_000, 10_001, 3_333_333, 3_333_334, TimeSpan.TicksPerSecond, TimeSpan.TicksPerDay * 30];
        return edges.Concat(Enumerable.Range(0, 1000).Select(_ => random.NextInt64(1, TimeSpan.TicksPerDay)));
    }
}

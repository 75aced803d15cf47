using SelectReactor.Selection;
using SelectReactor.Tests.Timing;

namespace SelectReactor.Tests.Selection;

/// <summary>How many slices are earned, on a clock that only the test moves.</summary>
public sealed class ScanBudgetTests
{
    private const int Measurements = 8;

    /// <summary>The time in which a slice that costs seven is earned.</summary>
    private const int PerSlice = 280;

    private ManualTime _time = null!;
    private ScanBudget _budget = null!;

    [SetUp]
    public void Create()
    {
        _time = new ManualTime(TimeSpan.TicksPerSecond) { Timestamp = 1_000_000 };
        _budget = new ScanBudget(_time);
    }

    [Test]
    public void BeforeAMeasurement_ARoundIsEarned()
    {
        _budget.Begin(slicesInRound: 100);

        Assert.That(_budget.CoversRound);
        Assert.That(_budget.Slices, Is.EqualTo(100));
    }

    [Test]
    public void ASlice_IsEarnedInFortyTimesItsCost()
    {
        Measure(cost: 7);
        Busy(PerSlice - 1, slicesInRound: 100);
        Assert.That(_budget.Slices, Is.Zero);
        Busy(1, slicesInRound: 100);
        Assert.That(_budget.Slices, Is.EqualTo(1));
        Busy(10 * PerSlice, slicesInRound: 100);
        Assert.That(_budget.Slices, Is.EqualTo(10), "the busy time of this tick allows no more");
    }

    [Test]
    public void WhatWasEarnedInAWait_IsSpentInPieces_UntilItIsARound()
    {
        Measure(cost: 7);
        Wait(50 * PerSlice, slicesInRound: 100);
        Assert.That(_budget.Slices, Is.EqualTo(10));
        Spend(10);
        Wait(59 * PerSlice, slicesInRound: 100);
        Assert.That((_budget.CoversRound, _budget.Slices), Is.EqualTo((false, 10)));

        Wait(PerSlice, slicesInRound: 100);

        Assert.That((_budget.CoversRound, _budget.Slices), Is.EqualTo((true, 100)));
    }

    [Test]
    public void WhatWasEarnedInABusyTick_IsSpentAtOnce()
    {
        Measure(cost: 7);
        Busy(50 * PerSlice, slicesInRound: 100);

        Assert.That(_budget.Slices, Is.EqualTo(50));
    }

    [Test]
    public void TheRoundIsCovered_OnceAllItsSlicesAreEarned()
    {
        Measure(cost: 7);
        Wait(99 * PerSlice, slicesInRound: 100);
        Assert.That(_budget.CoversRound, Is.False);
        Assert.That(_budget.UntilRound, Is.EqualTo(TimeSpan.FromTicks(PerSlice)));

        Wait(PerSlice, slicesInRound: 100);

        Assert.That(_budget.CoversRound);
    }

    [Test]
    public void APause_EarnsNoMoreThanARound([Values] bool busy)
    {
        Measure(cost: 7);
        Pass(TimeSpan.TicksPerSecond * 4, slicesInRound: 100, busy);
        Assert.That(_budget.Slices, Is.EqualTo(100));

        Spend(100);

        Assert.That(_budget.Slices, Is.Zero);
        Assert.That(_budget.UntilRound, Is.EqualTo(TimeSpan.FromTicks(100 * PerSlice)));
    }

    [Test]
    public void AWaitForAll_SpendsARound_AndEarnsAgain()
    {
        Measure(cost: 7);
        Wait(100 * PerSlice, slicesInRound: 100);
        _budget.SpendRound();
        Assert.That(_budget.UntilRound, Is.EqualTo(TimeSpan.FromTicks(100 * PerSlice)));

        Wait(100 * PerSlice, slicesInRound: 100);

        Assert.That(_budget.CoversRound);
    }

    // 65,535 sockets, and slices that cost what they do on a fast machine and on a slow one.
    [TestCase(830, 120, 5_000)]
    [TestCase(830, 120, 200_000)]
    [TestCase(830, 300, 5_000)]
    [TestCase(114, 120, 5_000)]
    [TestCase(114, 600, 100)]
    public void ARound_TakesFiftyMillisecondsAtMost_AndATick(int slicesInRound, int cost, int tick)
    {
        Measure(cost);
        Busy(0, slicesInRound);
        Spend(_budget.Slices);
        long start = _time.Timestamp;
        for (int seen = 0; seen < slicesInRound;)
        {
            Busy(tick, slicesInRound);
            int slices = _budget.Slices;
            Spend(slices, cost);
            seen += slices;
        }

        Assert.That(
            _time.Timestamp - start,
            Is.LessThanOrEqualTo((50 * TimeSpan.TicksPerMillisecond) + tick + (slicesInRound * cost)));
    }

    [Test]
    public void TheLongestRound_CanBeChosen()
    {
        _budget.MaxRound = TimeSpan.FromMilliseconds(1);
        Measure(cost: 100);
        _budget.Begin(slicesInRound: 10);
        _budget.SpendRound();

        Assert.That(_budget.UntilRound, Is.EqualTo(_budget.MaxRound));
    }

    [Test]
    public void Looking_TakesHalfOfTheThreadAtMost()
    {
        const int Cost = 1_000;
        Measure(Cost);
        long looking = 0;
        long start = _time.Timestamp;
        for (int i = 0; i < 10_000; i++)
        {
            Busy(500, slicesInRound: 830);
            int slices = _budget.Slices;
            Spend(slices, Cost);
            looking += slices * Cost;
        }

        Assert.That((double)looking / (_time.Timestamp - start), Is.InRange(0.45, 0.51));
    }

    [Test]
    public void TheCost_IsTheMeanOfTheLastEight_OnceThereAreThree()
    {
        MeasureOnce(cost: 6);
        MeasureOnce(cost: 10);
        Busy(1, slicesInRound: 1);
        Assert.That(_budget.CoversRound, "nothing is left out");
        MeasureOnce(cost: 8);
        AssertCost(8);
        for (int i = 3; i < Measurements; i++)
        {
            MeasureOnce(cost: 8);
        }

        AssertCost(8);
        MeasureOnce(cost: 14);
        AssertCost(9);
    }

    // As when a container is frozen for some seconds, also in the first slice of all.
    [Test]
    public void APause_CountsAsFourTimesTheLeastAtMost([Range(1, Measurements)] int position)
    {
        for (int i = 1; i <= Measurements; i++)
        {
            MeasureOnce(cost: i == position ? TimeSpan.TicksPerSecond * 4 : 8);
            if (i >= 3)
            {
                AssertCost(i < position ? 8 : ((8 * (i - 1)) + 32) / i);
            }
        }
    }

    [Test]
    public void WhileColdSocketsAreActive_ARoundIsEarnedInTwiceItsCost()
    {
        Measure(cost: 7);
        Wait(199 * 7, slicesInRound: 100);
        Assert.That((_budget.CoversIdleRound, _budget.CoversRound), Is.EqualTo((false, false)));
        Assert.That(_budget.UntilIdleRound, Is.EqualTo(TimeSpan.FromTicks(7)));

        Wait(7, slicesInRound: 100);

        Assert.That((_budget.CoversIdleRound, _budget.CoversRound), Is.EqualTo((true, false)));
    }

    [Test]
    public void TheLongestWait_IsATenthOfASecond_OrFiftyRounds()
    {
        Assert.That(_budget.MaxWait, Is.EqualTo(TimeSpan.FromMilliseconds(100)));
        _budget.Begin(slicesInRound: 100);
        Spend(1, cost: TimeSpan.TicksPerMillisecond / 100);
        Assert.That(_budget.MaxWait, Is.EqualTo(TimeSpan.FromMilliseconds(100)));

        Spend(Measurements, cost: TimeSpan.TicksPerMillisecond / 25);

        Assert.That(_budget.MaxWait, Is.EqualTo(TimeSpan.FromMilliseconds(200)));
    }

    private void AssertCost(long cost)
    {
        _budget.Begin(slicesInRound: 1);
        _budget.SpendRound();
        Assert.That(_budget.UntilRound, Is.EqualTo(TimeSpan.FromTicks(cost * 40)));
    }

    private void Measure(long cost)
    {
        for (int i = 0; i < Measurements; i++)
        {
            MeasureOnce(cost);
        }
    }

    private void MeasureOnce(long cost)
    {
        _budget.BeginSlice();
        _time.Timestamp += cost;
        _budget.EndSlice();
        _budget.Begin(slicesInRound: 1);
        _budget.SpendRound();
        _budget.End();
    }

    private void Spend(int slices, long cost = 0)
    {
        for (int i = 0; i < slices; i++)
        {
            _budget.BeginSlice();
            _time.Timestamp += cost;
            if (cost > 0)
            {
                _budget.EndSlice();
            }
        }
    }

    private void Wait(long elapsed, int slicesInRound) => Pass(elapsed, slicesInRound, busy: false);

    private void Busy(long elapsed, int slicesInRound) => Pass(elapsed, slicesInRound, busy: true);

    private void Pass(long elapsed, int slicesInRound, bool busy)
    {
        _time.Timestamp += busy ? 0 : elapsed;
        _budget.End();
        _time.Timestamp += busy ? elapsed : 0;
        _budget.Begin(slicesInRound);
    }
}

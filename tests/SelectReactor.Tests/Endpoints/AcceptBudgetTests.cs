using Microsoft.Extensions.Time.Testing;
using SelectReactor.Endpoints;
using SelectReactor.Timing;

namespace SelectReactor.Tests.Endpoints;

public sealed class AcceptBudgetTests
{
    private const int Many = 1_000_000;
    private FakeTimeProvider _time = null!;

    [SetUp]
    public void CreateClock() => _time = new FakeTimeProvider();

    [Test]
    public void Batch_IsAMillisecond()
    {
        AcceptBudget budget = Create();

        Assert.That(Accept(budget, microsecondsEach: 10), Is.EqualTo(100));
    }

    [Test]
    public void SlowClient_IsTheOnlyOneOfItsBatch()
    {
        AcceptBudget budget = Create();

        Assert.That(Accept(budget, microsecondsEach: 50_000), Is.EqualTo(1));
        Assert.That(Accept(budget, microsecondsEach: 50_000), Is.EqualTo(1));
    }

    [TestCase(90, 100)]
    [TestCase(100, 200)]
    [TestCase(199, 200)]
    [TestCase(200, 400)]
    [TestCase(990, 400)]
    public void WhileClientsAreAlwaysLeftWaiting_TheBudgetDoubles_WithinItsBound(int milliseconds, int expected)
    {
        AcceptBudget budget = Create();
        Accept(budget, microsecondsEach: 10);
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));

        Assert.That(Accept(budget, microsecondsEach: 10), Is.EqualTo(expected));
    }

    [Test]
    public void BatchesFarApart_AreABacklog_AsLongAsEachLeavesClientsWaiting()
    {
        AcceptBudget budget = Create();
        for (int i = 0; i < 100; i++)
        {
            int expected = i == 0 ? 100 : 400;
            Assert.That(Accept(budget, microsecondsEach: 10), Is.EqualTo(expected), $"batch {i}");
            _time.Advance(TimeSpan.FromMilliseconds(600));
        }
    }

    [TestCase(1_000)]
    [TestCase(3_600_000)]
    public void AfterTimeWithoutABatch_TheBudgetIsAMillisecondAgain(int milliseconds)
    {
        AcceptBudget budget = Create();
        Accept(budget, microsecondsEach: 10);
        _time.Advance(TimeSpan.FromMilliseconds(300));
        Assert.That(Accept(budget, microsecondsEach: 10), Is.EqualTo(400));
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));

        Assert.That(Accept(budget, microsecondsEach: 10), Is.EqualTo(100));
        _time.Advance(TimeSpan.FromMilliseconds(90));
        Assert.That(Accept(budget, microsecondsEach: 10), Is.EqualTo(100), "counted anew");
    }

    [Test]
    public void OnceNobodyWaits_TheBudgetIsAMillisecondAgain()
    {
        AcceptBudget budget = Create();
        Accept(budget, microsecondsEach: 10);
        _time.Advance(TimeSpan.FromMilliseconds(300));
        budget.Begin();
        budget.EndBacklog();

        Assert.That(Accept(budget, microsecondsEach: 10), Is.EqualTo(100));
        _time.Advance(TimeSpan.FromMilliseconds(90));
        Assert.That(Accept(budget, microsecondsEach: 10), Is.EqualTo(100), "counted anew");
    }

    [TestCase(1)]
    [TestCase(16)]
    public void ClockThatStandsStill_LeavesTheBoundInNumber(int max)
    {
        AcceptBudget budget = Create(max);

        Assert.That(Accept(budget, microsecondsEach: 0), Is.EqualTo(max));
        Assert.That(Accept(budget, microsecondsEach: 0), Is.EqualTo(max), "in the next batch, too");
    }

    private AcceptBudget Create(int max = Many) => new(new MonotonicClock(_time), max);

    private int Accept(AcceptBudget budget, int microsecondsEach)
    {
        budget.Begin();
        int accepted = 0;
        do
        {
            accepted++;
            _time.Advance(TimeSpan.FromMicroseconds(microsecondsEach));
        }
        while (budget.TryGoOn());
        return accepted;
    }
}

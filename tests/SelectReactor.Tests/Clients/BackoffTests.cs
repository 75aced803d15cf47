using SelectReactor.Clients;

namespace SelectReactor.Tests.Clients;

public sealed class BackoffTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [TestCase(1, 1)]
    [TestCase(2, 2)]
    [TestCase(3, 4)]
    [TestCase(5, 16)]
    [TestCase(6, 20)]
    [TestCase(100, 20)]
    [TestCase(int.MaxValue, 20)]
    public void Bound_DoublesUpToTheMaximum(int failures, int seconds) =>
        Assert.That(
            new Backoff(_second, 20 * _second, new Random(1)).Bound(failures),
            Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    /// <summary>Also at the maximum: there a random part that is added to a fixed one would be cut off.</summary>
    [TestCase(1)]
    [TestCase(50)]
    public void Delays_AreSpreadEvenlyFromZeroToTheBound(int failures)
    {
        const int Clients = 10_000;
        var backoff = new Backoff(_second, 8 * _second, new Random(7));
        double bound = backoff.Bound(failures).TotalSeconds;
        int[] tenths = new int[10];
        for (int i = 0; i < Clients; i++)
        {
            double delay = backoff.Next(failures).TotalSeconds;
            Assert.That(delay, Is.InRange(0, bound));
            tenths[Math.Min(9, (int)(delay / bound * 10))]++;
        }

        Assert.That(tenths, Is.All.InRange(900, 1100));
    }

    [Test]
    public void LongestDelays_DoNotOverflow()
    {
        var backoff = new Backoff(TimeSpan.MaxValue, TimeSpan.MaxValue, new Random(1));
        Assert.That(backoff.Next(int.MaxValue), Is.GreaterThanOrEqualTo(TimeSpan.Zero));
        Assert.That(backoff.Bound(9), Is.EqualTo(TimeSpan.MaxValue));
    }

    [Test]
    public void BaseAboveTheMaximum_CountsAsTheMaximum() =>
        Assert.That(new Backoff(9 * _second, _second, new Random(1)).Bound(1), Is.EqualTo(_second));
}

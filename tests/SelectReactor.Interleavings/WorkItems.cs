using SelectReactor.Interleavings.Exploration;

namespace SelectReactor.Interleavings;

/// <summary>What every scenario asks of the posted items: a1, a2, ... of one thread and b1, ... of another.</summary>
internal static class WorkItems
{
    public static void RequireInOrder(IEnumerable<string> ran, int ofA, int ofB)
    {
        string all = string.Join(' ', ran);
        Scenario.Require(IsWhole('a', ofA) && IsWhole('b', ofB), $"Accepted {ofA} and {ofB}, ran: {all}");

        bool IsWhole(char thread, int count) => ran.Where(item => item[0] == thread)
            .SequenceEqual(Enumerable.Range(1, count).Select(i => $"{thread}{i}"));
    }

    /// <param name="outcome">What was found.</param>
    /// <param name="atLeast">Fewer schedules mean that scheduling points are gone, and with them the test.</param>
    public static void AssertSound(this Outcome outcome, int atLeast)
    {
        TestContext.Out.WriteLine($"{outcome.Schedules} schedules, the longest of {outcome.LongestSchedule} steps");
        Assert.That(outcome.Failure, Is.Null);
        Assert.That(outcome.Schedules, Is.GreaterThanOrEqualTo(atLeast));
    }
}

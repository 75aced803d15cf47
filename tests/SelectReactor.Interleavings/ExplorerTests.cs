using SelectReactor.Interleavings.Exploration;

namespace SelectReactor.Interleavings;

/// <summary>Whether the explorer finds what is known to be wrong, and nothing where nothing is.</summary>
public sealed class ExplorerTests
{
    [TestCase(0, 2)]
    [TestCase(1, 4)]
    [TestCase(2, 6)]
    public void TwoThreadsOfTwoSteps_HaveSoManySchedules(int mostPreemptions, int schedules)
    {
        Outcome outcome = Explorer.Explore(mostPreemptions, static () => new Scenario(
            static () => { },
            ("a", static () => Worker.Pause("second")),
            ("b", static () => Worker.Pause("second"))));

        Assert.That(outcome, Is.EqualTo(new Outcome(schedules, 4, null)));
    }

    [TestCase(0, false)]
    [TestCase(1, true)]
    public void AnUpdateThatIsNotOne_IsFound_WithAPreemption(int mostPreemptions, bool found)
    {
        Outcome outcome = Explorer.Explore(mostPreemptions, static () =>
        {
            int count = 0;
            return new Scenario(() => Scenario.Require(count == 2, "An update is lost."), ("a", Count), ("b", Count));

            void Count()
            {
                int before = Volatile.Read(ref count);
                Worker.Pause("writes");
                count = before + 1;
            }
        });

        Assert.That(outcome.Failure, found ? Does.Contain("An update is lost.") : Is.Null);
    }

    [Test]
    public void LocksTakenInBothOrders_AreFound()
    {
        Outcome outcome = Explorer.Explore(1, static () =>
        {
            Lock first = new();
            Lock second = new();
            return new Scenario(static () => { }, ("a", () => Take(first, second)), ("b", () => Take(second, first)));

            static void Take(Lock outer, Lock inner)
            {
                lock (outer)
                {
                    lock (inner)
                    {
                        Worker.Pause("has both");
                    }
                }
            }
        });

        Assert.That(outcome.Failure, Does.Contain("Nobody can go on"));
    }

    // Dekker's: each says that it comes and looks whether the other does.
    [Test]
    public void AWriteThatTheNextReadOvertakes_IsFound_UnlessThereIsABarrier([Values] bool barrier)
    {
        Outcome outcome = Explorer.Explore(int.MaxValue, () =>
        {
            int left = 0;
            int right = 0;
            int seen = 0;
            return new Scenario(
                () => Scenario.Require(seen > 0, "Neither has seen the other."),
                ("a", () => Come(ref left, "left", ref right, "right")),
                ("b", () => Come(ref right, "right", ref left, "left")));

            void Come(ref int own, string ownName, ref int other, string otherName)
            {
                Volatile.Write(ref own, 1, ownName);
                if (barrier)
                {
                    Interlocked.MemoryBarrier();
                }

                seen += Volatile.Read(ref other, otherName);
            }
        });

        Assert.That(outcome.Failure, barrier ? Is.Null : Does.Contain("Neither has seen the other."));
    }

    [Test]
    public void AScenarioThatDoesNotRepeatItself_IsRefused()
    {
        int runs = 0;
        Outcome outcome = Explorer.Explore(int.MaxValue, () =>
        {
            Action body = runs++ % 2 == 1 ? static () => { } : static () => Worker.Pause("second");
            return new Scenario(static () => { }, ("a", () => Worker.Pause("second")), ("b", body), ("c", body));
        });

        Assert.That(outcome.Failure, Does.Contain("does not repeat itself"));
    }
}

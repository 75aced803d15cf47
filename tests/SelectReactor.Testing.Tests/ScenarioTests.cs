using SelectReactor.Soak;

namespace SelectReactor.Testing.Tests;

/// <summary>The scenarios of the program that soaks, on as many seeds as a test may take. A failure names its
/// seed.</summary>
public sealed class ScenarioTests
{
    private const int Seeds = 1000;

    [TestCaseSource(typeof(Scenario), nameof(Scenario.All))]
    public void Scenario_HoldsOnEverySeed(object scenario) =>
        SimulatedNetwork.Explore(Seeds, ((Scenario)scenario).Run);

    [TestCaseSource(typeof(Scenario), nameof(Scenario.All))]
    public void Scenario_OnOneSeed_IsOneRun(object scenario)
    {
        for (int seed = 1; seed <= 5; seed++)
        {
            ulong first = SimulatedNetwork.Try(seed, ((Scenario)scenario).Run);

            Assert.That(SimulatedNetwork.Try(seed, ((Scenario)scenario).Run), Is.EqualTo(first), $"seed {seed}");
        }
    }
}

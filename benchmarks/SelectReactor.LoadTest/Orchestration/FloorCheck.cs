using System.Globalization;
using SelectReactor.LoadTest.Report;

namespace SelectReactor.LoadTest.Orchestration;

/// <summary>
/// The guard for continuous integration: ours against the naive loop in the same run, so that the machine's speed does
/// not matter.
/// </summary>
internal static class FloorCheck
{
    public const string Ours = "select";
    public const string Naive = "naive";

    /// <summary>One line for people, and whether every median ratio reaches the floor.</summary>
    public static (string Line, bool IsReached) Check(Results results, double floor)
    {
        var parts = new List<string>();
        bool isReached = true;
        foreach (ScenarioSummary scenario in ScenarioSummary.Summarize(results))
        {
            Spread? ratio = scenario.Find(Naive) is { } naive ? scenario.Find(Ours)?.RatioTo(naive) : null;
            isReached &= ratio?.Median >= floor;
            parts.Add(ratio is { } spread
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"{scenario.Scenario.Name} {spread.Median:F2} ({spread.Least:F2}–{spread.Greatest:F2})")
                : $"{scenario.Scenario.Name} not measured");
        }

        isReached &= parts.Count > 0;
        string verdict = isReached ? "reached" : "NOT reached";
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{Ours} against {Naive}: {string.Join(", ", parts)}; floor {floor:F2} {verdict}");
        return (line, isReached);
    }
}

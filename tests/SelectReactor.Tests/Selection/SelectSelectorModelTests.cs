using CsCheck;
using SelectReactor.Selection;

namespace SelectReactor.Tests.Selection;

/// <summary>
/// The select selector, below a reactor, against one poll of each socket, with random operations between ticks and in
/// callbacks. A failure is made smaller and printed with its seed.
/// </summary>
public sealed class SelectSelectorModelTests
{
    private static readonly Gen<SelectorOperation> _operations = Gen.Select(
        Gen.Enum<Happening>(),
        Gen.Int[0, 99],
        Gen.OneOf(
            Interest.None, Interest.Read, Interest.Write, Interest.Read | Interest.Write, Interest.Connect),
        static (what, target, interest) => new SelectorOperation(what, target, interest));

    private static readonly Gen<SelectorStep[]> _steps = Gen.Select(
        _operations.Array[0, 8],
        _operations.Array[0, 4],
        static (before, during) => new SelectorStep(before, during)).Array[1, 10];

    [Test]
    public void AFewSockets_AreReportedAsTheyAre() => _steps.Sample(
        static steps => Run(connections: 4, mostConnections: HotSet.MaxMembersWithout - 1, steps),
        iter: 500,
        threads: 1);

    [Test]
    public void ManySockets_AreReportedAsTheyAre_InTime_WithMostOfThemCold() => _steps.Sample(
        static steps => Run(connections: 80, mostConnections: 100, steps),
        iter: 60,
        threads: 1);

    [TestCase(4, 63, 300)]
    [TestCase(80, 100, 20)]
    public void MoreSocketsThanOneCallTakes_AreReportedAsTheyAre(
        int connections, int maxConnections, int iterations) =>
        _steps.Sample(
            steps => Run(connections, maxConnections, steps, maxSocketsAtOnce: 3),
            iter: iterations,
            threads: 1);

    private static void Run(
        int connections, int mostConnections, SelectorStep[] steps, int maxSocketsAtOnce = int.MaxValue)
    {
        using var world = new SelectorWorld(connections, mostConnections, maxSocketsAtOnce);
        if (connections >= HotSet.MaxMembersWithout)
        {
            world.CoolDown();
        }

        Array.ForEach(steps, world.Run);
    }
}

namespace SelectReactor.LoadTest.Orchestration;

/// <summary>What the user asked the run for.</summary>
internal sealed record RunOptions
{
    public required ScenarioSet Set { get; init; }

    public required IReadOnlyList<Scenario> Scenarios { get; init; }

    public required IReadOnlyList<string> Servers { get; init; }

    public required int Rounds { get; init; }

    public required double Seconds { get; init; }

    public required double Warmup { get; init; }

    public required int ServerCore { get; init; }

    public required int LoadCore { get; init; }

    public required string Output { get; init; }

    /// <summary>The least that the median ratio of <c>select</c> to <c>naive</c> may be.</summary>
    public double? Floor { get; init; }

    public required string Command { get; init; }
}

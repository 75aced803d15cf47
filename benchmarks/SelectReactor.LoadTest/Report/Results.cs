using System.Text.Json;
using System.Text.Json.Serialization;
using SelectReactor.LoadTest.Load;
using SelectReactor.LoadTest.Orchestration;

namespace SelectReactor.LoadTest.Report;

/// <summary>All that one run measured, as it is written to a file.</summary>
internal sealed record Results
{
    public required string Set { get; init; }

    public required DateTimeOffset Date { get; init; }

    /// <summary>What to type to run the same again.</summary>
    public required string Command { get; init; }

    public required Machine Machine { get; init; }

    public required int Rounds { get; init; }

    public required double Seconds { get; init; }

    public required double Warmup { get; init; }

    /// <summary>What was left out, and why.</summary>
    public List<string> Notes { get; init; } = [];

    public List<Measurement> Measurements { get; init; } = [];
}

/// <summary>One server in one round of one scenario: a result, or the error that there was instead.</summary>
internal sealed record Measurement(string Scenario, string Server, int Round, LoadResult? Result, string? Error);

[JsonSerializable(typeof(Results))]
[JsonSerializable(typeof(LoadResult))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class ResultsJson : JsonSerializerContext
{
    /// <summary>For files that people read and compare.</summary>
    public static ResultsJson Indented =>
        field ??= new ResultsJson(new JsonSerializerOptions(Default.Options) { WriteIndented = true });
}

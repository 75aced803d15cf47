using System.Globalization;
using System.Text;
using SelectReactor.LoadTest.Orchestration;

namespace SelectReactor.LoadTest.Report;

/// <summary>The run as tables.</summary>
internal static class Markdown
{
    // Others are compared with these, where they took part.
    private static readonly string[] _baselines = ["c", "kestrel", "naive"];

    public static string Write(Results results)
    {
        var text = new StringBuilder();
        Machine machine = results.Machine;
        text.AppendLine(CultureInfo.InvariantCulture, $"# Load test: {results.Set}").AppendLine();
        text.AppendLine("```").AppendLine(results.Command).AppendLine("```").AppendLine();
        text.Append(
            CultureInfo.InvariantCulture,
            $"{results.Date:yyyy-MM-dd}; {machine.Cpu}, {machine.Cores} cores, {machine.MemoryGiB:F0} GiB; ");
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"Linux {machine.Kernel} {machine.Architecture}; .NET {machine.DotNet}.")
            .AppendLine();
        text.Append(
            CultureInfo.InvariantCulture,
            $"Rounds: {results.Rounds}, in ABBA order; {results.Seconds} s each after {results.Warmup} s of warm-up.");
        text.AppendLine(
            " Each server is a process of its own on one core, the load generator another one on another core. "
            + "Figures are medians; a ratio is taken in each round, and its range over the rounds follows in brackets."
            + " A server whose load generator is at 100 % may be faster than it could show: compare its CPU time.")
            .AppendLine();
        foreach (string note in results.Notes)
        {
            text.AppendLine(note).AppendLine();
        }

        foreach (ScenarioSummary scenario in ScenarioSummary.Summarize(results))
        {
            WriteScenario(text, scenario);
        }

        return text.ToString();
    }

    /// <summary>The unit of the compared figure, as a column's head and for people.</summary>
    public static (string Unit, double Scale, string Format) Unit(Figure figure) => figure switch
    {
        Figure.MessagesPerSecond => ("messages/s", 1, "N0"),
        Figure.ConnectionsPerSecond => ("connections/s", 1, "N0"),
        Figure.BytesPerSecond => ("MiB/s each way", 1.0 / (1 << 20), "N0"),
        Figure.MedianLatency => ("p50 µs", 1, "F1"),
        Figure.StormSeconds => ("seconds until all are served", 1, "F2"),
        _ => ("bytes/connection", 1, "N0"),
    };

    public static string Format(double? value, string format, double scale = 1) =>
        value is { } number ? (number * scale).ToString(format, CultureInfo.InvariantCulture) : "–";

    private static void WriteScenario(StringBuilder text, ScenarioSummary scenario)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"## {scenario.Scenario.Name}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Sentence(scenario.Scenario.Description)}").AppendLine();

        Column[] columns = [.. Columns(scenario)];
        text.AppendLine(
            CultureInfo.InvariantCulture, $"| server | {string.Join(" | ", columns.Select(column => column.Head))} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"|---|{string.Concat(columns.Select(_ => "---:|"))}");
        foreach (ServerSummary server in scenario.Servers)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {server.Server} | {string.Join(" | ", columns.Select(column => column.Cell(server)))} |");
        }

        text.AppendLine();
        foreach (ServerSummary server in scenario.Servers.Where(server => server.Error is not null))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{server.Server} failed: {server.Error}").AppendLine();
        }
    }

    private static IEnumerable<Column> Columns(ScenarioSummary scenario)
    {
        Figure figure = scenario.Scenario.Figure;
        (string unit, double scale, string format) = Unit(figure);
        yield return new(unit, server => Format(server.Value?.Median, format, scale));
        if (figure == Figure.BytesPerConnection)
        {
            yield break;
        }

        ServerSummary[] baselines =
        [
            .. _baselines.Select(scenario.Find).OfType<ServerSummary>().Where(_ => scenario.Servers.Count > 1),
        ];
        foreach (ServerSummary baseline in baselines)
        {
            yield return new($"× {baseline.Server}", server => FormatRatio(server.RatioTo(baseline)));
        }

        if (figure == Figure.StormSeconds)
        {
            foreach (Column column in StormColumns(scenario))
            {
                yield return column;
            }

            yield break;
        }

        string per = figure switch
        {
            Figure.BytesPerSecond => "MiB",
            Figure.ConnectionsPerSecond => "connection",
            _ => "message",
        };
        yield return new($"server CPU µs/{per}", server => Format(server.CpuPerUnit?.Median, "F2"));
        if (baselines.Length > 0)
        {
            yield return new($"CPU × {baselines[0].Server}", server => FormatRatio(server.CpuRatioTo(baselines[0])));
        }

        yield return new("server core", server => Format(server.ServerCpu?.Median, "P0"));
        yield return new("load core", server => Format(server.LoadCpu?.Median, "P0"));
        if (figure == Figure.BytesPerSecond)
        {
            yield break;
        }

        if (figure != Figure.MedianLatency)
        {
            yield return new("p50 µs", server => Format(server.P50?.Median, "F1"));
        }

        yield return new("p99 µs", server => Format(server.P99?.Median, "F1"));
    }

    private static IEnumerable<Column> StormColumns(ScenarioSummary scenario)
    {
        yield return new("server CPU s", server => Format(server.ServerCpuSeconds?.Median, "F2"));
        yield return new("slowest client s", server => Format(server.LastClientSeconds?.Median, "F2"));
        yield return new("full queue (worst round)", server => Format(server.ListenOverflows?.Greatest, "N0"));
        yield return new("talkers p99 µs", server => Format(server.P99?.Median, "N0"));
        if (!scenario.Scenario.Load.Fresh)
        {
            yield return new("quiet p99 µs", server => Format(server.QuietP99?.Median, "N0"));
            yield return new("p99 × quiet", server => FormatRatio(server.P99RatioToQuiet));
        }

        yield return new("talkers max µs", server => Format(server.MaxLatency?.Median, "N0"));
    }

    private static string FormatRatio(Spread? ratio) => ratio is { } spread
        ? string.Create(CultureInfo.InvariantCulture, $"{spread.Median:F2} ({spread.Least:F2}–{spread.Greatest:F2})")
        : "–";

    private static string Sentence(string text) => $"{char.ToUpperInvariant(text[0])}{text[1..]}.";

    private sealed record Column(string Head, Func<ServerSummary, string> Cell);
}

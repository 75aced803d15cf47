using SelectReactor.LoadTest.Load;
using SelectReactor.LoadTest.Orchestration;
using SelectReactor.LoadTest.Servers;

namespace SelectReactor.LoadTest.Report;

/// <summary>A median, and the least and the greatest of the values that it is the middle of.</summary>
internal readonly record struct Spread(double Median, double Least, double Greatest)
{
    public static Spread? Of(IEnumerable<double?> values)
    {
        double[] sorted = [.. values.OfType<double>().Order()];
        if (sorted.Length == 0)
        {
            return null;
        }

        int middle = sorted.Length / 2;
        double median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[^1]);
    }
}

/// <summary>What the rounds of one server in one scenario come to.</summary>
internal sealed class ServerSummary(Scenario scenario, string server, IReadOnlyList<Measurement> measurements)
{
    public string Server => server;

    public string Description => EchoServers.All.FirstOrDefault(known => known.Name == server)?.Description ?? server;

    public string? Error => measurements.FirstOrDefault(measurement => measurement.Error is not null)?.Error;

    public Spread? Value => Over(Of);

    public Spread? ServerCpu => Over(result => result.ServerCpuSeconds / result.Seconds);

    public Spread? LoadCpu => Over(result => result.LoadCpuSeconds / result.Seconds);

    /// <summary>Microseconds of the server's processor per message or connection; per MiB each way when bytes are
    /// counted.</summary>
    public Spread? CpuPerUnit => Over(CpuOf);

    public Spread? P50 => Over(result => result.Latency?.P50);

    public Spread? P99 => Over(result => result.Latency?.P99);

    /// <summary>This server's value as a multiple of another one's, each round by itself.</summary>
    public Spread? RatioTo(ServerSummary other) => RatioTo(other, Of);

    /// <summary>The same of the processor time per unit, which depends less on who else uses the machine.</summary>
    public Spread? CpuRatioTo(ServerSummary other) => RatioTo(other, CpuOf);

    /// <summary>Of a storm: the talkers before it and at their worst during it, the slowest client, and how often the
    /// queue of the listener was full.</summary>
    public Spread? QuietP99 => Over(result => result.Storm?.Quiet?.P99);

    public Spread? P99RatioToQuiet => Over(result => result.Latency?.P99 / result.Storm?.Quiet?.P99);

    public Spread? MaxLatency => Over(result => result.Latency?.Max);

    public Spread? LastClientSeconds => Over(result => result.Storm?.LastClientSeconds);

    public Spread? ListenOverflows => Over(result => result.Storm?.ListenOverflows);

    public Spread? ServerCpuSeconds => Over(result => result.ServerCpuSeconds);

    private IEnumerable<(int Round, LoadResult Result)> ByRound() =>
        from measurement in measurements
        where measurement.Result is not null
        select (measurement.Round, measurement.Result);

    private Spread? Over(Func<LoadResult, double?> valueOf) =>
        Spread.Of(ByRound().Select(each => valueOf(each.Result)));

    private Spread? RatioTo(ServerSummary other, Func<LoadResult, double?> valueOf) => Spread.Of(
        from mine in ByRound()
        join theirs in other.ByRound() on mine.Round equals theirs.Round
        select valueOf(mine.Result) / valueOf(theirs.Result));

    private double? CpuOf(LoadResult result) => result.ServerCpuSeconds * 1e6
        / (scenario.Figure == Figure.BytesPerSecond ? result.Bytes / (double)(1 << 20) : result.Messages);

    private double? Of(LoadResult result) => scenario.Figure switch
    {
        Figure.BytesPerSecond => result.Bytes / result.Seconds,
        Figure.MedianLatency => result.Latency?.P50,
        Figure.BytesPerConnection => (result.ResidentAfter - result.ResidentBefore) / (double)result.IdleConnections,
        Figure.StormSeconds => result.Seconds,
        _ => result.Messages / result.Seconds,
    };
}

/// <summary>One scenario of a run, its servers in the order of the run.</summary>
internal sealed class ScenarioSummary(Scenario scenario, IReadOnlyList<ServerSummary> servers)
{
    public Scenario Scenario => scenario;

    public IReadOnlyList<ServerSummary> Servers => servers;

    public ServerSummary? Find(string server) =>
        servers.FirstOrDefault(each => each.Server == server && each.Value is not null);

    public static IReadOnlyList<ScenarioSummary> Summarize(Results results) =>
    [
        .. from measurement in results.Measurements
           group measurement by measurement.Scenario into ofScenario
           let scenario = Scenarios.Find(ofScenario.Key)
           select new ScenarioSummary(scenario,
           [
               .. from measurement in ofScenario
                  group measurement by measurement.Server into ofServer
                  select new ServerSummary(scenario, ofServer.Key, [.. ofServer]),
           ]),
    ];
}

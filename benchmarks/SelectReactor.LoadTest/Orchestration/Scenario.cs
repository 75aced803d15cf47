using SelectReactor.LoadTest.Load;

namespace SelectReactor.LoadTest.Orchestration;

/// <summary>What of a scenario is compared.</summary>
internal enum Figure
{
    MessagesPerSecond,
    ConnectionsPerSecond,
    BytesPerSecond,
    MedianLatency,
    BytesPerConnection,
    StormSeconds,
}

internal sealed record Scenario(string Name, string Description, Figure Figure, LoadOptions Load);

/// <summary>Scenarios that are run together, and how long.</summary>
/// <param name="Servers">Null for all.</param>
internal sealed record ScenarioSet(
    string Name,
    int Rounds,
    double Seconds,
    double Warmup,
    IReadOnlyList<string> Scenarios,
    IReadOnlyList<string>? Servers = null);

internal static class Scenarios
{
    /// <summary>A further scenario is one more line here.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        Echo("echo-50-d1", connections: 50, depth: 1),
        Echo("echo-50-d16", connections: 50, depth: 16),
        Echo("echo-100-idle-9000", connections: 100, depth: 1, idle: 9000),
        Echo("echo-50-idle-4000", connections: 50, depth: 1, idle: 4000),
        Echo("echo-50-flood", connections: 50, depth: 1, flooding: 1),
        Echo("echo-1000-d1", connections: 1000, depth: 1),
        Echo("echo-50-d1-1k", connections: 50, depth: 1, size: 1024),
        Echo("echo-50-d16-1k", connections: 50, depth: 16, size: 1024),
        Echo("echo-50-d1-16k", connections: 50, depth: 1, size: 16 * 1024),
        Echo("latency-1", connections: 1, depth: 1) with { Figure = Figure.MedianLatency },
        new(
            "accept",
            "connect, one message of 32 bytes there and back, end of stream both ways; 64 at a time",
            Figure.ConnectionsPerSecond,
            new LoadOptions { Mode = LoadMode.Accept, Connections = 64 }),
        new(
            "bulk",
            "1 GiB each way through one connection, both ways at once",
            Figure.BytesPerSecond,
            new LoadOptions { Mode = LoadMode.Bulk, Bytes = 1L << 30 }),
        new(
            "bulk-short",
            "128 MiB each way through one connection, both ways at once",
            Figure.BytesPerSecond,
            new LoadOptions { Mode = LoadMode.Bulk, Bytes = 128L << 20 }),
        new(
            "idle-memory",
            "resident memory of 10,000 connections that were used once and are idle since",
            Figure.BytesPerConnection,
            new LoadOptions { Mode = LoadMode.Idle, Idle = 10_000 }),
        OverTls(Echo("tls-echo", connections: 50, depth: 1)),
        OverTls(Echo("tls-echo-d16", connections: 50, depth: 16)),
        Handshakes("tls-handshakes", "full handshakes", LoadTls.Full),
        Handshakes("tls-resumed", "sessions resumed", LoadTls.Resumed),
        OverTls(new(
            "tls-bulk",
            "1 GiB each way through one connection, both ways at once",
            Figure.BytesPerSecond,
            new LoadOptions { Mode = LoadMode.Bulk, Bytes = 1L << 30 })),
        OverTls(new(
            "tls-idle-memory",
            "resident memory of 2,000 connections that were used once and are idle since",
            Figure.BytesPerConnection,
            new LoadOptions { Mode = LoadMode.Idle, Idle = 2_000 })),
        Datagrams("datagrams", depth: 1),
        Datagrams("datagrams-d4", depth: 4),
        Storm("storm", 9_000),
        Storm("storm-fresh", 9_000, fresh: true),
        Storm("storm-10000", 10_000),
    ];

    /// <summary>Five seconds of warm-up in the full set: a server that compiles itself while it serves reaches its
    /// rate after three to four seconds under load. Four rounds of two seconds keep the run within 40 minutes, most of
    /// them warm-up; an even number has each server as often early as late in a round.</summary>
    public static IReadOnlyList<ScenarioSet> Sets { get; } =
    [
        new(
            "quick",
            Rounds: 3,
            Seconds: 1,
            Warmup: 2,
            ["echo-50-d1", "echo-50-d16", "echo-100-idle-9000", "latency-1", "accept", "bulk-short", "idle-memory"]),
        new(
            "full",
            Rounds: 4,
            Seconds: 2,
            Warmup: 5,
            [
                "echo-50-d1", "echo-50-d16", "echo-50-d16-1k", "echo-100-idle-9000", "echo-50-flood", "latency-1",
                "accept", "bulk", "storm", "storm-fresh", "idle-memory",
            ]),

        // Where the two differ so much that a busy machine does not hide it.
        new("ci", Rounds: 5, Seconds: 1, Warmup: 2, ["echo-50-idle-4000"], [FloorCheck.Ours, FloorCheck.Naive]),
    ];

    public static Scenario Find(string name) => All.First(scenario => scenario.Name == name);

    private static Scenario Echo(
        string name, int connections, int depth, int size = 32, int idle = 0, int flooding = 0)
    {
        string description = $"{Count(connections, "connection")}{(idle > 0 ? $" and {idle} idle ones" : "")}"
            + $"{(flooding > 0 ? $" beside {flooding} at full speed" : "")}, "
            + $"{Count(depth, "message")} of {size} bytes in flight on each";
        return new Scenario(name, description, Figure.MessagesPerSecond, new LoadOptions
        {
            Mode = LoadMode.Echo,
            Connections = connections,
            Depth = depth,
            Size = size,
            Idle = idle,
            Flooding = flooding,
        });
    }

    private static Scenario OverTls(Scenario scenario) => scenario with
    {
        Description = $"TLS: {scenario.Description}",
        Load = scenario.Load with { Tls = LoadTls.Full },
    };

    private static Scenario Handshakes(string name, string what, LoadTls tls) => new(
        name,
        $"TLS, {what}: connect, one message of 32 bytes there and back, close_notify both ways; 16 at a time",
        Figure.ConnectionsPerSecond,
        new LoadOptions { Mode = LoadMode.Accept, Connections = 16, Tls = tls });

    private static Scenario Datagrams(string name, int depth)
    {
        const int Clients = 50;
        return new Scenario(
            name,
            $"{Clients} UDP clients, {Count(depth, "datagram")} of 32 bytes in flight from each",
            Figure.MessagesPerSecond,
            new LoadOptions { Mode = LoadMode.Datagrams, Connections = Clients, Depth = depth });
    }

    private static Scenario Storm(string name, int clients, bool fresh = false)
    {
        const int Talkers = 100;
        string description = $"{clients} clients that connect at once, send one message and stay, beside {Talkers} "
            + $"connections with 1 message in flight each{(fresh ? ", on a server that has just started" : "")}";
        return new Scenario(name, description, Figure.StormSeconds, new LoadOptions
        {
            Mode = LoadMode.Storm,
            Connections = Talkers,
            Storm = clients,
            Fresh = fresh,
        });
    }

    private static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}

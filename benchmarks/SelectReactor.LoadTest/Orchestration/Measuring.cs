using System.Globalization;
using System.Text.Json;
using SelectReactor.LoadTest.Load;
using SelectReactor.LoadTest.Report;

namespace SelectReactor.LoadTest.Orchestration;

/// <summary>One server under one load: two child processes, each on its own core, which are gone afterwards.</summary>
internal static class Measuring
{
    public const string ReadyLine = "Listening on ";
    private static readonly TimeSpan _startBound = TimeSpan.FromSeconds(20);

    // Beyond warm-up and measuring: opening thousands of connections on a slow server, or a GiB through it.
    private static readonly TimeSpan _loadBound = TimeSpan.FromSeconds(120);

    public static async Task<LoadResult> RunAsync(
        string server, LoadOptions load, int serverCore, int loadCore, CancellationToken cancellation)
    {
        string[] protocol = load switch
        {
            { Mode: LoadMode.Datagrams } => ["--datagrams"],
            { Tls: not LoadTls.None } => ["--tls"],
            _ => [],
        };
        await using var serverProcess = ChildProcess.Start(serverCore, ["serve", server, "--until-eof", .. protocol]);
        int port = await StartServerAsync(server, serverProcess, cancellation);

        // Compiled at once and for good, so that the generator is as fast in its first second as in its last.
        await using var loadProcess = ChildProcess.Start(
            loadCore,
            (load with { Port = port, ServerPid = serverProcess.Id }).ToArguments(),
            ("DOTNET_TieredCompilation", "0"));
        string? line = await loadProcess.ReadLineAsync(
            _loadBound + TimeSpan.FromSeconds(load.Warmup + load.Seconds), cancellation);
        if (line is not null)
        {
            return JsonSerializer.Deserialize(line, ResultsJson.Default.LoadResult)!;
        }

        string loadError = await loadProcess.EndAsync();
        string serverError = await serverProcess.EndAsync();
        throw new LoadTestException(serverError.Length == 0 ? loadError : $"{loadError} (the server: {serverError})");
    }

    private static async Task<int> StartServerAsync(
        string server, ChildProcess process, CancellationToken cancellation)
    {
        string reason;
        try
        {
            string? line = await process.ReadLineAsync(_startBound, cancellation);
            if (line?.StartsWith(ReadyLine, StringComparison.Ordinal) == true)
            {
                return int.Parse(line[(line.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
            }

            reason = line is null ? await process.EndAsync() : line;
        }
        catch (LoadTestException error)
        {
            reason = error.Message;
        }

        throw new FatalException($"The server {server} does not start: {reason}");
    }
}

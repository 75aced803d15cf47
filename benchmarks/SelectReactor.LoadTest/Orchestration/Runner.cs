using SelectReactor.LoadTest.Load;
using SelectReactor.LoadTest.Report;
using SelectReactor.LoadTest.Servers;
using Spectre.Console;

namespace SelectReactor.LoadTest.Orchestration;

/// <summary>
/// Measures each server in each scenario, round after round, A B B A: the order is reversed each time, so that a
/// machine that slowly gets faster or slower favours none. A server that fails in a scenario is left out of the rest
/// of it.
/// </summary>
internal sealed class Runner(RunOptions options)
{
    private readonly HashSet<(string Scenario, string Server)> _failed = [];

    public async Task<Results> RunAsync(CancellationToken cancellation)
    {
        var results = new Results
        {
            Set = options.Set.Name,
            Date = DateTimeOffset.UtcNow,
            Command = options.Command,
            Machine = Machine.Read(),
            Rounds = options.Rounds,
            Seconds = options.Seconds,
            Warmup = options.Warmup,
        };
        string[] servers = [.. options.Servers.Where(server => IsUsable(server, results.Notes))];
        Scenario[] scenarios = [.. options.Scenarios.Where(scenario => IsPossible(scenario, results.Notes))];
        foreach (string note in results.Notes)
        {
            Console.WriteLine(note);
        }

        if (servers.Length == 0 || scenarios.Length == 0)
        {
            throw new LoadTestException("nothing is left to measure");
        }

        await AnsiConsole.Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                double steps = options.Rounds * servers.Length;
                ProgressTask all = progress.AddTask(options.Set.Name, maxValue: steps * scenarios.Length);
                foreach (Scenario scenario in scenarios)
                {
                    ProgressTask task = progress.AddTask(scenario.Name, maxValue: steps);
                    for (int round = 0; round < options.Rounds; round++)
                    {
                        foreach (string server in round % 2 == 0 ? servers : servers.Reverse())
                        {
                            task.Description = $"{scenario.Name} {round + 1}/{options.Rounds} {server}";
                            await MeasureAsync(scenario, server, round, results.Measurements, cancellation);
                            task.Increment(1);
                            all.Increment(1);
                        }
                    }

                    task.Description = scenario.Name;
                    ReportFiles.WriteTables(results, options.Output);
                }
            });
        return results;
    }

    private static bool IsUsable(string server, List<string> notes)
    {
        if (server != CReference.Name || CReference.Prepare() is not { } reason)
        {
            return true;
        }

        notes.Add($"Without the C reference: {reason}.");
        return false;
    }

    private static bool IsPossible(Scenario scenario, List<string> notes)
    {
        long needed = scenario.Load.Connections + scenario.Load.Idle + scenario.Load.Storm + 300;
        if (needed <= Libc.OpenFileLimit)
        {
            return true;
        }

        notes.Add(
            $"Without {scenario.Name}: it needs {needed} open files, the limit is {Libc.OpenFileLimit} (ulimit -n).");
        return false;
    }

    private async Task MeasureAsync(
        Scenario scenario, string server, int round, List<Measurement> measurements, CancellationToken cancellation)
    {
        EchoServer found = EchoServers.Find(server);
        bool isServed = (scenario.Load.Mode != LoadMode.Datagrams || found.RunDatagrams is not null)
            && (scenario.Load.Tls == LoadTls.None || found.RunTls is not null);
        if (!isServed || _failed.Contains((scenario.Name, server)))
        {
            return;
        }

        LoadOptions load = scenario.Load with { Seconds = options.Seconds, Warmup = options.Warmup };
        try
        {
            LoadResult result = await Measuring.RunAsync(
                server, load, options.ServerCore, options.LoadCore, cancellation);
            measurements.Add(new Measurement(scenario.Name, server, round, result, Error: null));
        }
        catch (LoadTestException error)
        {
            _failed.Add((scenario.Name, server));
            measurements.Add(new Measurement(scenario.Name, server, round, Result: null, error.Message));
        }
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Reflection;
using SelectReactor.LoadTest.Orchestration;
using SelectReactor.LoadTest.Report;
using SelectReactor.LoadTest.Servers;

namespace SelectReactor.LoadTest;

/// <summary>The command line: run for people, serve and load for the child processes, report and chart for a run
/// that is over.</summary>
internal static partial class Commands
{
    private const string Itself = "dotnet run -c Release --project benchmarks/SelectReactor.LoadTest --";

    public static RootCommand Create() =>
        new("Whole echo servers side by side under the same load, each on one core.")
        {
            CreateRun(),
            CreateReport(),
            CreateChart(),
            CreateCalls(),
            CreateServe(),
            CreateLoad(),
        };

    private static Command CreateRun()
    {
        Option<string> set = Choice(
            "--set", "quick", "Which scenarios, and how long.", Scenarios.Sets.Select(each => each.Name));
        Option<string[]> scenarios = Names(
            "--scenarios", "These scenarios instead of the set's", Scenarios.All.Select(each => each.Name));
        Option<string[]> servers = Names(
            "--servers", "These servers instead of all", EchoServers.All.Select(each => each.Name));
        var rounds = new Option<int?>("--rounds") { Description = "How often each is measured. [default: the set's]" };
        var seconds = new Option<double?>("--seconds") { Description = "How long each time. [default: the set's]" };
        var warmup = new Option<double?>("--warmup") { Description = "Seconds before that. [default: the set's]" };
        Option<int> serverCore = Number("--server-core", 0, "The core of the server.");
        Option<int> loadCore = Number("--load-core", 1, "The core of the load generator.");
        var output = new Option<string>("--output")
        {
            Description = "The folder for the results.",
            DefaultValueFactory = _ => Path.Combine("benchmarks", "results"),
        };
        var floor = new Option<double?>("--floor")
        {
            Description =
                $"Fail when the median ratio of {FloorCheck.Ours} to {FloorCheck.Naive} is less in any scenario.",
        };
        var command = new Command("run", "Measures servers and writes tables and plots.")
        {
            set, scenarios, servers, rounds, seconds, warmup, serverCore, loadCore, output, floor,
        };
        command.SetAction((arguments, cancellation) =>
        {
            ScenarioSet chosen = Scenarios.Sets.First(each => each.Name == arguments.GetRequiredValue(set));
            string[] scenarioNames = arguments.GetValue(scenarios) is { Length: > 0 } some
                ? some
                : [.. chosen.Scenarios];
            string[] serverNames = arguments.GetValue(servers) is { Length: > 0 } few
                ? few
                : [.. chosen.Servers ?? EchoServers.All.Where(each => !each.IsOnRequest).Select(each => each.Name)];
            var options = new RunOptions
            {
                Set = chosen,
                Scenarios = [.. scenarioNames.Distinct().Select(Scenarios.Find)],
                Servers = [.. serverNames.Distinct()],
                Rounds = arguments.GetValue(rounds) ?? chosen.Rounds,
                Seconds = arguments.GetValue(seconds) ?? chosen.Seconds,
                Warmup = arguments.GetValue(warmup) ?? chosen.Warmup,
                ServerCore = arguments.GetValue(serverCore),
                LoadCore = arguments.GetValue(loadCore),
                Output = arguments.GetRequiredValue(output),
                Floor = arguments.GetValue(floor),
                Command = $"{Itself} {string.Join(' ', arguments.Tokens.Select(token => token.Value))}",
            };
            return RunAsync(options, cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(RunOptions options, CancellationToken cancellation)
    {
        Validate(options);
        Results results = await new Runner(options).RunAsync(cancellation);
        ReportFiles.WriteTables(results, options.Output);
        bool hasPlots = ReportFiles.TryWritePlots(results, options.Output);
        string[] extensions = hasPlots ? ["md", "json", "svg", "png"] : ["md", "json"];
        IEnumerable<string> files = extensions.Select(each => Path.Combine(options.Output, $"{results.Set}.{each}"));
        Console.WriteLine($"Written: {string.Join(", ", files)}");

        int status = 0;
        foreach (Measurement failed in results.Measurements.Where(measurement => measurement.Error is not null))
        {
            Console.Error.WriteLine(
                $"{failed.Server} failed in {failed.Scenario}, round {failed.Round + 1}: {failed.Error}");
            status = 1;
        }

        if (options.Floor is { } floor)
        {
            (string line, bool isReached) = FloorCheck.Check(results, floor);
            Console.WriteLine(line);
            status = isReached ? status : 1;
        }

        return status;
    }

    private static void Validate(RunOptions options)
    {
        bool isOptimized =
            Assembly.GetExecutingAssembly().GetCustomAttribute<DebuggableAttribute>()?.IsJITOptimizerDisabled != true;
        int cores = Environment.ProcessorCount;
        string? complaint = options switch
        {
            _ when !isOptimized => "a debug build measures nothing of use: dotnet run -c Release",
            { Rounds: < 1 } => "--rounds must be at least 1",
            { Seconds: <= 0 } or { Warmup: < 0 } => "--seconds must be over 0 and --warmup at least 0",
            _ when options.ServerCore < 0
                || options.LoadCore < 0 || Math.Max(options.ServerCore, options.LoadCore) >= cores =>
                $"this machine has the cores 0 to {cores - 1}: choose --server-core and --load-core among them",
            { Floor: not null } when options.Servers.Intersect([FloorCheck.Ours, FloorCheck.Naive]).Count() < 2 =>
                $"--floor needs the servers {FloorCheck.Ours} and {FloorCheck.Naive}",
            _ => null,
        };
        if (complaint is not null)
        {
            throw new LoadTestException(complaint);
        }
    }

    private static Command CreateReport()
    {
        var file = new Argument<string>("file") { Description = "The JSON file of the run." };
        var command = new Command("report", "Writes the tables and plots of a run again.") { file };
        command.SetAction(arguments =>
        {
            string path = arguments.GetRequiredValue(file);
            Results results = ReportFiles.Read(path);
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            ReportFiles.WriteTables(results, folder);
            ReportFiles.TryWritePlots(results, folder);
        });
        return command;
    }

    private static Command CreateChart()
    {
        var file = new Argument<string>("file") { Description = "The JSON file of the run." };
        var output = new Argument<string>("output") { Description = "The SVG file to write." };
        var command = new Command("chart", "Draws throughput and idle memory of a run, for the README.")
        {
            file, output,
        };
        command.SetAction(arguments => File.WriteAllText(
            arguments.GetRequiredValue(output), Chart.Draw(ReportFiles.Read(arguments.GetRequiredValue(file)))));
        return command;
    }

    private static Command CreateCalls()
    {
        Option<string[]> servers = Names(
            "--servers", "These servers", EchoServers.All.Select(each => each.Name));
        servers.DefaultValueFactory = _ => ["select", "epoll"];
        var command = new Command("calls", "Counts system calls per message, and fails when there are too many.")
        {
            servers,
        };
        command.SetAction(arguments => CallCheck.Check(arguments.GetRequiredValue(servers)) ? 0 : 1);
        return command;
    }

    private static Option<T> Number<T>(string name, T value, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };

    private static Option<string> Choice(string name, string value, string description, IEnumerable<string> among) =>
        new Option<string>(name) { Description = description, DefaultValueFactory = _ => value }.AcceptOnlyFromAmong(
            [.. among]);

    // "a,b" as well as "a b" and the option repeated.
    private static Option<string[]> Names(string name, string description, IEnumerable<string> among)
    {
        string[] known = [.. among];
        var option = new Option<string[]>(name)
        {
            Description = $"{description}, separated by commas: {string.Join(", ", known)}.",
            AllowMultipleArgumentsPerToken = true,
            CustomParser = result =>
            {
                string[] names =
                [
                    .. result.Tokens.SelectMany(token => token.Value.Split(
                        ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
                ];
                if (names.FirstOrDefault(each => !known.Contains(each)) is { } unknown)
                {
                    result.AddError($"{name} knows no '{unknown}', but: {string.Join(", ", known)}.");
                }

                return names;
            },
        };
        return option;
    }
}

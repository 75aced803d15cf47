using System.CommandLine;
using System.Net;
using System.Text.Json;
using SelectReactor.LoadTest.Load;
using SelectReactor.LoadTest.Orchestration;
using SelectReactor.LoadTest.Report;
using SelectReactor.LoadTest.Servers;

namespace SelectReactor.LoadTest;

/// <summary>The commands of the child processes.</summary>
internal static partial class Commands
{
    private static Command CreateServe()
    {
        var server = new Argument<string>("server") { Description = "Which one." };
        server.AcceptOnlyFromAmong([.. EchoServers.All.Select(each => each.Name)]);
        Option<int> port = Number("--port", 0, "The port; 0 lets the system choose one.");
        var untilEof = new Option<bool>("--until-eof") { Description = "End when standard input ends." };
        var datagrams = new Option<bool>("--datagrams") { Description = "Serve UDP; some servers can." };
        var tls = new Option<bool>("--tls") { Description = "Serve TLS; some servers can." };
        var command = new Command("serve", "Runs one server on 127.0.0.1.") { server, port, untilEof, datagrams, tls };
        command.SetAction(arguments =>
        {
            string name = arguments.GetRequiredValue(server);
            if (arguments.GetValue(untilEof) && name != CReference.Name)
            {
                new Thread(EndWithInput) { IsBackground = true }.Start();
            }

            EchoServer found = EchoServers.Find(name);
            Action<int, Action<EndPoint>> run = arguments.GetValue(datagrams)
                ? found.RunDatagrams ?? throw new LoadTestException($"{name} serves no datagrams")
                : arguments.GetValue(tls)
                    ? found.RunTls ?? throw new LoadTestException($"{name} serves no TLS")
                    : found.Run;
            run(
                arguments.GetValue(port),
                endPoint => Console.WriteLine($"{Measuring.ReadyLine}{endPoint}"));
        });
        return command;
    }

    // So that no server outlives the run that started it, however that ended.
    private static void EndWithInput()
    {
        using Stream input = Console.OpenStandardInput();
        input.CopyTo(Stream.Null);
        Environment.Exit(0);
    }

    private static Command CreateLoad()
    {
        var defaults = new LoadOptions { Mode = LoadMode.Echo };
        Argument<string> mode = new("mode") { Description = "What to do." };
        mode.AcceptOnlyFromAmong([.. Enum.GetNames<LoadMode>().Select(name => name.ToLowerInvariant())]);
        var port = new Option<int>("--port") { Description = "The server's port on 127.0.0.1.", Required = true };
        Option<int> serverPid = Number(
            "--server-pid", 0, "The server's process id, to measure its processor time and memory.");
        Option<int> connections = Number("--connections", defaults.Connections, "Connections that carry messages.");
        Option<int> idle = Number("--idle", defaults.Idle, "Further connections that say nothing.");
        Option<int> flooding = Number(
            "--flooding", defaults.Flooding, "Further connections that send as much as they can.");
        Option<int> storm = Number("--storm", defaults.Storm, "Clients that connect all at once, in storm mode.");
        var fresh = new Option<bool>("--fresh") { Description = "In storm mode, begin with the storm." };
        Option<int> depth = Number("--depth", defaults.Depth, "Messages in flight on each connection.");
        Option<int> size = Number("--size", defaults.Size, "Bytes in a message.");
        Option<long> bytes = Number("--bytes", defaults.Bytes, "Bytes each way, in bulk mode.");
        Option<LoadTls> tls = Number("--tls", defaults.Tls, "TLS, and whether clients resume their sessions.");
        Option<double> seconds = Number("--seconds", defaults.Seconds, "How long to measure.");
        Option<double> warmup = Number("--warmup", defaults.Warmup, "How long to warm up before that.");
        Option<int> intervals = Number(
            "--intervals", defaults.Intervals, "In echo mode, how often to measure, without a pause between.");
        var command = new Command("load", "Puts load on a server and prints one line of JSON for each interval.")
        {
            mode, port, serverPid, connections, idle, flooding, storm, fresh, depth, size, bytes, tls,
            seconds, warmup, intervals,
        };
        command.SetAction(arguments =>
        {
            var options = new LoadOptions
            {
                Mode = Enum.Parse<LoadMode>(arguments.GetRequiredValue(mode), ignoreCase: true),
                Port = arguments.GetRequiredValue(port),
                ServerPid = arguments.GetValue(serverPid),
                Connections = arguments.GetValue(connections),
                Idle = arguments.GetValue(idle),
                Flooding = arguments.GetValue(flooding),
                Storm = arguments.GetValue(storm),
                Fresh = arguments.GetValue(fresh),
                Depth = arguments.GetValue(depth),
                Size = arguments.GetValue(size),
                Bytes = arguments.GetValue(bytes),
                Tls = arguments.GetValue(tls),
                Seconds = arguments.GetValue(seconds),
                Warmup = arguments.GetValue(warmup),
                Intervals = arguments.GetValue(intervals),
            };
            LoadResult[] results = options.Mode switch
            {
                not LoadMode.Idle when options.Tls != LoadTls.None => [TlsLoad.Run(options)],
                LoadMode.Accept => [AcceptLoad.Run(options)],
                LoadMode.Bulk => [BulkLoad.Run(options)],
                LoadMode.Idle => [IdleLoad.Run(options)],
                LoadMode.Storm => [StormLoad.Run(options)],
                LoadMode.Datagrams => [DatagramLoad.Run(options)],
                _ => EchoLoad.Run(options),
            };
            foreach (LoadResult result in results)
            {
                Console.WriteLine(JsonSerializer.Serialize(result, ResultsJson.Default.LoadResult));
            }
        });
        return command;
    }
}

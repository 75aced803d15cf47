using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using GameLoop;
using SelectReactor;

const int FramesPerSecond = 60;

var port = new Option<ushort>("--port")
{
    Description = "The port to listen on; 0 lets the system choose one.",
    DefaultValueFactory = _ => 0,
};
var bots = new Option<int>("--bots")
{
    Description = "How many bots play.",
    DefaultValueFactory = _ => 500,
    CustomParser = ParseNumber,
};
var seconds = new Option<int>("--seconds")
{
    Description = "How long the game lasts; 0 for until Ctrl+C.",
    DefaultValueFactory = _ => 10,
    CustomParser = ParseNumber,
};

var command = new RootCommand(
    "A game server at 60 frames a second that runs the loop itself. Ctrl+C or SIGTERM ends the game.")
{
    port, bots, seconds,
};
command.SetAction(arguments =>
{
    try
    {
        Play(
            new IPEndPoint(IPAddress.Loopback, arguments.GetRequiredValue(port)),
            arguments.GetRequiredValue(bots),
            arguments.GetRequiredValue(seconds));
        return 0;
    }
    catch (SocketException error)
    {
        Console.Error.WriteLine(error.Message);
        return 1;
    }
});
return command.Parse(args).Invoke();

static void Play(IPEndPoint endPoint, int bots, int seconds)
{
    using var end = new CancellationTokenSource();
    void End(PosixSignalContext signal)
    {
        signal.Cancel = true;
        end.Cancel();
    }

    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);

    using var reactor = new Reactor();
    var world = new World(reactor.TimeProvider);
    using Listener listener = reactor.Listen(endPoint, world, World.Options);
    Console.WriteLine($"Listening on {listener.LocalEndPoint}");

    // The bots share a loop of their own, on a thread of its own, as if they were on another machine.
    using var botThread = new ReactorThread();
    var random = new Random();
    var joining = Task.WhenAll(Enumerable.Range(0, bots).Select(
        _ => botThread.Reactor.ConnectAsync(listener.LocalEndPoint, new Bot(random))));

    Lag frameLag = new(), botLag = new();
    var clock = new FrameClock(reactor.TimeProvider, FramesPerSecond);
    while (!end.IsCancellationRequested && (seconds == 0 || world.Frame < (long)seconds * FramesPerSecond))
    {
        frameLag.Add(clock.WaitForFrame());
        reactor.RunOnce(TimeSpan.Zero);
        world.Step(botLag);
        world.Broadcast();

        // What was written leaves at the end of a tick. Without this one it would leave with the next frame.
        reactor.RunOnce(TimeSpan.Zero);
        if (world.Frame % FramesPerSecond == 0)
        {
            Console.WriteLine($"Frame {world.Frame}: {world.Players} players, "
                + $"frames late by {frameLag.TakeRecent()}, bots by {botLag.TakeRecent()}");
        }

        if (joining.IsFaulted)
        {
            joining.GetAwaiter().GetResult();
        }
    }

    Console.WriteLine($"Played {world.Frame} frames with {world.Players} players: "
        + $"frames late by {frameLag}, bots by {botLag}, {world.Skipped} states skipped.");

    // A shutdown needs ticks, too.
    Task shutdown = reactor.ShutdownAsync(TimeSpan.FromSeconds(1));
    while (!shutdown.IsCompleted)
    {
        reactor.RunOnce(TimeSpan.FromSeconds(1));
    }
}

static int ParseNumber(ArgumentResult argument)
{
    if (!int.TryParse(argument.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value))
    {
        argument.AddError($"{((OptionResult)argument.Parent!).Option.Name} takes a number from 0.");
    }

    return value;
}

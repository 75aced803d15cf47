using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LineChat;
using SelectReactor;

var host = new Option<IPAddress>("--host")
{
    Description = "The address to listen on.",
    DefaultValueFactory = _ => IPAddress.Loopback,
    CustomParser = static argument =>
    {
        if (!IPAddress.TryParse(argument.Tokens[0].Value, out IPAddress? address))
        {
            argument.AddError($"--host takes an IP address, not {argument.Tokens[0].Value}.");
        }

        return address;
    },
};
var port = new Option<ushort>("--port")
{
    Description = "The port; 0 lets the system choose one.",
    DefaultValueFactory = _ => 7008,
};
var drain = new Option<ushort>("--drain")
{
    Description = "How many seconds the clients have to finish when the server is told to end.",
    DefaultValueFactory = _ => 2,
};

var command = new RootCommand(
    "A chat for clients such as nc and telnet. Ctrl+C or SIGTERM ends it; a second one does not wait.")
{
    host, port, drain,
};
command.SetAction(arguments =>
{
    try
    {
        Serve(
            new IPEndPoint(arguments.GetRequiredValue(host), arguments.GetRequiredValue(port)),
            TimeSpan.FromSeconds(arguments.GetRequiredValue(drain)));
        return 0;
    }
    catch (SocketException error)
    {
        Console.Error.WriteLine(error.Message);
        return 1;
    }
});
return command.Parse(args).Invoke();

static void Serve(IPEndPoint endPoint, TimeSpan drain)
{
    using var reactor = new Reactor();
    using Listener listener = reactor.Listen(
        endPoint, new ChatHandler(new ChatRoom(reactor), Console.WriteLine), ChatHandler.Options);

    // The first signal lets the clients read what was sent to them; the next one does not wait for them.
    bool draining = false;
    void ShutDown(PosixSignalContext signal)
    {
        signal.Cancel = true;
        reactor.ShutdownAsync(Interlocked.Exchange(ref draining, true) ? TimeSpan.Zero : drain);
    }

    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, ShutDown);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, ShutDown);

    Console.WriteLine($"Listening on {listener.LocalEndPoint}");
    reactor.Run();
}

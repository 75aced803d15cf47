using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using PortForwarder;
using SelectReactor;

var listen = new Option<EndPoint>("--listen")
{
    Description = "Where to listen, such as 127.0.0.1:8080 or [::1]:8080; with port 0 the system chooses one.",
    Required = true,
    CustomParser = ParseEndPoint,
};
var target = new Option<EndPoint>("--target")
{
    Description = "Where to forward to, such as example.org:80; a name is looked up for each client.",
    Required = true,
    CustomParser = ParseEndPoint,
};
Option<string> selector = new Option<string>("--selector")
{
    Description = "How to wait for the sockets; epoll is for Linux.",
    DefaultValueFactory = _ => "select",
}.AcceptOnlyFromAmong("select", "epoll");
var drain = new Option<ushort>("--drain")
{
    Description = "How many seconds the connections have to finish when the forwarder is told to end.",
    DefaultValueFactory = _ => 2,
};

var command = new RootCommand(
    "Forwards TCP connections to another address. Ctrl+C or SIGTERM ends it; a second one does not wait.")
{
    listen, target, selector, drain,
};
command.SetAction(arguments =>
{
    try
    {
        Serve(
            arguments.GetRequiredValue(listen),
            arguments.GetRequiredValue(target),
            arguments.GetRequiredValue(selector) == "epoll"
                ? new ReactorOptions().UseEpoll()
                : new ReactorOptions(),
            TimeSpan.FromSeconds(arguments.GetRequiredValue(drain)));
        return 0;
    }
    catch (Exception error) when (error is SocketException or PlatformNotSupportedException or NotSupportedException)
    {
        Console.Error.WriteLine(error.Message);
        return 1;
    }
});
return command.Parse(args).Invoke();

static void Serve(EndPoint listen, EndPoint target, ReactorOptions options, TimeSpan drain)
{
    using var reactor = new Reactor(options);
    using Listener listener = reactor.Listen(
        listen, new Forwarder(target, Console.Error.WriteLine), Forwarder.ListenerOptions);

    // The first signal, of either kind, lets the connections finish; the next one does not wait for them.
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
    Console.WriteLine($"Forwarded {listener.Accepted} connections.");
}

// HOST:PORT, where an IPv6 address stands in brackets.
static EndPoint? ParseEndPoint(ArgumentResult argument)
{
    string text = argument.Tokens[0].Value;
    int colon = text.LastIndexOf(':');
    if (colon > 0
        && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
    {
        string host = text[..colon].Trim('[', ']');
        return IPAddress.TryParse(host, out IPAddress? address)
            ? new IPEndPoint(address, port)
            : new DnsEndPoint(host, port);
    }

    argument.AddError($"{((OptionResult)argument.Parent!).Option.Name} takes HOST:PORT, not {text}.");
    return null;
}

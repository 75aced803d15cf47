using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using SelectReactor;
using UdpEcho;

var host = new Option<IPAddress>("--host")
{
    Description = "The address to receive on. [default: 127.0.0.1]",
    CustomParser = static result =>
    {
        string text = result.Tokens[0].Value;
        if (!IPAddress.TryParse(text, out IPAddress? address))
        {
            result.AddError($"--host needs an address such as 127.0.0.1 or ::1, not '{text}'.");
        }

        return address;
    },
};
var port = new Option<ushort>("--port")
{
    Description = "The port; 0 lets the system choose one.",
    DefaultValueFactory = _ => 7009,
};
Option<string> selector = new Option<string>("--selector")
{
    Description = "How to wait for the socket; epoll is for Linux.",
    DefaultValueFactory = _ => "select",
}.AcceptOnlyFromAmong("select", "epoll");

var command = new RootCommand("Sends each datagram (UDP) back to its sender. Ctrl+C or SIGTERM ends it.")
{
    host, port, selector,
};
command.SetAction(arguments =>
{
    try
    {
        Serve(
            new IPEndPoint(arguments.GetValue(host) ?? IPAddress.Loopback, arguments.GetRequiredValue(port)),
            arguments.GetRequiredValue(selector) == "epoll"
                ? new ReactorOptions().UseEpoll()
                : new ReactorOptions());
        return 0;
    }
    catch (Exception error) when (error is SocketException or PlatformNotSupportedException)
    {
        Console.Error.WriteLine(error.Message);
        return 1;
    }
});
return command.Parse(args).Invoke();

static void Serve(IPEndPoint endPoint, ReactorOptions options)
{
    using var reactor = new Reactor(options);
    var handler = new EchoHandler();
    using DatagramSocket socket = reactor.BindDatagram(endPoint, handler);

    void ShutDown(PosixSignalContext signal)
    {
        signal.Cancel = true;
        reactor.ShutdownAsync(TimeSpan.Zero);
    }

    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, ShutDown);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, ShutDown);

    Console.WriteLine($"Listening on {socket.LocalEndPoint}");
    reactor.Run();
    DatagramStatistics statistics = socket.Statistics;
    Console.WriteLine(
        $"Received {statistics.Received} datagrams, sent {statistics.Sent}, dropped {handler.Dropped}.");
}

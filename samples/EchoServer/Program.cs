using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EchoServer;
using SelectReactor;

var host = new Option<string>("--host")
{
    Description = "The address or name to listen on.",
    DefaultValueFactory = _ => "127.0.0.1",
};
var port = new Option<ushort>("--port")
{
    Description = "The port; 0 lets the system choose one.",
    DefaultValueFactory = _ => 7007,
};
Option<string> selector = new Option<string>("--selector")
{
    Description = "How to wait for the sockets; epoll is for Linux.",
    DefaultValueFactory = _ => "select",
}.AcceptOnlyFromAmong("select", "epoll");

var command = new RootCommand("Sends back whatever it receives.") { host, port, selector };
command.SetAction(arguments =>
{
    try
    {
        Serve(
            Resolve(arguments.GetRequiredValue(host), arguments.GetRequiredValue(port)),
            arguments.GetRequiredValue(selector) == "epoll"
                ? new ReactorOptions { SelectorFactory = EpollSelector.Create }
                : new ReactorOptions());
        return 0;
    }
    catch (Exception error) when (error is SocketException or PlatformNotSupportedException or IOException)
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
    using Listener listener = reactor.Listen(endPoint, handler);
    using IDisposable interrupt = StopOn(PosixSignal.SIGINT, reactor);
    using IDisposable terminate = StopOn(PosixSignal.SIGTERM, reactor);

    Console.WriteLine($"Listening on {listener.LocalEndPoint}");
    reactor.Run();
    Console.WriteLine($"Served {handler.Connections} connections and {handler.Bytes} bytes.");
}

// The first signal lets the connections finish for two seconds at most; a second one does not wait.
static PosixSignalRegistration StopOn(PosixSignal signal, Reactor reactor)
{
    var deadline = TimeSpan.FromSeconds(2);
    return PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        reactor.ShutdownAsync(deadline);
        deadline = TimeSpan.Zero;
    });
}

static IPEndPoint Resolve(string host, int port)
{
    try
    {
        return new IPEndPoint(Dns.GetHostAddresses(host)[0], port);
    }
    catch (Exception error) when (error is SocketException or ArgumentException)
    {
        throw new SocketException((int)SocketError.HostNotFound, $"Can't find the host {host}: {error.Message}.");
    }
}

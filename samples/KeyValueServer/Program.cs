using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using SelectReactor;

namespace KeyValueServer;

/// <summary>A key-value server in memory, for clients of Redis.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        var host = new Option<string>("--host")
        {
            Description = "The address to listen on.",
            DefaultValueFactory = _ => "127.0.0.1",
        };
        var port = new Option<ushort>("--port")
        {
            Description = "The port to listen on; 0 lets the system choose one.",
            DefaultValueFactory = _ => 6380,
        };
        var selector = new Option<string>("--selector")
        {
            Description = "How to wait for the sockets: select, or epoll on Linux.",
            DefaultValueFactory = _ => "select",
        };
        var command = new RootCommand("A key-value server in memory that speaks RESP2, the protocol of Redis.")
        {
            host,
            port,
            selector,
        };
        command.SetAction(parsed => Start(
            parsed.GetRequiredValue(host), parsed.GetRequiredValue(port), parsed.GetRequiredValue(selector)));
        return command.Parse(args).Invoke();
    }

    private static int Start(string host, ushort port, string selector)
    {
        if (!IPAddress.TryParse(host, out IPAddress? address))
        {
            return Refuse($"{host} is not an IP address.");
        }

        if (OptionsFor(selector) is not { } options)
        {
            return Refuse($"There is no selector {selector}: use select or epoll.");
        }

        try
        {
            Run(new IPEndPoint(address, port), options);
            return 0;
        }
        catch (SocketException exception)
        {
            return Refuse(exception.Message);
        }
    }

    private static ReactorOptions? OptionsFor(string selector) => selector switch
    {
        "select" => new ReactorOptions(),
        "epoll" => new ReactorOptions().UseEpoll(),
        _ => null,
    };

    private static void Run(IPEndPoint endPoint, ReactorOptions options)
    {
        var deadline = TimeSpan.FromSeconds(2);
        using var reactor = new Reactor(options);
        using Listener listener = Server.Listen(reactor, endPoint);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Shutdown);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Shutdown);
        Console.WriteLine($"Listening on {listener.LocalEndPoint}");
        reactor.Run();

        // The first signal lets the clients finish for two seconds; a second one does not wait.
        void Shutdown(PosixSignalContext context)
        {
            context.Cancel = true;
            reactor.ShutdownAsync(deadline);
            deadline = TimeSpan.Zero;
        }
    }

    private static int Refuse(string why)
    {
        Console.Error.WriteLine(why);
        return 1;
    }
}

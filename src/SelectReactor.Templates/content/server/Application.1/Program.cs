using System.Net;
using System.Runtime.InteropServices;

// dotnet run --project Application.1 [port]
int port = args.Length > 0 ? int.Parse(args[0]) : 7007;

using var reactor = new SelectReactor.Reactor();
using var listener = ApplicationNamespace.MessageServer.Listen(reactor, new IPEndPoint(IPAddress.Loopback, port));

// Ctrl+C or a stop by the system: accept no more clients, give those that are there five seconds, then end.
void ShutDown(PosixSignalContext signal)
{
    signal.Cancel = true;
    reactor.ShutdownAsync(TimeSpan.FromSeconds(5));
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, ShutDown);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, ShutDown);

Console.WriteLine($"Listening on {listener.LocalEndPoint}");
reactor.Run();

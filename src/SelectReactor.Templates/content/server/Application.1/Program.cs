using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

// dotnet run --project Application.1 [port]
string given = args.Length > 0 ? args[0] : "7007";
if (!ushort.TryParse(given, out ushort port))
{
    Console.Error.WriteLine($"{given} is not a port.");
    return 1;
}

using var reactor = new SelectReactor.Reactor();

// Ctrl+C or a stop by the system: accept no more clients, give those that are there five seconds, then end.
void ShutDown(PosixSignalContext signal)
{
    signal.Cancel = true;
    reactor.ShutdownAsync(TimeSpan.FromSeconds(5));
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, ShutDown);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, ShutDown);
try
{
    using var listener = ApplicationNamespace.MessageServer.Listen(reactor, new IPEndPoint(IPAddress.Loopback, port));
    Console.WriteLine($"Listening on {listener.LocalEndPoint}");
    reactor.Run();
    return 0;
}
catch (SocketException exception)
{
    // Another program has the port, for example.
    Console.Error.WriteLine(exception.Message);
    return 1;
}

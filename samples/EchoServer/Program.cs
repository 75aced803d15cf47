using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
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
var drain = new Option<ushort>("--drain")
{
    Description = "How many seconds the connections have to finish when the server is told to end.",
    DefaultValueFactory = _ => 2,
};
var tls = new Option<bool>("--tls")
{
    Description = "Speak TLS, with a certificate that is made for the run unless one is given.",
};
var certificate = new Option<string?>("--certificate")
{
    Description = "Speak TLS with the certificate and the private key of this file (PEM). It may change meanwhile.",
};

var command = new RootCommand(
    "Sends back whatever it receives. Ctrl+C or SIGTERM ends it; a second one does not wait.")
{
    host, port, selector, drain, tls, certificate,
};
command.SetAction(arguments =>
{
    try
    {
        using CertificateSource? source = arguments.GetValue(certificate) is { } file
            ? CertificateSource.FromPemFiles(file)
            : arguments.GetValue(tls) ? SelfSigned.Create() : null;
        Serve(
            Resolve(arguments.GetRequiredValue(host), arguments.GetRequiredValue(port)),
            arguments.GetRequiredValue(selector) == "epoll"
                ? new ReactorOptions().UseEpoll()
                : new ReactorOptions(),
            TimeSpan.FromSeconds(arguments.GetRequiredValue(drain)),
            source is null ? null : new TlsServerOptions { Certificate = source });
        return 0;
    }
    catch (Exception error) when (error is SocketException or PlatformNotSupportedException or IOException
        or UnauthorizedAccessException or CryptographicException or ArgumentException)
    {
        Console.Error.WriteLine(error.Message);
        return 1;
    }
});
return command.Parse(args).Invoke();

static void Serve(IPEndPoint endPoint, ReactorOptions options, TimeSpan drain, TlsServerOptions? tls)
{
    using var reactor = new Reactor(options);
    var handler = new EchoHandler();
    using Listener listener = reactor.Listen(endPoint, handler, new ListenerOptions { Tls = tls });

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
    Console.WriteLine($"Served {handler.Connections} connections and {handler.Bytes} bytes.");
}

static IPEndPoint Resolve(string host, int port)
{
    // An address is not looked up: the look-up refuses 0.0.0.0, which stands for all addresses of the machine.
    if (IPAddress.TryParse(host, out IPAddress? address))
    {
        return new IPEndPoint(address, port);
    }

    try
    {
        return new IPEndPoint(Dns.GetHostAddresses(host)[0], port);
    }
    catch (Exception error) when (error is SocketException or ArgumentException)
    {
        throw new SocketException((int)SocketError.HostNotFound, $"Can't find the host {host}: {error.Message}.");
    }
}

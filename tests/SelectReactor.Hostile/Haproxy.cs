using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hostile;

/// <summary>The program haproxy as a child process that forwards a port to a server.</summary>
internal sealed class Haproxy : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(15);
    private readonly string _folder = Directory.CreateTempSubdirectory("reactor-haproxy-").FullName;
    private readonly Process _process;

    /// <param name="bind">The options of the port, such as "accept-proxy".</param>
    /// <param name="server">The address of the server.</param>
    /// <param name="serverOptions">The options of the server, such as "send-proxy".</param>
    /// <param name="frontend">Further lines for the port.</param>
    public Haproxy(string bind, string server, string serverOptions, string frontend = "")
    {
        EndPoint = FreePort();
        string configuration = Path.Combine(_folder, "haproxy.cfg");
        File.WriteAllText(configuration, $"""
            defaults
                mode tcp
                timeout connect 10s
                timeout client 10s
                timeout server 10s
            listen test
                bind {EndPoint} {bind}
                {frontend}
                server s {server} {serverOptions}

            """);
        _process = Server.Shell($"exec haproxy -db -f {configuration}");
        _process.ErrorDataReceived += (_, line) => Output += line.Data + "\n";
        _process.BeginErrorReadLine();
        Client.Await(() => _process.HasExited || IsListening(), "haproxy listens");
        if (_process.HasExited)
        {
            _process.WaitForExit();
            throw new InvalidOperationException($"haproxy has ended: {Output}");
        }
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>What it said so far.</summary>
    public string Output { get; private set; } = "";

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit(_bound);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static IPEndPoint FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    // A connection would go on to the server: the system's table tells without one.
    private bool IsListening() =>
        File.ReadLines("/proc/net/tcp").Any(line => line.Contains($"0100007F:{EndPoint.Port:X4} 00000000:0000 0A "));
}

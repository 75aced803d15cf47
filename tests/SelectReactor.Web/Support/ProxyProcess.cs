using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Web;

/// <summary>A reverse proxy as a child process, in front of the site.</summary>
internal sealed class ProxyProcess : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(15);
    private readonly string _folder;
    private readonly Process _process;
    private string _output = "";

    private ProxyProcess(string folder, int port, string line)
    {
        _folder = folder;
        Url = new Uri($"http://127.0.0.1:{port}");
        _process = Tool.Start(line);
        _process.ErrorDataReceived += (_, entry) => _output += entry.Data + "\n";
        _process.BeginErrorReadLine();
        AwaitListening(port);
    }

    public Uri Url { get; }

    /// <summary>haproxy with a connection pool; the server is a line's rest, as "127.0.0.1:80 proto h2".</summary>
    public static ProxyProcess StartHaproxy(string server, string frontend = "") => Start((folder, port) =>
    {
        File.WriteAllText(Path.Combine(folder, "haproxy.cfg"), $"""
            defaults
                mode http
                timeout connect 10s
                timeout client 30s
                timeout server 30s
                http-reuse always
                option abortonclose
                option forwardfor
            frontend front
                bind 127.0.0.1:{port} {frontend}
                default_backend back
            backend back
                server s {server}

            """);
        return $"exec haproxy -db -f {folder}/haproxy.cfg";
    });

    /// <summary>nginx with a pool of connections to the server; the location's lines say what it does.</summary>
    public static ProxyProcess StartNginx(Uri server, string location, string listen = "") => Start((folder, port) =>
    {
        File.WriteAllText(Path.Combine(folder, "nginx.conf"), $$"""
            worker_processes 1;
            daemon off;
            error_log stderr;
            pid {{folder}}/nginx.pid;
            events { worker_connections 1024; }
            http {
                access_log off;
                client_body_temp_path {{folder}}/body;
                proxy_temp_path {{folder}}/proxy;
                fastcgi_temp_path {{folder}}/fastcgi;
                uwsgi_temp_path {{folder}}/uwsgi;
                scgi_temp_path {{folder}}/scgi;
                client_max_body_size 0;
                upstream site { server {{server.Authority}}; keepalive 16; }
                map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
                server {
                    listen 127.0.0.1:{{port}} {{listen}};
                    location / {
                        {{location}}
                    }
                }
            }

            """);
        return $"exec nginx -p {folder} -c {folder}/nginx.conf";
    });

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit(_bound);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static ProxyProcess Start(Func<string, int, string> configure)
    {
        string folder = Directory.CreateTempSubdirectory("reactor-proxy-").FullName;
        int port = FreePort();
        return new ProxyProcess(folder, port, configure(folder, port));
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    // The system's table tells without a connection.
    private void AwaitListening(int port)
    {
        for (var watch = Stopwatch.StartNew(); !IsListening(port); Thread.Sleep(5))
        {
            if (_process.HasExited || watch.Elapsed > _bound)
            {
                throw new InvalidOperationException($"The proxy does not listen: {_output}");
            }
        }
    }

    private static bool IsListening(int port) =>
        File.ReadLines("/proc/net/tcp").Any(line => line.Contains($"0100007F:{port:X4} 00000000:0000 0A "));
}

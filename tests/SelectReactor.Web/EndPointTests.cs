using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Web;

/// <summary>Where a server listens: addresses, Unix sockets, and sockets that somebody else has opened.</summary>
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
public sealed class EndPointTests(Transport transport)
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    [TestCase("127.0.0.1", "http://127.0.0.1")]
    [TestCase("0.0.0.0", "http://127.0.0.1")]
    [TestCase("::1", "http://[::1]")]
    [TestCase("::", "http://[::1]")]
    [TestCase("::", "http://127.0.0.1", Description = "IPv6Any is for both")]
    public async Task AnAddress_IsServed(string address, string url)
    {
        int port = 0;
        await using WebApplication app = Build(options => options.Listen(IPAddress.Parse(address), 0));
        await app.StartAsync().WaitAsync(_bound);
        port = new Uri(app.Urls.Single()).Port;

        Assert.That(await Tool.OutputAsync($"curl -sS -g {url}:{port}/hello"), Is.EqualTo("hello"));
        await app.StopAsync().WaitAsync(_bound);
    }

    [Test]
    public async Task Localhost_IsServedOnBothLoopbackAddresses()
    {
        int port = FreePort();
        await using WebApplication app = Build(options => options.ListenLocalhost(port));
        await app.StartAsync().WaitAsync(_bound);

        Assert.That(await Tool.OutputAsync($"curl -sS http://127.0.0.1:{port}/hello"), Is.EqualTo("hello"));
        Assert.That(await Tool.OutputAsync($"curl -sS -g http://[::1]:{port}/hello"), Is.EqualTo("hello"));
        await app.StopAsync().WaitAsync(_bound);
    }

    [Test]
    public async Task ABusyPort_FailsTheStart()
    {
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start();
        int port = ((IPEndPoint)busy.LocalEndpoint).Port;
        await using WebApplication app = Build(options => options.Listen(IPAddress.Loopback, port));

        Assert.That(
            async () => await app.StartAsync().WaitAsync(_bound),
            Throws.InstanceOf<IOException>().With.Message.Contains("address already in use"));
    }

    [Test]
    public async Task AUnixSocket_IsServed_AndItsFileIsRemoved()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("reactor-unix-");
        string path = Path.Combine(folder.FullName, "site.sock");
        await using WebApplication app = Build(options => options.ListenUnixSocket(path));
        await app.StartAsync().WaitAsync(_bound);

        Assert.That(
            await Tool.OutputAsync($"curl -sS --unix-socket {path} http://localhost/hello"), Is.EqualTo("hello"));
        await app.StopAsync().WaitAsync(_bound);
        Assert.That(File.Exists(path), Is.False);
        folder.Delete(recursive: true);
    }

    [Test]
    public async Task AListeningSocketOfTheProcess_IsServed()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        await using WebApplication app = Build(options => options.ListenHandle((ulong)socket.Handle));
        await app.StartAsync().WaitAsync(_bound);

        Assert.That(await Tool.OutputAsync($"curl -sS http://{socket.LocalEndPoint}/hello"), Is.EqualTo("hello"));
        await app.StopAsync().WaitAsync(_bound);
    }

    // Perl stands in for systemd: it opens the socket and starts the server with sd_listen_fds(3)'s variables. SIGTERM
    // then ends the server, which finishes the request under way.
    [Test]
    public async Task ASocketOfSystemd_IsServed_AndSigtermFinishesTheRequest()
    {
        const string Perl = """
            use Socket;
            $^F = 10;
            socket(my $s, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
            bind($s, sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!";
            listen($s, 100) or die "listen: $!";
            my ($port) = sockaddr_in(getsockname($s));
            require POSIX;
            POSIX::dup2(fileno($s), 3) if fileno($s) != 3;
            $| = 1;
            print "$port\n";
            $ENV{LISTEN_PID} = $$;
            $ENV{LISTEN_FDS} = 1;
            exec @ARGV;
            """;
        string script = Path.GetTempFileName();
        await File.WriteAllTextAsync(script, Perl);
        string program = Path.Combine(TestContext.CurrentContext.TestDirectory, "SelectReactor.Web.dll");
        using Process server = Tool.Start($"exec perl {script} dotnet {program} {transport}");
        try
        {
            string? port = await server.StandardOutput.ReadLineAsync().WaitAsync(_bound);
            using Process slow = Tool.Start($"exec curl -sS -N --max-time 30 http://127.0.0.1:{port}/slow");
            char[] started = new char["started ".Length];
            await slow.StandardOutput.ReadBlockAsync(started).AsTask().WaitAsync(_bound);
            Assert.That(new string(started), Is.EqualTo("started "), await Errors(slow, server));
            Assert.That(await Tool.OutputAsync($"curl -sS http://127.0.0.1:{port}/hello"), Is.EqualTo("hello"));
            await Tool.OutputAsync($"kill -TERM {server.Id}");

            Assert.That(await slow.StandardOutput.ReadToEndAsync().WaitAsync(_bound), Is.EqualTo("finished"));
            await server.WaitForExitAsync().WaitAsync(_bound);
            Assert.That(server.ExitCode, Is.Zero, await server.StandardError.ReadToEndAsync());
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            File.Delete(script);
        }
    }

    private static async Task<string> Errors(Process client, Process server)
    {
        if (client.HasExited)
        {
            server.Kill(entireProcessTree: true);
            return await client.StandardError.ReadToEndAsync() + await server.StandardError.ReadToEndAsync();
        }

        return "";
    }

    private WebApplication Build(Action<KestrelServerOptions> configure)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTransport(transport).ConfigureKestrel(configure);
        WebApplication app = builder.Build();
        app.MapGet("/hello", () => "hello");
        return app;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

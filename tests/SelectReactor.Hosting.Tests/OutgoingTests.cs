using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Hosting.Tests;

/// <summary>Clients that stay connected, pools, and what a server's configuration says of TLS and proxies.</summary>
public sealed class OutgoingTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("hosting").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task AReconnectingClient_ConnectsWithTheHost_AndAgainAfterALoss()
    {
        using IHost server = Build([], Echo);
        await server.StartAsync();
        EndPoint endPoint = Listening(server);
        using IHost host = Build(
            new()
            {
                ["Clients:feed:EndPoint"] = $"{endPoint}",
                ["Clients:feed:Reconnect:BaseDelay"] = "00:00:00.010",
                ["Clients:feed:IsRequired"] = "true",
            },
            static reactor => reactor.AddReconnectingClient<QuietHandler>("feed").AddHealthChecks());
        var client = host.Services.GetRequiredKeyedService<ReconnectingClient>("feed");
        Assert.That(client.State, Is.EqualTo(ReconnectState.Idle), "nothing happens before the start");
        Assert.That(await ReadyAsync(host), Is.EqualTo(HealthStatus.Unhealthy));
        await host.StartAsync();

        Connection first = await client.WaitForConnectionAsync().WaitAsync(_bound);
        Assert.That(await ReadyAsync(host), Is.EqualTo(HealthStatus.Healthy));
        first.Reactor.Post(() => first.Abort());
        await first.Completion.WaitAsync(_bound);
        Connection second = await client.WaitForConnectionAsync().WaitAsync(_bound);

        Assert.That(second, Is.Not.SameAs(first));
        var reactor = host.Services.GetRequiredService<HostedReactor>();
        Assert.That(reactor.GetReconnectingClient("feed"), Is.SameAs(client));
        await host.StopAsync().WaitAsync(_bound);
        Assert.That((await client.Completion.WaitAsync(_bound)).Kind, Is.EqualTo(ReconnectEndKind.ReactorStopped));
        await server.StopAsync();
    }

    [Test]
    public async Task AReconnectingClient_LogsConnections_Losses_AndTheFirstFailure()
    {
        using var log = new LogKeeper();
        var server = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        server.Start();
        EndPoint endPoint = server.LocalEndpoint;
        int failures = 0;
        using IHost host = Build(
            new()
            {
                ["Clients:feed:EndPoint"] = $"{endPoint}",
                ["Clients:feed:Reconnect:BaseDelay"] = "00:00:00.010",
                ["Clients:feed:Reconnect:MaxDelay"] = "00:00:00.010",
            },
            reactor =>
            {
                reactor.Services.AddLogging(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Information));
                return reactor.AddReconnectingClient<QuietHandler>("feed");
            });
        var client = host.Services.GetRequiredKeyedService<ReconnectingClient>("feed");
        client.AttemptFailed += _ => Interlocked.Increment(ref failures);
        await host.StartAsync();
        await client.WaitForConnectionAsync().WaitAsync(_bound);

        (await server.AcceptSocketAsync().WaitAsync(_bound)).Dispose();
        server.Dispose();
        Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref failures) >= 3, _bound));
        await host.StopAsync().WaitAsync(_bound);

        string[] lines = [.. log.Lines.Where(static line => line.Contains("\"feed\"", StringComparison.Ordinal))];
        Assert.That(lines, Has.Some.Contain("The client \"feed\" is connected: "));
        Assert.That(lines, Has.Some.Contain("The client \"feed\" has lost "));
        Assert.That(
            lines, Has.Exactly(1).Contain($"The client \"feed\" can't connect to {endPoint}, and tries again in "));
    }

    [Test]
    public async Task APool_IsAService_AndEndsWithTheHost()
    {
        using IHost server = Build([], Echo);
        await server.StartAsync();
        using IHost host = Build(
            new()
            {
                ["Clients:store:EndPoint"] = $"{Listening(server)}",
                ["Clients:store:Pool:MaxConnections"] = "1",
                ["Clients:store:Pool:RentTimeout"] = "00:00:00.050",
            },
            static reactor => reactor.AddConnectionPool("store"));
        await host.StartAsync();
        var pool = host.Services.GetRequiredKeyedService<ConnectionPool>("store");

        using (ConnectionLease lease = await pool.RentAsync().WaitAsync(_bound))
        {
            Assert.That(lease.Connection.State, Is.EqualTo(ConnectionState.Open));
            Assert.That(
                async () => await pool.RentAsync().WaitAsync(_bound),
                Throws.TypeOf<TimeoutException>().With.Message.Contains("of at most 1"));
        }

        Assert.That(host.Services.GetRequiredService<HostedReactor>().GetConnectionPool("store"), Is.SameAs(pool));
        await host.StopAsync().WaitAsync(_bound);
        Assert.That(async () => await pool.RentAsync().WaitAsync(_bound), Throws.Exception);
        await server.StopAsync();
    }

    [Test]
    public async Task TheServices_CanBeDisposedOfWithoutAwait()
    {
        ServiceProvider services = new ServiceCollection()
            .AddSelectReactor()
            .AddReconnectingClient<QuietHandler>("feed", static options => options.EndPoint = "127.0.0.1:1")
            .AddConnectionPool("store", static options => options.EndPoint = "127.0.0.1:1")
            .Services.BuildServiceProvider();
        var feed = services.GetRequiredKeyedService<ReconnectingClient>("feed");
        var store = services.GetRequiredKeyedService<ConnectionPool>("store");
        feed.Start();

        await Task.Run(services.Dispose).WaitAsync(_bound);

        await feed.Completion.WaitAsync(_bound);
        Assert.That(
            async () => await store.RentAsync().WaitAsync(_bound), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task ACertificateInTheConfiguration_MakesTheServerSpeakTls()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=site", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string path = Path.Combine(_folder, "site.pem");
        string keyPath = Path.Combine(_folder, "key.pem");
        File.WriteAllText(path, certificate.ExportCertificatePem());
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        using IHost server = Build(
            new()
            {
                ["Servers:echo:Certificate:Path"] = path,
                ["Servers:echo:Certificate:KeyPath"] = keyPath,
                ["Servers:echo:Listener:Tls:HandshakeTimeout"] = "00:00:07",
            },
            Echo);
        await server.StartAsync();
        using var reactor = new ReactorThread();
        X509Certificate? seen = null;
        var options = new ConnectOptions
        {
            Tls = new TlsClientOptions
            {
                Configure = tls => tls.RemoteCertificateValidationCallback = (_, sent, _, _) =>
                {
                    seen = sent;
                    return sent is not null;
                },
            },
        };

        Connection connection = await reactor.Reactor
            .ConnectAsync(Listening(server), new QuietHandler(), options, CancellationToken.None).WaitAsync(_bound);

        Assert.That(connection.State, Is.EqualTo(ConnectionState.Open));
        Assert.That(seen?.GetRawCertData(), Is.EqualTo(certificate.RawData));
        await server.StopAsync();
    }

    [Test]
    public async Task ATrustedProxyInTheConfiguration_TellsTheClientsAddress()
    {
        using IHost server = Build(
            new() { ["Servers:echo:TrustedProxies:0"] = "127.0.0.0/8", ["Servers:echo:TrustedProxies:1"] = "::1" },
            static reactor => reactor.AddServer<AddressHandler>("echo"));
        await server.StartAsync();
        using var client = new Client(Listening(server));

        Assert.That(client.Ask("PROXY TCP4 192.0.2.7 192.0.2.1 5555 7\r\n"), Is.EqualTo("192.0.2.7:5555"));
        await server.StopAsync();
    }

    [TestCase("Servers:echo:Certificate:KeyPath", "key.pem", "The server \"echo\" has a certificate without a file")]
    [TestCase("Servers:echo:Certificate:Path", "nowhere.pem", "nowhere.pem")]
    [TestCase("Servers:echo:Certificate:Path", "nowhere.pem", "The server \"echo\" did not start")]
    [TestCase("Servers:echo:Certificate:Path", "nowhere.pem", "ServerOptions.Certificate can't be used (Path \"now")]
    [TestCase("Servers:echo:TrustedProxies:0", "10.0.0.0/99", "can't trust \"10.0.0.0/99\"")]
    [TestCase("Clients:feed:EndPoint", "7007", "The client \"feed\" can't connect to \"7007\"")]
    [TestCase("Clients:feed:EndPoint", null, "set ReconnectingClientOptions.EndPoint")]
    [TestCase("Clients:feed:Reconnect:MaxFailures", "0", "\"Clients:feed\"")]
    [TestCase("Clients:store:EndPoint", null, "The pool \"store\" has no end point")]
    [TestCase("Clients:store:Pool:MaxConnections", "0", "ConnectionPoolOptions.MaxConnections must be at least 1")]
    public void ABadValue_FailsTheStart_AndIsNamed(string key, string? value, string message)
    {
        using IHost host = Build(
            new()
            {
                ["Clients:feed:EndPoint"] = "127.0.0.1:1",
                ["Clients:store:EndPoint"] = "127.0.0.1:1",
                [key] = value,
            },
            static reactor => Echo(reactor).AddReconnectingClient<QuietHandler>("feed").AddConnectionPool("store"));

        Assert.That(async () => await host.StartAsync(), Throws.Exception.With.Message.Contains(message));
    }

    [Test]
    public void AnEmptyNameOfAKeyFile_FailsTheStart_AndIsNamed()
    {
        using IHost host = Build(
            new() { ["Servers:echo:Certificate:Path"] = "site.pem", ["Servers:echo:Certificate:KeyPath"] = "" }, Echo);

        Assert.That(
            async () => await host.StartAsync(),
            Throws.Exception.With.Message.Contains("\"echo\"").And.Message.Contains("Certificate.KeyPath"));
    }

    [Test]
    public async Task SectionsThatNothingWasAddedFor_AreWarnedOf()
    {
        using var log = new LogKeeper();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(log);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Both:Servers:Echo:EndPoint"] = "127.0.0.1:0",
            ["Both:Servers:other:EndPoint"] = "127.0.0.1:0",
            ["Both:Servers:ecko:EndPoint"] = "127.0.0.1:0",
            ["Both:Clients:feed:EndPoint"] = "127.0.0.1:1",
            ["Both:Clients:store:EndPoint"] = "127.0.0.1:1",
            ["Both:Clients:peer:EndPoint"] = "127.0.0.1:1",
            ["Both:Clients:stor:EndPoint"] = "127.0.0.1:1",
        });
        IConfigurationSection section = builder.Configuration.GetSection("Both");
        Echo(builder.Services.AddSelectReactor(section)).AddReconnectingClient<QuietHandler>("feed")
            .AddConnectionPool("store").AddClient<QuietHandler>("peer");
        using IHost host = builder.Build();

        await host.StartAsync();
        await host.StopAsync();

        Assert.That(
            log.Lines.Where(static line => line.Contains("is not used", StringComparison.Ordinal)),
            Is.EquivalentTo(new[]
            {
                "SelectReactor.Hosting: The configuration at \"Both:Servers:other\" is not used: \"other\" was not "
                    + "added with AddServer.",
                "SelectReactor.Hosting: The configuration at \"Both:Servers:ecko\" is not used: \"ecko\" was not "
                    + "added with AddServer.",
                "SelectReactor.Hosting: The configuration at \"Both:Clients:stor\" is not used: \"stor\" was not "
                    + "added with AddClient, AddReconnectingClient or AddConnectionPool.",
            }));
    }

    [Test]
    public void ANameThatIsTaken_IsRefused()
    {
        var services = new ServiceCollection();
        SelectReactorBuilder one = services.AddSelectReactor("one", static _ => { }).AddConnectionPool("a")
            .AddReconnectingClient<QuietHandler>("b").AddClient<QuietHandler>("c");
        SelectReactorBuilder two = services.AddSelectReactor("two", static _ => { });

        Assert.That(() => one.AddClient<QuietHandler>("a"), Throws.ArgumentException);
        Assert.That(() => one.AddConnectionPool("b"), Throws.ArgumentException);
        Assert.That(() => one.AddReconnectingClient<QuietHandler>("c"), Throws.ArgumentException);
        Assert.That(() => two.AddConnectionPool("a"), Throws.ArgumentException);
        Assert.That(() => two.AddClient<QuietHandler>("c"), Throws.ArgumentException);
    }

    private static SelectReactorBuilder Echo(SelectReactorBuilder reactor) => reactor.AddServer<QuietHandler>("echo");

    private static IHost Build(
        Dictionary<string, string?> configuration, Func<SelectReactorBuilder, SelectReactorBuilder> add)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?> { ["Servers:echo:EndPoint"] = "127.0.0.1:0" });
        builder.Configuration.AddInMemoryCollection(configuration);
        add(builder.Services.AddSelectReactor(
            builder.Configuration, static options => options.DrainTimeout = TimeSpan.FromMilliseconds(100)));
        return builder.Build();
    }

    private static EndPoint Listening(IHost host) =>
        host.Services.GetRequiredService<HostedReactor>().GetListener("echo").LocalEndPoint;

    private static async Task<HealthStatus> ReadyAsync(IHost host) =>
        (await host.Services.GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(static check => check.Tags.Contains("ready"))).Status;

    /// <summary>Reads all and says nothing.</summary>
    public sealed class QuietHandler : ConnectionHandler
    {
        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out var result))
            {
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }

    /// <summary>Tells the client its address.</summary>
    public sealed class AddressHandler : ConnectionHandler
    {
        public override void OnConnected(Connection connection) =>
            connection.TryWrite(System.Text.Encoding.ASCII.GetBytes($"{connection.RemoteEndPoint}"));

        public override void OnReadable(Connection connection)
        {
        }
    }
}

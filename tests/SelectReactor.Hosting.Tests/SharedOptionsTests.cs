using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static SelectReactor.Hosting.Tests.TestHost;

namespace SelectReactor.Hosting.Tests;

/// <summary>Objects with options that the program uses for several servers, clients or hosts.</summary>
public sealed class SharedOptionsTests
{
    [Test]
    public async Task WhatIsConfiguredForOneServer_DoesNotReachAnother()
    {
        var common = new ListenerOptions();
        using IHost host = Build(
            (services, configuration) => services.AddSelectReactor(configuration)
                .AddServer<AddressHandler>("inner", options => options.Listener = common)
                .AddServer<AddressHandler>("outer", options => options.Listener = common),
            new()
            {
                ["Servers:inner:EndPoint"] = "*:0",
                ["Servers:inner:TrustedProxies:0"] = "127.0.0.0/8",
                ["Servers:outer:EndPoint"] = "127.0.0.1:0",
            });
        await host.StartAsync();
        using var client = new Client(Listening(host, "outer"));

        Assert.That(client.Ask("PROXY TCP4 192.0.2.7 192.0.2.1 5555 7\r\n"), Does.StartWith("127.0.0.1:"));
        Assert.That(common.DualMode, Is.False);
        Assert.That(common.ProxyProtocol, Is.Null);
        await host.StopAsync();
    }

    [Test]
    public async Task TheCertificateOfOneServer_DoesNotReachAnother()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=site", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string path = Path.Combine(Directory.CreateTempSubdirectory("hosting").FullName, "site.pem");
        File.WriteAllText(path, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        var common = new ListenerOptions { Tls = new TlsServerOptions() };
        using IHost host = Build(services => services.AddSelectReactor().AddServer<AddressHandler>("site", options =>
        {
            options.ListenOn = AnyPort;
            options.Listener = common;
            options.Certificate = new CertificateFileOptions { Path = path };
        }));
        await host.StartAsync();

        Assert.That(common.Tls.Certificate, Is.Null);
        await host.StopAsync();
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Test]
    public async Task TheOptionsOfAGroup_CanServeSeveralHosts()
    {
        var common = new ReactorGroupOptions();
        for (int i = 0; i < 2; i++)
        {
            using IHost host = Build(services => services
                .AddMetrics()
                .AddSelectReactor(options => options.Group = common)
                .AddServer<AddressHandler>("echo", AnyPort));
            await host.StartAsync();
            await host.StopAsync();
        }

        var untouched = new ReactorGroupOptions();
        Assert.That(common.Reactor.Logger, Is.SameAs(untouched.Reactor.Logger));
        Assert.That(common.Reactor.MeterFactory, Is.Null);
        Assert.That(common.DisposeTimeout, Is.EqualTo(untouched.DisposeTimeout));
    }

    [Test]
    public async Task TheConfiguration_DoesNotChangeWhatTheProgramHasSetForAll()
    {
        var group = new ReactorGroupOptions();
        var listener = new ListenerOptions();
        var connect = new ConnectOptions();
        var reconnect = new ReconnectOptions();
        var pool = new ConnectionPoolOptions();
        using IHost host = Build(
            (services, configuration) => services
                .ConfigureAll<SelectReactorOptions>(options => options.Group = group)
                .ConfigureAll<ServerOptions>(options => options.Listener = listener)
                .ConfigureAll<ClientOptions>(options => options.Connect = connect)
                .ConfigureAll<ReconnectingClientOptions>(options => options.Reconnect = reconnect)
                .ConfigureAll<PoolOptions>(options => options.Pool = pool)
                .AddSelectReactor(configuration)
                .AddServer<AddressHandler>("echo")
                .AddClient<AddressHandler>("peer")
                .AddReconnectingClient<AddressHandler>("feed")
                .AddConnectionPool("store"),
            new()
            {
                ["Group:MaxConnections"] = "77",
                ["Group:Reactor:MaxPostsPerTick"] = "77",
                ["Servers:echo:EndPoint"] = "127.0.0.1:0",
                ["Servers:echo:Listener:MaxConnections"] = "77",
                ["Servers:echo:Listener:Connection:MaxInputBytes"] = "77777",
                ["Clients:peer:EndPoint"] = "127.0.0.1:1",
                ["Clients:peer:Connect:Timeout"] = "00:00:00.077",
                ["Clients:feed:EndPoint"] = "127.0.0.1:1",
                ["Clients:feed:Reconnect:MaxFailures"] = "77",
                ["Clients:feed:Reconnect:Connect:Timeout"] = "00:00:00.077",
                ["Clients:store:EndPoint"] = "127.0.0.1:1",
                ["Clients:store:Pool:MaxConnections"] = "77",
                ["Clients:store:Pool:Connect:Timeout"] = "00:00:00.077",
            });
        await host.StartAsync();
        await host.StopAsync();

        TimeSpan timeout = new ConnectOptions().Timeout;
        Assert.That(group.MaxConnections, Is.EqualTo(new ReactorGroupOptions().MaxConnections));
        Assert.That(group.Reactor.MaxPostsPerTick, Is.EqualTo(new ReactorOptions().MaxPostsPerTick));
        Assert.That(listener.MaxConnections, Is.EqualTo(new ListenerOptions().MaxConnections));
        Assert.That(listener.Connection.MaxInputBytes, Is.EqualTo(new ConnectionOptions().MaxInputBytes));
        Assert.That(connect.Timeout, Is.EqualTo(timeout));
        Assert.That(reconnect.MaxFailures, Is.EqualTo(new ReconnectOptions().MaxFailures));
        Assert.That(reconnect.Connect.Timeout, Is.EqualTo(timeout));
        Assert.That(pool.MaxConnections, Is.EqualTo(new ConnectionPoolOptions().MaxConnections));
        Assert.That(pool.Connect.Timeout, Is.EqualTo(timeout));
    }

    /// <summary>Answers with the client's address.</summary>
    public sealed class AddressHandler : ConnectionHandler
    {
        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out var result))
            {
                connection.Input.AdvanceTo(result.Buffer.End);
                connection.TryWrite(Encoding.ASCII.GetBytes($"{connection.RemoteEndPoint}"));
            }
        }
    }
}

using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>Addresses, registration and options.</summary>
[TestFixture(TransportKind.Pool)]
[TestFixture(TransportKind.Inline)]
[TestFixture(TransportKind.Sockets)]
internal sealed class BindTests(TransportKind transport)
{
    private WebServerSettings Settings { get; } = new(transport) { ListensOnLoopback = false };

    [Test]
    public async Task A_busy_port_makes_the_start_fail()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        await using var server = WebServer.Create(Settings with
        {
            Kestrel = options => options.Listen((IPEndPoint)other.LocalEndPoint!),
        });

        IOException thrown = (await Assert.ThrowsAsync<IOException>(() => server.Application.StartAsync()))!;

        Assert.That(thrown.InnerException, Is.InstanceOf<AddressInUseException>());
        Assert.That(thrown.Message, Does.Contain("address already in use"));
    }

    [Test]
    public async Task IPv6Any_serves_clients_of_both_families()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options => options.Listen(IPAddress.IPv6Any, 0),
        });
        int port = new Uri(server.Address.Replace("[::]", "localhost", StringComparison.Ordinal)).Port;

        foreach (IPAddress address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            using RawClient client = await RawClient.ConnectAsync(new IPEndPoint(address, port));
            await client.SendAsync(RawClient.Get);
            Assert.That(await client.ReadUntilAsync("0\r\n\r\n"), Does.Contain("Hello"));
        }
    }

    [Test]
    public async Task UnixDomainSocket()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using (WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = options => options.ListenUnixSocket(path),
        }))
        {
            using RawClient client = await RawClient.ConnectAsync(new UnixDomainSocketEndPoint(path));
            await client.SendAsync(RawClient.Get);
            Assert.That(await client.ReadUntilAsync("0\r\n\r\n"), Does.Contain("Hello"));
        }

        Assert.That(File.Exists(path), Is.False, "The file of the socket stays behind.");
    }

    [Test]
    public async Task ListenHandle_leaves_the_descriptor_open_for_the_next_server()
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var endPoint = (IPEndPoint)listening.LocalEndPoint!;
        int descriptor = (int)listening.SafeHandle.DangerousGetHandle();

        // With Kestrel's own transport the next server does not always get the client.
        int servers = transport == TransportKind.Sockets ? 1 : 3;
        for (int i = 0; i < servers; i++)
        {
            await using WebServer server = await WebServer.StartAsync(Settings with
            {
                Kestrel = options => options.ListenHandle((ulong)descriptor),
            });

            using RawClient client = await RawClient.ConnectAsync(endPoint);
            await client.SendAsync(RawClient.Get);
            Assert.That(await client.ReadUntilAsync("0\r\n\r\n"), Does.Contain("Hello"));
        }
    }

    [Test]
    public async Task ListenHandle_closes_no_descriptor_that_it_cannot_listen_on([Values] bool isFile)
    {
        using FileStream file = File.OpenRead(typeof(BindTests).Assembly.Location);
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        datagrams.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        SafeHandle handle = isFile ? file.SafeFileHandle : datagrams.SafeHandle;
        await using var server = WebServer.Create(Settings with
        {
            Kestrel = options => options.ListenHandle((ulong)handle.DangerousGetHandle()),
        });

        Assert.That(async () => await server.Application.StartAsync().Within(), Throws.InstanceOf<Exception>());

        await server.Application.StopAsync();
        Assert.That(file.ReadByte(), Is.Not.Negative);
        Assert.That(datagrams.Available, Is.Zero);
    }

    [Test]
    public async Task Several_listeners_serve_at_once()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options =>
            {
                options.Listen(IPAddress.Loopback, 0);
                options.Listen(IPAddress.Loopback, 0);
                options.Listen(IPAddress.IPv6Loopback, 0);
            },
        });

        string[] addresses = [.. server.Application.Urls];

        Assert.That(addresses, Has.Length.EqualTo(3).And.Unique);
        using var client = new HttpClient();
        foreach (string address in addresses)
        {
            Assert.That(await client.GetStringAsync(address).Within(), Is.EqualTo("Hello"));
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task The_transport_is_used_whether_it_is_added_before_or_after_Kestrel(bool isBefore)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        if (isBefore)
        {
            WebServer.UseTransport(builder.WebHost, Settings);
        }

        builder.WebHost.UseKestrel(static options => options.Listen(IPAddress.Loopback, 0));
        if (!isBefore)
        {
            WebServer.UseTransport(builder.WebHost, Settings);
        }

        await using WebApplication application = builder.Build();
        application.Run(static context => context.Response.WriteAsync("Hello"));
        await application.StartAsync();

        using var client = new HttpClient();
        Assert.That(await client.GetStringAsync(application.Urls.First()).Within(), Is.EqualTo("Hello"));
        string expected = transport == TransportKind.Sockets ? "SocketTransportFactory" : "TransportFactory";
        Assert.That(
            application.Services.GetServices<IConnectionListenerFactory>().Last().GetType().Name,
            Is.EqualTo(expected));
        if (transport != TransportKind.Sockets)
        {
            ReactorGroup group = application.Services.GetRequiredService<TransportReactors>().Group;
            Assert.That(group.Statistics.Accepted, Is.GreaterThan(0));
        }
    }
}

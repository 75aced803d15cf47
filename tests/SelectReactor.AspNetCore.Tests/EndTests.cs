using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>What is left of a connection after Kestrel has let it go, and what a client sees when its reactor
/// ends.</summary>
[TestFixture(TransportKind.Pool)]
[TestFixture(TransportKind.Inline)]
internal sealed class EndTests(TransportKind transport)
{
    private WebServerSettings Settings { get; } = new(transport);

    [Test]
    public async Task Clients_that_a_limit_refuses_are_not_kept()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options => options.Limits.MaxConcurrentConnections = 1,
        });
        ReactorGroup group = GroupOf(server);
        using RawClient served = await server.ConnectAsync();
        await served.SendAsync(RawClient.Get);
        await served.ReadUntilAsync("0\r\n\r\n");
        List<RawClient> refused = [];
        for (int i = 0; i < 50; i++)
        {
            RawClient client = await server.ConnectAsync();
            refused.Add(client);
            await client.ReadToErrorAsync();
        }

        await Waiting.UntilAsync(() => group.Statistics.Connections == 1, "The refused clients are kept.");
        refused.ForEach(static client => client.Dispose());
    }

    [Test]
    public async Task A_client_that_reads_slowly_is_not_kept_longer_and_gets_everything()
    {
        const int Bytes = 300_000;
        await using var server = WebServer.Create(Settings with
        {
            Serve = static context => context.Response.Body.WriteAsync(new byte[Bytes]).AsTask(),
        });
        server.Services.GetRequiredService<TransportReactors>().LingerTimeout = TimeSpan.FromMilliseconds(500);
        await server.Application.StartAsync();
        ReactorGroup group = GroupOf(server);
        using RawClient client = await RawClient.ConnectAsync(
            server.EndPoint, static socket => socket.ReceiveBufferSize = 4096);
        await client.SendAsync("GET / HTTP/1.0\r\n\r\n");
        await client.ReadUntilAsync("\r\n\r\n");

        byte[] buffer = new byte[4096];
        int received = 0;
        while (group.Statistics.Connections > 0)
        {
            received += await client.Socket.ReceiveAsync(buffer).Within();
            await Task.Delay(50);
        }

        Assert.That(received, Is.LessThan(Bytes), "It was kept until it had everything.");
        Assert.That(received + (await client.ReadToEndAsync()).Length, Is.EqualTo(Bytes));
    }

    [Test]
    public async Task The_end_of_a_reactor_resets_an_answer_that_is_not_whole([Values] bool isDrained)
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.Run(static async connection =>
            {
                await connection.Transport.Output.WriteAsync("the beginning"u8.ToArray());
                var closed = new TaskCompletionSource();
                connection.ConnectionClosed.Register(closed.SetResult);
                await closed.Task;
            }),
        });
        ReactorGroup group = GroupOf(server);
        using RawClient client = await server.ConnectAsync();
        await client.ReadUntilAsync("beginning");

        await EndAsync(group, isDrained);

        Assert.That(await client.ReadToErrorAsync(), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public async Task The_end_of_a_reactor_resets_what_a_client_of_ours_has_not_ended([Values] bool isDrained)
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        await using WebServer server = await WebServer.StartAsync(Settings);
        IConnectionFactory factory = server.Services.GetRequiredService<IConnectionFactory>();
        ConnectionContext connection = await factory.ConnectAsync(listening.LocalEndPoint!).Within();
        using Socket peer = await listening.AcceptAsync();
        await connection.Transport.Output.WriteAsync("the beginning"u8.ToArray());
        byte[] buffer = new byte[100];
        int received = 0;
        while (received < "the beginning".Length)
        {
            received += await peer.ReceiveAsync(buffer).Within();
        }

        await EndAsync(GroupOf(server), isDrained);

        Assert.That(
            async () => await peer.ReceiveAsync(buffer).Within(),
            Throws.InstanceOf<SocketException>()
                .With.Property("SocketErrorCode").EqualTo(SocketError.ConnectionReset));
        await connection.DisposeAsync();
    }

    [Test]
    public async Task An_end_without_a_reason_sends_what_was_written()
    {
        const int Bytes = 4 * 1024 * 1024;
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.Run(static async connection =>
            {
                ValueTask<System.IO.Pipelines.FlushResult> writing =
                    connection.Transport.Output.WriteAsync(new byte[Bytes]);
                connection.Abort(null!);
                await writing;
            }),
        });
        using RawClient client = await RawClient.ConnectAsync(
            server.EndPoint, static socket => socket.ReceiveBufferSize = 4096);
        client.Socket.Shutdown(SocketShutdown.Send);
        await Task.Delay(100);

        Assert.That((await client.ReadToEndAsync()).Length, Is.EqualTo(Bytes));
    }

    [Test]
    public async Task An_end_without_a_reason_needs_no_output()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.Run(static async connection =>
            {
                connection.Abort(null!);
                var closed = new TaskCompletionSource();
                connection.ConnectionClosed.Register(closed.SetResult);
                await closed.Task;
            }),
        });
        using RawClient client = await server.ConnectAsync();

        Assert.That(await client.ReadToEndAsync(), Is.Empty);
    }

    private static ReactorGroup GroupOf(WebServer server) =>
        server.Services.GetRequiredService<TransportReactors>().Group;

    // Of the reactor that has the connection.
    private static async Task EndAsync(ReactorGroup group, bool isDrained)
    {
        int index = group.Statistics.ConnectionsOfReactors.ToList().IndexOf(1);
        if (isDrained)
        {
            await group.DrainAsync(group.Reactors[index], TimeSpan.FromMilliseconds(50)).Within();
        }
        else
        {
            group.Reactors[index].Dispose();
        }
    }
}

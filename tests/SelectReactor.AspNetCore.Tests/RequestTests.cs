using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>Clients that end or cut their connections at each point of a request, by the names of Kestrel's own
/// tests.</summary>
[TestFixture(TransportKind.Pool)]
[TestFixture(TransportKind.Inline)]
[TestFixture(TransportKind.Sockets)]
internal sealed class RequestTests(TransportKind transport)
{
    private const string Post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n";

    private WebServerSettings Settings { get; } = new(transport);

    [TestCase("127.0.0.1")]
    [TestCase("::1")]
    public async Task Remote_addresses_are_those_of_the_client(string address)
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            ListensOnLoopback = false,
            Kestrel = options => options.Listen(IPAddress.Parse(address), 0),
            Serve = static context => context.Response.WriteAsync(
                $"{context.Connection.RemoteIpAddress} {context.Connection.RemotePort}"),
        });
        using RawClient client =
            await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), new Uri(server.Address).Port));

        await client.SendAsync(RawClient.LastGet);

        var local = (IPEndPoint)client.Socket.LocalEndPoint!;
        Assert.That(await client.ReadToEndAsync(), Does.Contain($"{local.Address} {local.Port}"));
    }

    [Test]
    public async Task ConnectionResetPriorToRequestIsLoggedAsDebug()
    {
        await using WebServer server = await WebServer.StartAsync(Settings);
        RawClient client = await server.ConnectAsync();
        await UntilAcceptedAsync(server);

        client.Reset();

        await VerifyResetIsLoggedAsDebugAsync(server);
    }

    [Test]
    public async Task ConnectionResetBetweenRequestsIsLoggedAsDebug()
    {
        await using WebServer server = await WebServer.StartAsync(Settings);
        RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Get);
        await client.ReadUntilAsync("0\r\n\r\n");

        client.Reset();

        await VerifyResetIsLoggedAsDebugAsync(server);
    }

    [Test]
    public async Task ConnectionResetMidRequestIsLoggedAsDebug()
    {
        await using WebServer server = await WebServer.StartAsync(Settings);
        RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: loc");
        await UntilAcceptedAsync(server);

        client.Reset();

        await VerifyResetIsLoggedAsDebugAsync(server);
    }

    [Test]
    public async Task ThrowsOnReadAfterConnectionError()
    {
        var started = new TaskCompletionSource();
        var thrown = new TaskCompletionSource<Exception?>();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = async context =>
            {
                started.SetResult();
                thrown.SetResult(await CatchAsync(() =>
                    context.Request.Body.ReadExactlyAsync(new byte[100]).AsTask()));
            },
        });
        RawClient client = await server.ConnectAsync();
        await client.SendAsync(Post + "Hello");
        await started.Task.Within();

        client.Reset();

        Assert.That(await thrown.Task.Within(), Is.InstanceOf<ConnectionResetException>());
    }

    [Test]
    public async Task RequestAbortedTokenFiredOnClientFIN()
    {
        var started = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = async context =>
            {
                context.RequestAborted.Register(aborted.SetResult);
                started.SetResult();
                await aborted.Task.Within();
            },
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Get);
        await started.Task.Within();

        client.Socket.Shutdown(SocketShutdown.Send);

        await aborted.Task.Within();
        Assert.That(server.Log.OfTransport.Select(static entry => entry.Id.Id), Has.Member(6));
    }

    [Test]
    public async Task ConnectionClosedTokenFiresOnClientFIN()
    {
        var closed = new TaskCompletionSource<bool>();
        var started = new TaskCompletionSource();
        await using WebServer server = await StartNotingCloseAsync(closed, started, static _ => Task.CompletedTask);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Get);
        await started.Task.Within();

        client.Socket.Shutdown(SocketShutdown.Send);

        await closed.Task.Within();
    }

    [Test]
    public async Task ConnectionClosedTokenFiresOnServerFIN()
    {
        var closed = new TaskCompletionSource<bool>();
        await using WebServer server = await StartNotingCloseAsync(closed, new(), static context =>
        {
            context.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        });
        using RawClient client = await server.ConnectAsync();

        await client.SendAsync(RawClient.Get);

        await client.ReadToEndAsync();
        await closed.Task.Within();
        Assert.That(server.Log.OfTransport.Select(static entry => entry.Id.Id), Has.Member(7));
    }

    [Test]
    public async Task ConnectionClosedTokenFiresOnServerAbort()
    {
        var closed = new TaskCompletionSource<bool>();
        await using WebServer server = await StartNotingCloseAsync(closed, new(), static context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        using RawClient client = await server.ConnectAsync();

        await client.SendAsync(RawClient.Get);

        Assert.That(await client.ReadToErrorAsync(), Is.EqualTo(SocketError.ConnectionReset));
        bool isOnPool = await closed.Task.Within();
        Assert.That(isOnPool, Is.True, "The token is cancelled where code may block.");
        Assert.That(server.Log.OfTransport.Select(static entry => entry.Id.Id), Has.Member(8));
    }

    [Test]
    public async Task RequestsCanBeAbortedMidRead()
    {
        var thrown = new TaskCompletionSource<Exception?>();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = async context =>
            {
                byte[] buffer = new byte[100];
                await context.Request.Body.ReadExactlyAsync(buffer.AsMemory(0, 5));
                Task read = context.Request.Body.ReadAtLeastAsync(buffer, 1).AsTask();
                context.Abort();
                thrown.SetResult(await CatchAsync(() => read));
            },
        });
        using RawClient client = await server.ConnectAsync();

        await client.SendAsync(Post + "Hello");

        Assert.That(await thrown.Task.Within(), Is.InstanceOf<ConnectionAbortedException>()
            .Or.InstanceOf<OperationCanceledException>());
        Assert.That(await client.ReadToErrorAsync(), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public async Task ServerCanAbortConnectionAfterUnobservedClose()
    {
        const int Pieces = 256;
        var started = new TaskCompletionSource();
        var clientClosed = new TaskCompletionSource();
        var served = new TaskCompletionSource<Exception?>();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = async context => served.SetResult(await CatchAsync(async () =>
            {
                started.SetResult();
                await clientClosed.Task.Within();
                for (int i = 0; i < Pieces; i++)
                {
                    await context.Response.BodyWriter.WriteAsync(new byte[65536], context.RequestAborted);
                }

                context.Abort();
            })),
        });
        RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Get);
        await started.Task.Within();

        client.Socket.Shutdown(SocketShutdown.Send);
        client.Dispose();
        clientClosed.SetResult();

        await served.Task.Within();
        Assert.That(server.Log.OfTransport.Select(static entry => entry.Level), Is.All.AtMost(LogLevel.Debug));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task AppCanHandleClientAbortingConnectionMidRequest(bool isReset)
    {
        var started = new TaskCompletionSource();
        var thrown = new TaskCompletionSource<Exception?>();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = async context =>
            {
                started.SetResult();
                thrown.SetResult(await CatchAsync(() => context.Request.Body.CopyToAsync(Stream.Null)));
            },
        });
        RawClient client = await server.ConnectAsync();
        await client.SendAsync(Post + "Hello");
        await started.Task.Within();

        if (isReset)
        {
            client.Reset();
        }
        else
        {
            client.Socket.Shutdown(SocketShutdown.Send);
        }

        Assert.That(await thrown.Task.Within(), Is.InstanceOf<IOException>());
        // Kestrel itself may log an error, since the application reads on after the failure.
        Assert.That(server.Log.OfTransport.Select(static entry => entry.Level), Is.All.AtMost(LogLevel.Debug));
        client.Dispose();
    }

    private Task<WebServer> StartNotingCloseAsync(
        TaskCompletionSource<bool> closed, TaskCompletionSource started, Func<HttpContext, Task> serve) =>
        WebServer.StartAsync(Settings with
        {
            Listen = listen => listen.Use(next => connection =>
            {
                CancellationToken token = connection.Features.Get<IConnectionLifetimeFeature>()!.ConnectionClosed;
                token.Register(() => closed.TrySetResult(Thread.CurrentThread.IsThreadPoolThread));
                return next(connection);
            }),
            Serve = async context =>
            {
                started.TrySetResult();
                await serve(context);
            },
        });

    private static Task UntilAcceptedAsync(WebServer server) => Waiting.UntilAsync(
        () => server.Log.Entries.Any(static entry => entry.Id.Name == "ConnectionStart"),
        "The connection is not accepted.");

    private static async Task VerifyResetIsLoggedAsDebugAsync(WebServer server)
    {
        await Waiting.UntilAsync(
            () => server.Log.OfTransport.Any(static entry => entry.Id.Id == 19), "The reset is not logged.");
        await Waiting.UntilAsync(
            () => server.Log.Entries.Any(static entry => entry.Id.Name == "ConnectionStop"),
            "The connection does not end.");
        Assert.That(server.Log.AboveDebug, Is.Empty);
    }

    private static async Task<Exception?> CatchAsync(Func<Task> code)
    {
        try
        {
            await code();
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}

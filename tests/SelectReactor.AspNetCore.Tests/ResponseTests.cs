using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>Clients that go away or read slowly while they are answered, by the names of Kestrel's own tests. Most of
/// them wait, so they run at the same time.</summary>
[Parallelizable(ParallelScope.All)]
[TestFixture(TransportKind.Pool)]
[TestFixture(TransportKind.Inline)]
[TestFixture(TransportKind.Sockets)]
internal sealed class ResponseTests(TransportKind transport)
{
    private WebServerSettings Settings { get; } = new(transport);

    [Test]
    public async Task An_output_that_fails_sends_what_was_taken_before()
    {
        const int Bytes = 60_000;
        var fails = new TaskCompletionSource();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = listen => listen.Run(async connection =>
            {
                connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket.SendBufferSize = 4096;
                await connection.Transport.Output.WriteAsync(new byte[Bytes]);
                await fails.Task.Within();
                await connection.Transport.Output.CompleteAsync(new InvalidOperationException("Broken."));
                await connection.Transport.Input.ReadAsync();
            }),
        });
        using RawClient client = await RawClient.ConnectAsync(
            server.EndPoint, static socket => socket.ReceiveBufferSize = 4096);
        await Waiting.UntilAsync(() => client.Socket.Available > 0, "Nothing comes.");
        fails.SetResult();

        // The reset destroys what the system has not sent yet, which is not much here.
        int received = 0;
        byte[] buffer = new byte[4096];
        Assert.That(
            async () =>
            {
                while (await client.Socket.ReceiveAsync(buffer).Within() is > 0 and int count)
                {
                    received += count;
                }
            },
            Throws.InstanceOf<SocketException>());
        Assert.That(received, Is.GreaterThan(Bytes / 2));
    }

    [Test]
    public async Task WritingToConnectionAfterUnobservedCloseTriggersRequestAbortedToken()
    {
        var clientClosed = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = async context =>
            {
                context.RequestAborted.Register(() => aborted.TrySetResult());
                started.SetResult();
                await clientClosed.Task.Within();
                while (!context.RequestAborted.IsCancellationRequested)
                {
                    await context.Response.BodyWriter.WriteAsync(new byte[65536]);
                }
            },
        });
        RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Get);
        await started.Task.Within();

        client.Dispose();
        clientClosed.SetResult();

        await aborted.Task.Within();
        Assert.That(server.Log.AboveDebug, Is.Empty);
    }

    [Test]
    public async Task ClientAbortingConnectionImmediatelyIsNotLoggedHigherThanDebug()
    {
        const int Clients = 50;
        await using WebServer server = await WebServer.StartAsync(Settings);

        for (int i = 0; i < Clients; i++)
        {
            RawClient client = await server.ConnectAsync();
            client.Reset();
        }

        using RawClient last = await server.ConnectAsync();
        await last.SendAsync(RawClient.Get);
        await last.ReadUntilAsync("0\r\n\r\n");
        Assert.That(server.Log.AboveDebug, Is.Empty);
    }

    [Test]
    public async Task ConnectionClosedWhenBothRequestAndResponseExperienceBackPressure()
    {
        const int Bytes = 100 * 65536;
        var served = new TaskCompletionSource<Exception?>();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options =>
            {
                options.Limits.MinRequestBodyDataRate = null;
                options.Limits.MinResponseDataRate =
                    new MinDataRate(bytesPerSecond: 1024 * 1024, gracePeriod: TimeSpan.FromSeconds(2));
            },
            Serve = async context =>
            {
                try
                {
                    // Echoes without end: the client sends and does not read.
                    byte[] buffer = new byte[65536];
                    int count;
                    while ((count = await context.Request.Body.ReadAsync(buffer)) > 0)
                    {
                        await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
                    }

                    served.SetResult(null);
                }
                catch (Exception exception)
                {
                    served.SetResult(exception);
                    throw;
                }
            },
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync($"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {Bytes}\r\n\r\n");

        var sending = Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                await client.Socket.SendAsync(new byte[65536]);
            }
        });

        Assert.That(
            await served.Task.Within(), Is.InstanceOf<OperationCanceledException>().Or.InstanceOf<IOException>());
        await Waiting.UntilAsync(
            () => server.Log.Entries.Any(static entry => entry.Id.Name == "ConnectionStop"), "It does not end.");
        client.Dispose();
        await Task.WhenAny(sending).Within();
        _ = sending.Exception;
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task ConnectionClosedWhenResponseDoesNotSatisfyMinimumDataRate(bool isHttps)
    {
        var aborted = new TaskCompletionSource();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options => options.Limits.MinResponseDataRate =
                new MinDataRate(bytesPerSecond: 1024 * 1024, gracePeriod: TimeSpan.FromSeconds(2)),
            Listen = listen => _ = isHttps ? listen.UseHttps(WebServer.Certificate) : listen,
            Serve = async context =>
            {
                context.RequestAborted.Register(() => aborted.TrySetResult());
                while (!context.RequestAborted.IsCancellationRequested)
                {
                    await context.Response.BodyWriter.WriteAsync(new byte[65536]);
                }
            },
        });
        using HttpClient client = server.CreateClient();

        using HttpResponseMessage answer =
            await client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead).Within();

        await aborted.Task.Within();
        Assert.That(
            server.Log.Entries.Select(static entry => entry.Id.Name),
            Has.Member("ResponseMinimumDataRateNotSatisfied"));
    }

    [Test]
    public async Task ConnectionNotClosedWhenClientSatisfiesMinimumDataRate()
    {
        const int Pieces = 64;
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options => options.Limits.MinResponseDataRate =
                new MinDataRate(bytesPerSecond: 1, gracePeriod: TimeSpan.FromSeconds(2)),
            Serve = static async context =>
            {
                context.Response.ContentLength = Pieces * 65536;
                for (int i = 0; i < Pieces; i++)
                {
                    await context.Response.BodyWriter.WriteAsync(new byte[65536]);
                }
            },
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Get);
        await client.ReadUntilAsync("\r\n\r\n");

        byte[] buffer = new byte[65536];
        long received = 0;
        while (received < Pieces * 65536)
        {
            int count = await client.Socket.ReceiveAsync(buffer).Within();
            Assert.That(count, Is.GreaterThan(0));
            received += count;
        }

        Assert.That(server.Log.Entries.Where(static entry => entry.Level > LogLevel.Information), Is.Empty);
    }

    [Test]
    public async Task A_flush_waits_for_a_client_that_does_not_read()
    {
        int pieces = 0;
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options => options.Limits.MinResponseDataRate = null,
            Serve = async context =>
            {
                while (!context.RequestAborted.IsCancellationRequested)
                {
                    await context.Response.BodyWriter.WriteAsync(new byte[65536]);
                    Interlocked.Increment(ref pieces);
                }
            },
        });
        using RawClient client = await server.ConnectAsync();
        client.Socket.ReceiveBufferSize = 65536;
        await client.SendAsync(RawClient.Get);
        await client.ReadUntilAsync("\r\n\r\n");

        int before = -1;
        while (before != Volatile.Read(ref pieces))
        {
            before = Volatile.Read(ref pieces);
            await Task.Delay(300);
        }

        Assert.That(before, Is.LessThan(1000), "The server writes without a bound.");
        byte[] buffer = new byte[65536];
        while (Volatile.Read(ref pieces) < before + 100)
        {
            Assert.That(await client.Socket.ReceiveAsync(buffer).Within(), Is.GreaterThan(0));
        }
    }

    [Test]
    public async Task A_client_that_pauses_gets_the_tail_of_what_the_server_has_ended()
    {
        const int Bytes = 1024 * 1024;
        await using var server = WebServer.Create(Settings with
        {
            Listen = static listen => listen.Run(static async connection =>
            {
                var feature = connection.Features.GetRequiredFeature<IConnectionSocketFeature>();
                feature.Socket.SendBufferSize = 4096;
                await connection.Transport.Output.WriteAsync(new byte[Bytes]);
            }),
        });
        if (server.Services.GetService<TransportReactors>() is { } reactors)
        {
            reactors.LingerTimeout = TimeSpan.FromMilliseconds(200);
        }

        await server.Application.StartAsync();
        using RawClient client = await RawClient.ConnectAsync(
            server.EndPoint, static socket => socket.ReceiveBufferSize = 4096);
        byte[] buffer = new byte[4096];
        int received = 0;
        while (received < Bytes && server.Log.OfTransport.All(static entry => entry.Id.Id != 7))
        {
            received += await client.Socket.ReceiveAsync(buffer).Within();
            await Task.Delay(1); // Slower than the server.
        }

        // The server has ended the output, and the library has some of it: nobody may be in a hurry.
        await Task.Delay(1000);
        received += (await client.ReadToEndAsync()).Length;

        Assert.That(received, Is.EqualTo(Bytes));
    }

    [Test]
    public async Task A_client_that_is_not_read_is_paused_and_resumed()
    {
        const int Bytes = 8 * 1024 * 1024;
        var mayRead = new TaskCompletionSource();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options => options.Limits.MinRequestBodyDataRate = null,
            Serve = async context =>
            {
                await mayRead.Task.Within();
                await context.Request.Body.CopyToAsync(Stream.Null);
                await context.Response.WriteAsync("done");
            },
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(
            $"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {Bytes}\r\n\r\n");
        Task sending = client.SendAsync(new byte[Bytes]);
        await Waiting.UntilAsync(
            () => server.Log.OfTransport.Any(static entry => entry.Id.Id == 4), "The connection is not paused.");

        mayRead.SetResult();

        await sending.Within();
        Assert.That(await client.ReadToEndAsync(), Does.Contain("done"));
        Assert.That(server.Log.OfTransport.Select(static entry => entry.Id.Id), Has.Member(5));
    }

    [Test]
    public async Task ServerAllowsConnectionClosedDuringConnectionPause()
    {
        const int Bytes = 8 * 1024 * 1024;
        var started = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var thrown = new TaskCompletionSource<Exception?>();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = async context =>
            {
                started.SetResult();
                await goOn.Task.Within();
                try
                {
                    await context.Request.Body.CopyToAsync(Stream.Null);
                    thrown.SetResult(null);
                }
                catch (Exception exception)
                {
                    thrown.SetResult(exception);
                }
            },
        });
        RawClient client = await server.ConnectAsync();
        await client.SendAsync($"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {Bytes}\r\n\r\n");
        await started.Task.Within();
        var sending = Task.Run(() => client.SendAsync(new byte[Bytes]));
        await Waiting.UntilAsync(
            () => server.Log.OfTransport.Any(static entry => entry.Id.Id == 4), "The connection is not paused.");

        client.Dispose();
        goOn.SetResult();

        Assert.That(await thrown.Task.Within(), Is.InstanceOf<IOException>());
        Assert.That(async () => await sending.Within(), Throws.InstanceOf<SocketException>()
            .Or.InstanceOf<ObjectDisposedException>());
        // Kestrel itself may log an error, since the application reads on after the failure.
        Assert.That(server.Log.OfTransport.Select(static entry => entry.Level), Is.All.AtMost(LogLevel.Debug));
    }
}

using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>What web applications do all day.</summary>
[TestFixture(TransportKind.Pool)]
[TestFixture(TransportKind.Inline)]
[TestFixture(TransportKind.Sockets)]
internal sealed class HttpTests(TransportKind transport)
{
    private WebServerSettings Settings { get; } = new(transport);

    [Test]
    public async Task Https_serves_requests_one_after_the_other()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.UseHttps(WebServer.Certificate),
        });
        using HttpClient client = server.CreateClient();

        for (int i = 0; i < 5; i++)
        {
            Assert.That(await client.GetStringAsync("/").Within(), Is.EqualTo("Hello"));
        }
    }

    [Test]
    public async Task Https_moves_much_in_both_directions()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.UseHttps(WebServer.Certificate),
            Serve = EchoBodyAsync,
        });
        using HttpClient client = server.CreateClient();

        await VerifyEchoAsync(client, 3 * 1024 * 1024);
    }

    [Test]
    public async Task Https_waits_for_a_client_that_is_slow_to_begin()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.UseHttps(WebServer.Certificate),
        });
        using RawClient client = await server.ConnectAsync();
        await using var tls = new SslStream(
            new System.Net.Sockets.NetworkStream(client.Socket), false, WebServer.IsOurCertificate);

        await tls.AuthenticateAsClientAsync("localhost").Within();
        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());

        using var reader = new StreamReader(tls);
        Assert.That(await reader.ReadToEndAsync().Within(), Does.EndWith("Hello\r\n0\r\n\r\n"));
    }

    [Test]
    public async Task Http2_with_prior_knowledge_carries_many_requests_at_once()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.Protocols = HttpProtocols.Http2,
        });
        using HttpClient client = server.CreateClient(HttpVersion.Version20);

        string[] answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => client.GetStringAsync("/"))).Within();

        Assert.That(answers, Is.All.EqualTo("Hello"));
    }

    [Test]
    public async Task Http2_over_tls_is_agreed_on()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.UseHttps(WebServer.Certificate),
            Serve = EchoBodyAsync,
        });
        using HttpClient client = server.CreateClient(HttpVersion.Version20);

        await VerifyEchoAsync(client, 3 * 1024 * 1024);
    }

    [Test]
    public async Task Web_sockets_echo_messages()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Middleware = static application => application.UseWebSockets(),
            Serve = static async context =>
            {
                using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
                byte[] buffer = new byte[1024];
                WebSocketReceiveResult received = await socket.ReceiveAsync(buffer, context.RequestAborted);
                while (received.MessageType != WebSocketMessageType.Close)
                {
                    await socket.SendAsync(
                        buffer.AsMemory(0, received.Count),
                        received.MessageType,
                        received.EndOfMessage,
                        context.RequestAborted);
                    received = await socket.ReceiveAsync(buffer, context.RequestAborted);
                }

                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
            },
        });
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://127.0.0.1:{server.EndPoint.Port}/"), default).Within();

        byte[] answer = new byte[100];
        for (byte i = 0; i < 20; i++)
        {
            await client.SendAsync(new byte[] { i, 7 }, WebSocketMessageType.Binary, true, default).Within();
            WebSocketReceiveResult received = await client.ReceiveAsync(answer, default).Within();
            Assert.That(answer[..received.Count], Is.EqualTo(new byte[] { i, 7 }));
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default).Within();
        Assert.That(client.State, Is.EqualTo(WebSocketState.Closed));
    }

    [Test]
    public async Task Server_sent_events_arrive_one_by_one()
    {
        var next = new SemaphoreSlim(0);
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = async context =>
            {
                context.Response.ContentType = "text/event-stream";
                for (int i = 0; i < 3; i++)
                {
                    await context.Response.WriteAsync($"data: {i}\n\n");
                    await context.Response.Body.FlushAsync();
                    await next.WaitAsync();
                }
            },
        });
        using HttpClient client = server.CreateClient();
        using var reader = new StreamReader(await client.GetStreamAsync("/").Within());

        for (int i = 0; i < 3; i++)
        {
            Assert.That(await reader.ReadLineAsync().Within(), Is.EqualTo($"data: {i}"));
            Assert.That(await reader.ReadLineAsync().Within(), Is.Empty);
            next.Release();
        }

        Assert.That(await reader.ReadLineAsync().Within(), Is.Null);
    }

    [Test]
    public async Task LargeUpload()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options => options.Limits.MaxRequestBodySize = null,
            Serve = static async context =>
            {
                byte[] hash = await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted);
                await context.Response.WriteAsync(Convert.ToHexString(hash));
            },
        });
        using HttpClient client = server.CreateClient();
        byte[] content = Bytes(20 * 1024 * 1024);

        using HttpResponseMessage answer = await client.PostAsync("/", new ByteArrayContent(content)).Within();

        Assert.That(
            await answer.Content.ReadAsStringAsync(), Is.EqualTo(Convert.ToHexString(SHA256.HashData(content))));
    }

    [Test]
    public async Task Large_downloads_arrive_whole()
    {
        byte[] content = Bytes(20 * 1024 * 1024);
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = context => context.Response.Body.WriteAsync(content).AsTask(),
        });
        using HttpClient client = server.CreateClient();

        byte[] received = await client.GetByteArrayAsync("/").Within();

        Assert.That(received.AsSpan().SequenceEqual(content), Is.True);
    }

    [Test]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = static context => context.Response.WriteAsync(context.Request.Path),
        });
        using RawClient client = await server.ConnectAsync();

        await client.SendAsync(string.Concat(Enumerable.Range(0, 100).Select(static i =>
            $"GET /{i} HTTP/1.1\r\nHost: localhost\r\n{(i == 99 ? "Connection: close\r\n" : "")}\r\n")));

        string answers = await client.ReadToEndAsync();
        int[] positions = [.. Enumerable.Range(0, 100).Select(i =>
            answers.IndexOf($"\r\n/{i}\r\n", StringComparison.Ordinal))];
        Assert.That(positions, Is.Ordered.And.All.GreaterThan(0));
    }

    [Test]
    public async Task Handlers_see_no_synchronization_context()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = static async context =>
            {
                bool isFree = SynchronizationContext.Current is null;
                await Task.Yield();
                isFree &= SynchronizationContext.Current is null;
                await context.Response.WriteAsync(isFree ? "free" : "bound");
            },
        });
        using HttpClient client = server.CreateClient();

        for (int i = 0; i < 3; i++)
        {
            Assert.That(await client.GetStringAsync("/").Within(), Is.EqualTo("free"));
        }
    }

    // The client of HTTP/2 sends all before it reads.
    private static async Task EchoBodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        await context.Response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length), context.RequestAborted);
    }

    private static async Task VerifyEchoAsync(HttpClient client, int length)
    {
        byte[] content = Bytes(length);
        using HttpResponseMessage answer = await client.PostAsync("/", new ByteArrayContent(content)).Within();
        byte[] received = await answer.Content.ReadAsByteArrayAsync().Within();
        Assert.That(received.AsSpan().SequenceEqual(content), Is.True);
    }

    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}

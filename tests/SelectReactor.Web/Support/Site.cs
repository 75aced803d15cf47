using System.Globalization;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace SelectReactor.Web;

/// <summary>The site that the tests visit.</summary>
internal static class Site
{
    public static void AddServices(IServiceCollection services)
    {
        services.AddSingleton<Pending>();
        services.AddGrpc(options => options.MaxReceiveMessageSize = null);
        services.AddSignalR(options => options.MaximumReceiveMessageSize = null);
    }

    public static void Map(WebApplication app)
    {
        app.UseWebSockets();
        app.MapMethods("/hello", ["GET", "HEAD"], () => "hello");
        app.MapGet("/protocol", (HttpContext context) => context.Request.Protocol);
        app.MapGet("/connection", (HttpContext context) => context.Connection.Id);
        app.MapGet("/peer", (HttpContext context) =>
            $"{context.Connection.RemoteIpAddress}:{context.Connection.RemotePort} "
            + $"{context.Connection.LocalIpAddress}:{context.Connection.LocalPort}");
        app.MapGet("/header", (string name, HttpContext context) => context.Request.Headers[name].ToString());
        app.MapGet("/bytes/{count:long}", WriteBytesAsync);
        app.MapMethods("/digest", ["POST", "PUT"], (Delegate)DigestAsync);
        app.MapMethods("/echo", ["POST", "PUT"], EchoAsync);
        app.MapPost("/refuse", () => Results.StatusCode(StatusCodes.Status413PayloadTooLarge));
        app.MapPost("/trailers", (Delegate)ReadTrailersAsync);
        app.MapGet("/trailers", WriteTrailersAsync);
        app.MapMethods("/wait", ["GET", "POST"], (Pending pending, HttpContext context) =>
            pending.WaitAsync(context.RequestAborted));
        app.MapGet("/abort", AbortAsync);
        app.MapGet("/events", (int count, CancellationToken aborted) =>
            TypedResults.ServerSentEvents(CountAsync(count, aborted)));
        app.Map("/ws", EchoMessagesAsync);
        app.MapHub<EchoHub>("/hub");
        app.MapGrpcService<EchoService>();
    }

    public static async IAsyncEnumerable<SseItem<int>> CountAsync(
        int count, [EnumeratorCancellation] CancellationToken aborted)
    {
        for (int i = 1; i <= count; i++)
        {
            await Task.Yield();
            aborted.ThrowIfCancellationRequested();
            yield return new SseItem<int>(i, "tick") { EventId = i.ToString(CultureInfo.InvariantCulture) };
        }
    }

    private static async Task WriteBytesAsync(long count, HttpContext context)
    {
        context.Response.ContentLength = count;
        byte[] buffer = new byte[16 * 1024];
        for (long start = 0; start < count; start += buffer.Length)
        {
            Memory<byte> piece = buffer.AsMemory(0, (int)Math.Min(buffer.Length, count - start));
            Pattern.Fill(piece.Span, start);
            await context.Response.Body.WriteAsync(piece, context.RequestAborted);
        }
    }

    private static async Task<string> DigestAsync(HttpContext context)
    {
        UnlimitBody(context);
        try
        {
            return Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted));
        }
        catch (ConnectionResetException)
        {
            context.Abort();
            return "";
        }
    }

    private static Task EchoAsync(HttpContext context)
    {
        UnlimitBody(context);
        return context.Request.BodyReader.CopyToAsync(context.Response.BodyWriter, context.RequestAborted);
    }

    private static void UnlimitBody(HttpContext context) =>
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;

    private static async Task<string> ReadTrailersAsync(HttpContext context)
    {
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        return context.Request.GetTrailer("X-Checksum").ToString();
    }

    private static async Task WriteTrailersAsync(HttpContext context)
    {
        context.Response.DeclareTrailer("X-Checksum");
        await context.Response.WriteAsync("body", context.RequestAborted);
        context.Response.AppendTrailer("X-Checksum", "42");
    }

    private static async Task AbortAsync(HttpContext context)
    {
        context.Response.ContentLength = 1000;
        await context.Response.WriteAsync("a part", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        context.Abort();
    }

    private static async Task EchoMessagesAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(
            new WebSocketAcceptContext { DangerousEnableCompression = context.Request.Query.ContainsKey("deflate") });
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is var received
                && received.MessageType != WebSocketMessageType.Close)
            {
                await socket.SendAsync(
                    buffer.AsMemory(0, received.Count),
                    received.MessageType,
                    received.EndOfMessage,
                    context.RequestAborted);
            }

            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", context.RequestAborted);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            // The client has gone without a closing frame.
            context.Abort();
        }
    }
}

using System.Globalization;
using System.Net.WebSockets;

namespace AspNetCoreHello;

/// <summary>What the application answers.</summary>
internal static class Endpoints
{
    private static readonly byte[] _hello = "Hello, World!"u8.ToArray();

    public static void Map(WebApplication application)
    {
        application.UseWebSockets();
        application.MapGet("/plaintext", WriteHelloAsync);
        application.MapGet("/json", static () => new Message("Hello, World!"));
        application.MapPost("/upload", CountAsync);
        application.MapGet("/ws", EchoAsync);
        application.MapGet("/events", SendEventsAsync);
    }

    private static Task WriteHelloAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = _hello.Length;
        return context.Response.BodyWriter.WriteAsync(_hello).AsTask();
    }

    // Answers with the number of bytes of the body.
    private static async Task CountAsync(HttpContext context)
    {
        long bytes = 0;
        byte[] buffer = new byte[16 * 1024];
        int count;
        while ((count = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            bytes += count;
        }

        await context.Response.WriteAsync(bytes.ToString(CultureInfo.InvariantCulture));
    }

    private static async Task EchoAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] buffer = new byte[4096];
        while (true)
        {
            ValueWebSocketReceiveResult message =
                await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
            if (message.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
                return;
            }

            await socket.SendAsync(
                buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, context.RequestAborted);
        }
    }

    // One event a second, until the client goes away.
    private static async Task SendEventsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        int events = 0;
        try
        {
            do
            {
                await context.Response.WriteAsync($"data: {++events}\n\n", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
            while (await timer.WaitForNextTickAsync(context.RequestAborted));
        }
        catch (OperationCanceledException)
        {
            // The client is gone, or the server stops.
        }
    }
}

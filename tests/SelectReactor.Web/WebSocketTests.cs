using System.Net;
using System.Net.WebSockets;

namespace SelectReactor.Web;

/// <summary>.NET's ClientWebSocket, over HTTP/1.1 and HTTP/2.</summary>
public sealed class WebSocketTests(Transport transport) : WebFixture(transport)
{
    private static readonly string[] _schemes = ["http", "https", "h2", "h2c"];

    [Test]
    public async Task Messages_ComeBack([ValueSource(nameof(_schemes))] string scheme, [Values] bool isCompressed)
    {
        using HttpMessageInvoker invoker = new(CreateHandler());
        using ClientWebSocket socket = await ConnectAsync(scheme, invoker, isCompressed);
        foreach (int length in new[] { 0, 1, 125, 126, 65_535, 65_536, 1_000_000 })
        {
            byte[] sent = Pattern.Bytes(length);
            Task sending = socket.SendAsync(sent, WebSocketMessageType.Binary, endOfMessage: true, Bound);
            Assert.That(await ReceiveAsync(socket), Is.EqualTo(sent).AsCollection);
            await sending;
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Bound);
        Assert.That(socket.CloseStatusDescription, Is.EqualTo("bye"));
    }

    [Test]
    public async Task ManyMessagesUnderWay_ComeBackInOrder([ValueSource(nameof(_schemes))] string scheme)
    {
        const int Count = 10_000;
        using HttpMessageInvoker invoker = new(CreateHandler());
        using ClientWebSocket socket = await ConnectAsync(scheme, invoker);
        var sending = Task.Run(async () =>
        {
            for (int i = 0; i < Count; i++)
            {
                await socket.SendAsync(
                    BitConverter.GetBytes(i), WebSocketMessageType.Binary, endOfMessage: true, Bound);
            }
        });
        for (int i = 0; i < Count; i++)
        {
            Assert.That(BitConverter.ToInt32(await ReceiveAsync(socket)), Is.EqualTo(i));
        }

        await sending;
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Bound);
    }

    [Test]
    public async Task AClientThatVanishes_IsNoticed([ValueSource(nameof(_schemes))] string scheme)
    {
        using (HttpMessageInvoker invoker = new(CreateHandler()))
        using (ClientWebSocket socket = await ConnectAsync(scheme, invoker))
        {
            await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: false, Bound);
            socket.Abort();
        }

        // The tear-down waits until the server has no connection left.
    }

    [Test]
    public async Task APlainRequest_IsRefused()
    {
        using HttpClient client = CreateClient(Server.Http);
        using HttpResponseMessage response = await client.GetAsync("/ws", Bound);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    private async Task<ClientWebSocket> ConnectAsync(
        string scheme, HttpMessageInvoker invoker, bool isCompressed = false)
    {
        Uri server = scheme switch
        {
            "http" => Server.Http,
            "h2c" => Server.Http2,
            _ => Server.Https,
        };
        var socket = new ClientWebSocket();
        bool isHttp2 = scheme is "h2" or "h2c";
        socket.Options.HttpVersion = isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        if (isCompressed)
        {
            socket.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        }

        var address = new UriBuilder(server)
        {
            Scheme = server.Scheme == "https" ? "wss" : "ws",
            Path = "/ws",
            Query = isCompressed ? "deflate" : "",
        };
        await socket.ConnectAsync(address.Uri, invoker, Bound);
        return socket;
    }

    private async Task<byte[]> ReceiveAsync(ClientWebSocket socket)
    {
        using var message = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        ValueWebSocketReceiveResult received;
        do
        {
            received = await socket.ReceiveAsync(buffer.AsMemory(), Bound);
            message.Write(buffer, 0, received.Count);
        }
        while (!received.EndOfMessage);

        return message.ToArray();
    }
}

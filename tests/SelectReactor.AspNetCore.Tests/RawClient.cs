using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>A client that writes requests itself and ends its connection in the way that a test needs.</summary>
internal sealed class RawClient : IDisposable
{
    public const string Get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    public const string LastGet = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    private RawClient(Socket socket)
    {
        Socket = socket;
    }

    public Socket Socket { get; }

    public static Task<RawClient> ConnectAsync(EndPoint endPoint) => ConnectAsync(endPoint, static _ => { });

    public static async Task<RawClient> ConnectAsync(EndPoint endPoint, Action<Socket> prepare)
    {
        var socket = new Socket(
            endPoint.AddressFamily,
            SocketType.Stream,
            endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        prepare(socket);
        await socket.ConnectAsync(endPoint).Within();
        return new RawClient(socket);
    }

    public async Task SendAsync(string text) => await SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await Socket.SendAsync(bytes.AsMemory(sent)).AsTask().Within();
        }
    }

    /// <summary>Reads until the text received ends so.</summary>
    public async Task<string> ReadUntilAsync(string end)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[1];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            int count = await Socket.ReceiveAsync(buffer).Within();
            Assert.That(count, Is.GreaterThan(0), () => $"The stream ended after: {text}");
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    /// <summary>Reads until the peer's end of stream.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            int count = await Socket.ReceiveAsync(buffer).Within();
            if (count == 0)
            {
                return text.ToString();
            }

            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
    }

    /// <summary>Reads until the connection fails.</summary>
    /// <returns>Null if it ended in good order.</returns>
    public async Task<SocketError?> ReadToErrorAsync()
    {
        try
        {
            await ReadToEndAsync();
            return null;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode;
        }
    }

    /// <summary>Cuts the connection (RST).</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();
}

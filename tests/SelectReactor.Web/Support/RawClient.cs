using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SelectReactor.Web;

/// <summary>A TCP connection on which a test writes HTTP by hand.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly byte[] _buffer = new byte[16 * 1024];

    private RawClient(Socket socket)
    {
        Socket = socket;
    }

    public Socket Socket { get; }

    public static async Task<RawClient> ConnectAsync(Uri server, CancellationToken bound)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(server.Host), server.Port), bound);
            return new RawClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async Task SendAsync(string text, CancellationToken bound)
    {
        for (ReadOnlyMemory<byte> rest = Encoding.Latin1.GetBytes(text); rest.Length > 0;)
        {
            rest = rest[await Socket.SendAsync(rest, bound)..];
        }
    }

    /// <summary>Reads up to and with a text.</summary>
    public async Task<string> ReadUntilAsync(string end, CancellationToken bound)
    {
        var text = new StringBuilder();
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            int count = await Socket.ReceiveAsync(_buffer.AsMemory(), bound);
            if (count == 0)
            {
                throw new EndOfStreamException($"The stream ended after: {text}");
            }

            text.Append(Encoding.Latin1.GetString(_buffer, 0, count));
        }

        return text.ToString();
    }

    /// <summary>Reads up to the end of the stream.</summary>
    public async Task<string> ReadToEndAsync(CancellationToken bound)
    {
        var text = new StringBuilder();
        while (await Socket.ReceiveAsync(_buffer.AsMemory(), bound) is > 0 and int count)
        {
            text.Append(Encoding.Latin1.GetString(_buffer, 0, count));
        }

        return text.ToString();
    }

    /// <summary>Reads until the server ends or resets the connection; whatever came before.</summary>
    public async Task<string> ReadToAnyEndAsync(CancellationToken bound)
    {
        try
        {
            return await ReadToEndAsync(bound);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            return "";
        }
    }

    /// <summary>Ends the connection with a RST.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();
}

using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Portability;

/// <summary>The other side: a plain blocking socket that shares no code with the library. Every wait is
/// bounded.</summary>
internal sealed class Peer : IDisposable
{
    private Peer(Socket socket)
    {
        Socket = socket;
        Socket.ReceiveTimeout = Wait.MaxMilliseconds;
        Socket.SendTimeout = Wait.MaxMilliseconds;
        Socket.NoDelay = true;
    }

    public Socket Socket { get; }

    public static Peer Connect(EndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(endPoint);
        return new Peer(socket);
    }

    /// <summary>A listening socket for clients of the library.</summary>
    public static Socket Listen(int backlog = 128)
    {
        Socket socket = Bound();
        socket.Listen(backlog);
        return socket;
    }

    /// <summary>A socket that has a port and does not listen: connecting to it is refused.</summary>
    public static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    public static Peer Accept(Socket listener)
    {
        Check.That(listener.Poll(Wait.MaxMilliseconds * 1000, SelectMode.SelectRead), "a client that connects");
        return new Peer(listener.Accept());
    }

    /// <summary>Bytes that differ from place to place, so that a lost or doubled part shows.</summary>
    public static byte[] Pattern(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[Socket.Send(bytes)..];
        }
    }

    /// <summary>Exactly this many bytes; a failed check if the stream ends first.</summary>
    public byte[] Receive(int count)
    {
        byte[] bytes = new byte[count];
        for (int got = 0; got < count;)
        {
            int now = Socket.Receive(bytes.AsSpan(got));
            Check.That(now > 0, $"{count} bytes before the end of the stream, which came after {got}");
            got += now;
        }

        return bytes;
    }

    /// <summary>All bytes until the end of the stream; throws a <see cref="SocketException"/> on a reset.</summary>
    public byte[] ReceiveToEnd()
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        for (int now; (now = Socket.Receive(buffer)) > 0;)
        {
            all.Write(buffer, 0, now);
        }

        return all.ToArray();
    }

    public void Echoes(ReadOnlySpan<byte> bytes)
    {
        Send(bytes);
        Check.SameBytes(bytes, Receive(bytes.Length));
    }

    /// <summary>Ends the stream in this direction (FIN).</summary>
    public void EndOutput() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Cuts the connection (RST).</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();
}

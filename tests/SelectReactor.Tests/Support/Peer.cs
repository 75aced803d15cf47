using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Tests.Support;

/// <summary>The other side: a plain blocking socket that shares no code with the library. Every wait is
/// bounded.</summary>
public sealed class Peer : IDisposable
{
    private const int BoundMilliseconds = 20_000;

    private Peer(Socket socket)
    {
        Socket = socket;
        Socket.ReceiveTimeout = BoundMilliseconds;
        Socket.SendTimeout = BoundMilliseconds;
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            Socket.NoDelay = true;
        }
    }

    public Socket Socket { get; }

    public static Peer Connect(EndPoint endPoint)
    {
        var socket = new Socket(
            endPoint.AddressFamily,
            SocketType.Stream,
            endPoint.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        socket.Connect(endPoint);
        return new Peer(socket);
    }

    /// <summary>Whether somebody listens there.</summary>
    public static bool CanConnect(EndPoint endPoint)
    {
        try
        {
            Connect(endPoint).Dispose();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A listening socket for clients of the library.</summary>
    public static Socket Listen(int backlog = 16)
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
        if (!listener.Poll(BoundMilliseconds * 1000, SelectMode.SelectRead))
        {
            throw new TimeoutException("Nobody connected.");
        }

        return new Peer(listener.Accept());
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[Socket.Send(bytes)..];
        }
    }

    /// <summary>Exactly so many bytes; throws when the stream ends first.</summary>
    public byte[] Receive(int count)
    {
        byte[] bytes = new byte[count];
        for (int got = 0; got < count;)
        {
            int now = Socket.Receive(bytes.AsSpan(got));
            if (now == 0)
            {
                throw new EndOfStreamException($"The stream ended after {got} of {count} bytes.");
            }

            got += now;
        }

        return bytes;
    }

    /// <summary>All until the end of the stream.</summary>
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

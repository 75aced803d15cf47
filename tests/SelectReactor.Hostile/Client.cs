using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hostile;

/// <summary>A plain blocking socket; every wait is bounded.</summary>
internal sealed class Client : IDisposable
{
    private const int BoundMilliseconds = 15_000;

    public Client(EndPoint server)
        : this(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
    {
        Socket.Connect(server);
    }

    /// <summary>Of a socket that somebody else connects or has accepted.</summary>
    public Client(Socket socket)
    {
        Socket = socket;
        Socket.ReceiveTimeout = BoundMilliseconds;
        Socket.SendTimeout = BoundMilliseconds;
        Socket.NoDelay = true;
    }

    public Socket Socket { get; }

    /// <summary>Waits until something has come true.</summary>
    public static void Await(Func<bool> condition, string what)
    {
        for (var watch = Stopwatch.StartNew(); !condition();)
        {
            Assert.That(watch.ElapsedMilliseconds, Is.LessThan(BoundMilliseconds), what);
            Thread.Sleep(5);
        }
    }

    /// <summary>Whether a whole exchange with an echo server succeeds; false when it cuts or ends the
    /// connection.</summary>
    public static bool Echoes(EndPoint server, ReadOnlySpan<byte> bytes)
    {
        try
        {
            using var client = new Client(server);
            return client.Echoes(bytes);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public bool Echoes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Socket.Send(bytes);
            return Receive(bytes.Length) is { } back && bytes.SequenceEqual(back);
        }
        catch (SocketException exception) when (exception.SocketErrorCode != SocketError.TimedOut)
        {
            return false;
        }
    }

    /// <summary>So many bytes, or null when the stream ends before.</summary>
    public byte[]? Receive(int count)
    {
        byte[] bytes = new byte[count];
        for (int got = 0; got < count;)
        {
            int now = Socket.Receive(bytes.AsSpan(got));
            if (now == 0)
            {
                return null;
            }

            got += now;
        }

        return bytes;
    }

    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();
}

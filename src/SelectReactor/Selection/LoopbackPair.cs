using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// Two connected sockets of this process: a byte written to one makes the other readable, which is the only portable
/// way to end a wait in <c>Socket.Select</c>.
/// </summary>
internal sealed class LoopbackPair : IDisposable
{
    private const int MaxStrangers = 16;

    public LoopbackPair()
    {
        try
        {
            (Writer, Reader) = Open();
        }
        catch (SocketException error)
        {
            throw new SocketException(
                (int)error.SocketErrorCode,
                $"The selector can't open its wake-up sockets on the loopback network: {error.Message}.");
        }
    }

    public Socket Reader { get; }

    public Socket Writer { get; }

    /// <summary>Whether the descriptor of the reader was closed with close(2), past its
    /// <see cref="Socket"/>.</summary>
    public bool IsBroken => SocketCall.IsBroken(Reader);

    /// <summary>Makes the reader readable. Any thread. A full buffer means that it is readable already.</summary>
    public void Signal()
    {
        try
        {
            Writer.Send([1], SocketFlags.None, out SocketError error);
            if (error is not (SocketError.Success or SocketError.WouldBlock))
            {
                // The connection is cut on this side. The end of the stream makes the reader readable too.
                Reader.Shutdown(SocketShutdown.Both);
            }
        }
        catch (SocketException)
        {
            // The connection is cut on both sides, so the reader is readable.
        }
        catch (ObjectDisposedException)
        {
            // The selector is gone or has renewed the pair: in either case nobody waits for this signal any more.
        }
    }

    /// <summary>
    /// Receives all signals, so that the reader is no longer readable. One receive may not be enough: TCP holds small
    /// segments back until the first ones are acknowledged.
    /// </summary>
    /// <returns>False when the connection is cut, so that the reader stays readable, or when the reader is
    /// closed.</returns>
    public bool TryDrain()
    {
        Span<byte> bytes = stackalloc byte[64];
        try
        {
            SocketError error;
            while (Reader.Receive(bytes, SocketFlags.None, out error) > 0)
            {
            }

            return error == SocketError.WouldBlock;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        Writer.Dispose();
        Reader.Dispose();
    }

    private static (Socket Writer, Socket Reader) Open()
    {
        IPAddress loopback = Socket.OSSupportsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        using var listener = new Socket(loopback.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(loopback, 0));
        listener.Listen(MaxStrangers);
        var writer = new Socket(loopback.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        Socket? reader = null;
        try
        {
            writer.Connect(listener.LocalEndPoint!);
            reader = AcceptOther(listener, writer);
            reader.Blocking = false;
            writer.NoDelay = true;
            writer.Blocking = false;
            return (writer, reader);
        }
        catch
        {
            writer.Dispose();
            reader?.Dispose();
            throw;
        }
    }

    // Any process of this machine can connect to the port while it listens, so the peer is checked.
    private static Socket AcceptOther(Socket listener, Socket writer)
    {
        for (int strangers = 0; strangers < MaxStrangers; strangers++)
        {
            Socket accepted = listener.Accept();
            if (Equals(accepted.RemoteEndPoint, writer.LocalEndPoint))
            {
                return accepted;
            }

            accepted.Dispose();
        }

        throw new IOException("The wake-up sockets could not be connected: other processes took all the connections.");
    }
}

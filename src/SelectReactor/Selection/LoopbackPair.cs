using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// Two connected sockets of this process: a byte written to one makes the other readable, which is the only portable
/// way to end a wait in <c>Socket.Select</c>.
/// </summary>
internal sealed class LoopbackPair : IDisposable
{
    private const int MostStrangers = 16;
    private readonly Socket _writer;

    public LoopbackPair()
    {
        try
        {
            (_writer, Reader) = Open();
        }
        catch (SocketException error)
        {
            throw new SocketException(
                (int)error.SocketErrorCode,
                $"The selector can't open its wake-up sockets on the loopback network: {error.Message}.");
        }
    }

    public Socket Reader { get; }

    /// <summary>Makes the reader readable. Any thread. A full buffer means that it is readable already.</summary>
    public void Signal()
    {
        try
        {
            _writer.Send([1], SocketFlags.None, out _);
        }
        catch (ObjectDisposedException)
        {
            // The selector is gone and nobody waits any more: a late signal has nothing to do.
        }
    }

    /// <summary>
    /// Receives all signals, so that the reader is no longer readable. One receive may not be enough: TCP holds small
    /// segments back until the first ones are acknowledged.
    /// </summary>
    public void Drain()
    {
        Span<byte> bytes = stackalloc byte[64];
        while (Reader.Receive(bytes, SocketFlags.None, out _) > 0)
        {
        }
    }

    public void Dispose()
    {
        _writer.Dispose();
        Reader.Dispose();
    }

    private static (Socket Writer, Socket Reader) Open()
    {
        IPAddress loopback = Socket.OSSupportsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        using var listener = new Socket(loopback.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(loopback, 0));
        listener.Listen(MostStrangers);
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

    // Any process of this machine can connect to the port while it listens, so the peer must be checked.
    private static Socket AcceptOther(Socket listener, Socket writer)
    {
        for (int strangers = 0; strangers < MostStrangers; strangers++)
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

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
        IPAddress loopback = Socket.OSSupportsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        using var listener = new Socket(loopback.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(loopback, 0));
        listener.Listen(MostStrangers);
        _writer = new Socket(loopback.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _writer.Connect(listener.LocalEndPoint!);
            Reader = AcceptOwnWriter(listener);
            Reader.Blocking = false;
            _writer.NoDelay = true;
            _writer.Blocking = false;
        }
        catch
        {
            _writer.Dispose();
            Reader?.Dispose();
            throw;
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

    /// <summary>Takes the signals out. One receive is enough, since signals are coalesced before they are sent.</summary>
    public void Drain()
    {
        Span<byte> bytes = stackalloc byte[64];
        Reader.Receive(bytes, SocketFlags.None, out _);
    }

    public void Dispose()
    {
        _writer.Dispose();
        Reader.Dispose();
    }

    // Any process of this machine can connect to the port while it listens, so the peer must be checked.
    private Socket AcceptOwnWriter(Socket listener)
    {
        for (int strangers = 0; strangers < MostStrangers; strangers++)
        {
            Socket accepted = listener.Accept();
            if (Equals(accepted.RemoteEndPoint, _writer.LocalEndPoint))
            {
                return accepted;
            }

            accepted.Dispose();
        }

        throw new IOException("The wake-up sockets could not be connected: other processes took all the connections.");
    }
}

using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace SelectReactor.Selection;

/// <summary>Receives and sends datagrams on a <see cref="Socket"/>, with values in place of exceptions.</summary>
internal static class DatagramCall
{
    /// <summary>SIO_UDP_CONNRESET of Windows.</summary>
    private const int ReportUnreachable = unchecked((int)0x9800000C);

    /// <summary>Windows has an error for a datagram that is longer than the buffer. Elsewhere the same error is the
    /// word of a router: one that was sent was too long for it.</summary>
    private static readonly bool _hasErrorForLonger = OperatingSystem.IsWindows();

    /// <summary>With MSG_TRUNC Linux returns the size of the whole datagram.</summary>
    private static readonly SocketFlags _wholeSize =
        OperatingSystem.IsLinux() ? SocketFlags.Truncated : SocketFlags.None;

    /// <summary>Receives a datagram without its sender.</summary>
    public static SocketError Receive(Socket socket, Span<byte> buffer, out int received)
    {
        // Without a buffer the runtime tells no size.
        Span<byte> spare = stackalloc byte[1];
        scoped Span<byte> target = buffer.IsEmpty ? spare : buffer;
        received = socket.Receive(target, _wholeSize, out SocketError error);
        return Received(error, buffer.Length, ref received);
    }

    /// <summary>Receives a datagram and the address of its sender.</summary>
    public static SocketError ReceiveFrom(Socket socket, Span<byte> buffer, SocketAddress sender, out int received)
    {
        received = 0;
        int addressSize = SocketAddress.GetMaximumAddressSize(socket.AddressFamily);
        if (sender.Buffer.Length < addressSize)
        {
            return SocketError.Fault;
        }

        // Windows calls it an error to receive on a socket that is not bound.
        if (!socket.IsBound)
        {
            return SocketError.WouldBlock;
        }

        // Socket.ReceiveFrom throws if there is nothing or an error is pending, which costs ten times as much as
        // asking first.
        Span<byte> first = stackalloc byte[1];
        socket.Receive(first, SocketFlags.Peek, out SocketError error);
        if (error != SocketError.Success && !IsLonger(error))
        {
            return Translate(error);
        }

        scoped Span<byte> target = buffer.IsEmpty ? first : buffer;
        try
        {
            sender.Size = addressSize;
            received = socket.ReceiveFrom(target, _wholeSize, sender);
            sender.Buffer.Span[Math.Max(sender.Size, sizeof(ushort))..].Clear();
            error = SocketError.Success;
        }
        catch (SocketException exception)
        {
            error = exception.SocketErrorCode;
        }

        return Received(error, buffer.Length, ref received);
    }

    /// <summary>Sends a datagram to an address.</summary>
    public static SocketError SendTo(
        Socket socket, ReadOnlySpan<byte> datagram, SocketAddress receiver, out int sent)
    {
        sent = 0;
        try
        {
            BindToAny(socket);
            sent = socket.SendTo(datagram, SocketFlags.None, receiver);
            return SocketError.Success;
        }
        catch (SocketException exception)
        {
            return Translate(exception.SocketErrorCode);
        }
    }

    /// <summary>The datagrams that the system has dropped on this socket. Linux tells.</summary>
    public static bool TryGetDropped(Socket socket, out long count)
    {
        // SO_MEMINFO is an array of numbers, of which the last one counts the drops.
        const int SocketLevel = 1, MemoryInfo = 55, Size = 9 * sizeof(uint);
        uint dropped = 0;
        bool isTold = OperatingSystem.IsLinux() && SocketCall.Try(socket, 0, (socket, _) =>
        {
            Span<byte> info = stackalloc byte[Size];
            socket.GetRawSocketOption(SocketLevel, MemoryInfo, info);
            dropped = MemoryMarshal.Read<uint>(info[^sizeof(uint)..]);
        }) == SocketError.Success;
        count = dropped;
        return isTold;
    }

    /// <summary>Windows reports an unreachable peer as a reset. A datagram socket has no connection that could be
    /// reset, so the error gets the name that it has on Linux.</summary>
    public static SocketError Translate(SocketError error) =>
        error == SocketError.ConnectionReset ? SocketError.ConnectionRefused : error;

    /// <summary>
    /// Sets whether Windows reports unreachable peers. A socket without a fixed peer must not be told: it would not
    /// know which peer is meant, and Linux does not tell either.
    /// </summary>
    public static void SetReportsUnreachable(Socket socket, bool reports)
    {
        if (OperatingSystem.IsWindows())
        {
            byte[] value = [reports ? (byte)1 : (byte)0, 0, 0, 0];
            SocketCall.Try(socket, value, static (socket, value) => socket.IOControl(ReportUnreachable, value, null));
        }
    }

    // The system would choose a port too, but Socket.LocalEndPoint would not know it.
    private static void BindToAny(Socket socket)
    {
        if (!socket.IsBound && socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
        {
            bool isV6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
            socket.Bind(new IPEndPoint(isV6 ? IPAddress.IPv6Any : IPAddress.Any, 0));
        }
    }

    private static bool IsLonger(SocketError error) => error == SocketError.MessageSize && _hasErrorForLonger;

    private static SocketError Received(SocketError error, int room, ref int received)
    {
        if (received <= room && !IsLonger(error))
        {
            return Translate(error);
        }

        received = room;
        return SocketError.MessageSize;
    }
}

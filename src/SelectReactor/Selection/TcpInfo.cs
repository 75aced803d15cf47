using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>The part of Linux' <c>struct tcp_info</c> that this library reads (tcp(7), TCP_INFO).</summary>
/// <param name="State">The state of the connection, by the numbers of the kernel.</param>
/// <param name="SegmentBytes">The size of a full segment.</param>
/// <param name="Unacknowledged">Segments that were sent and not acknowledged, the end of the stream (FIN)
/// included.</param>
/// <param name="Acknowledged">Bytes that were acknowledged since the connection began; SYN and FIN count one
/// each.</param>
/// <param name="NotSent">Bytes in the send buffer that were not sent yet.</param>
internal readonly record struct TcpInfo(
    byte State, long SegmentBytes, long Unacknowledged, long Acknowledged, long NotSent)
{
    /// <summary>The connection was reset or timed out, or both ends have ended it.</summary>
    public const byte Closed = 7;

    /// <summary>IPPROTO_TCP.</summary>
    public const int Level = 6;

    /// <summary>TCP_INFO.</summary>
    public const int Option = 11;

    /// <summary>The number of bytes to ask for.</summary>
    public const int Size = NotSentOffset + sizeof(uint);

    private const byte FirstFinWait = 4;
    private const byte TimeWait = 6;
    private const byte LastAcknowledgement = 9;
    private const byte Closing = 11;

    private const int StateOffset = 0;
    private const int SegmentBytesOffset = 16;
    private const int UnacknowledgedOffset = 24;
    private const int AcknowledgedOffset = 120;
    private const int NotSentOffset = 144;

    /// <summary>Whether everything that was sent has been acknowledged. Never true of a closed connection, whose send
    /// buffer is empty because it was discarded.</summary>
    public bool IsAllAcknowledged => State != Closed && Unacknowledged == 0 && NotSent == 0;

    /// <summary>Whether this side has sent its end of the stream, or there is no connection.</summary>
    public bool HasEndedOutput =>
        State is (>= FirstFinWait and <= TimeWait) or Closed or LastAcknowledgement or Closing;

    public static bool IsKnownFor(Socket socket) =>
        OperatingSystem.IsLinux()
        && socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6
        && socket.SocketType == SocketType.Stream
        && socket.ProtocolType is ProtocolType.Tcp or ProtocolType.Unspecified;

    /// <summary>Asks the kernel. False for a closed socket, and for a kernel older than 4.6.</summary>
    public static bool TryRead(Socket socket, out TcpInfo info)
    {
        Span<byte> bytes = stackalloc byte[Size];
        info = default;
        try
        {
            return TryParse(bytes[..socket.GetRawSocketOption(Level, Option, bytes)], out info);
        }
        catch (SocketException)
        {
            return false;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Reads what the kernel has filled in. False if it is too little, as from a kernel older than
    /// 4.6.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out TcpInfo info)
    {
        if (bytes.Length < Size)
        {
            info = default;
            return false;
        }

        info = new TcpInfo(
            bytes[StateOffset],
            UInt32(bytes, SegmentBytesOffset),
            UInt32(bytes, UnacknowledgedOffset),
            (long)BitConverter.ToUInt64(bytes[AcknowledgedOffset..]),
            UInt32(bytes, NotSentOffset));
        return true;
    }

    private static long UInt32(ReadOnlySpan<byte> bytes, int offset) => BitConverter.ToUInt32(bytes[offset..]);
}

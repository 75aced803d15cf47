using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.ProxyProtocol;

/// <summary>The two addresses of a header of version 2.</summary>
internal static class AddressBlock
{
    public const int IPv4Bytes = 12;
    public const int IPv6Bytes = 36;
    public const int UnixBytes = 2 * UnixPathBytes;

    private const int IPv6AddressBytes = 16;
    private const int UnixPathBytes = 108;

    /// <summary>Of a socket address: the family comes before the path.</summary>
    private const int UnixPathOffset = 2;

    private static readonly UnixDomainSocketEndPoint _anyUnix = new("/");

    /// <summary>An end point that the caller can't change.</summary>
    public static EndPoint Copy(EndPoint endPoint) =>
        endPoint is IPEndPoint ip ? new IPEndPoint(ip.Address, ip.Port) : endPoint;

    /// <summary>The same two end points in one family: IPv4, if both can be written so.</summary>
    public static (IPEndPoint Source, IPEndPoint Destination) InOneFamily(IPEndPoint source, IPEndPoint destination)
    {
        bool isIPv4 = IsIPv4(source.Address) && IsIPv4(destination.Address);
        return (Convert(source), Convert(destination));

        IPEndPoint Convert(IPEndPoint endPoint) => new(
            isIPv4 ? endPoint.Address.MapToIPv4() : endPoint.Address.MapToIPv6(), endPoint.Port);
    }

    /// <summary>Reads a block of <see cref="IPv4Bytes"/> or <see cref="IPv6Bytes"/>.</summary>
    public static (EndPoint Source, EndPoint Destination) ReadIP(ReadOnlySpan<byte> block)
    {
        int size = block.Length == IPv4Bytes ? sizeof(uint) : IPv6AddressBytes;
        return (
            new IPEndPoint(new IPAddress(block[..size]), BinaryPrimitives.ReadUInt16BigEndian(block[(2 * size)..])),
            new IPEndPoint(
                new IPAddress(block[size..(2 * size)]),
                BinaryPrimitives.ReadUInt16BigEndian(block[((2 * size) + sizeof(ushort))..])));
    }

    /// <summary>Writes two addresses of one family.</summary>
    public static void Write(IPEndPoint source, IPEndPoint destination, Span<byte> block)
    {
        source.Address.TryWriteBytes(block, out int size);
        destination.Address.TryWriteBytes(block[size..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(block[(2 * size)..], (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(block[((2 * size) + sizeof(ushort))..], (ushort)destination.Port);
    }

    /// <summary>Reads a block of <see cref="UnixBytes"/>.</summary>
    public static (EndPoint Source, EndPoint Destination) ReadUnix(ReadOnlySpan<byte> block) =>
        (ReadUnixPath(block[..UnixPathBytes]), ReadUnixPath(block[UnixPathBytes..]));

    /// <summary>Writes two paths.</summary>
    public static void Write(UnixDomainSocketEndPoint source, UnixDomainSocketEndPoint destination, Span<byte> block)
    {
        WriteUnixPath(source, block[..UnixPathBytes]);
        WriteUnixPath(destination, block[UnixPathBytes..]);
    }

    private static bool IsIPv4(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6;

    // An abstract name begins with a zero and may contain more, so that zeros can be cut only at its end. A socket
    // without a path has zeros only.
    private static EndPoint ReadUnixPath(ReadOnlySpan<byte> field)
    {
        int length = field[0] == 0
            ? field.LastIndexOfAnyExcept((byte)0) + 1
            : field.IndexOf((byte)0) is >= 0 and int end ? end : field.Length;
        var address = new SocketAddress(AddressFamily.Unix, UnixPathOffset + length);
        field[..length].CopyTo(address.Buffer.Span[UnixPathOffset..]);
        return _anyUnix.Create(address);
    }

    private static void WriteUnixPath(UnixDomainSocketEndPoint endPoint, Span<byte> field)
    {
        field.Clear();
        if (endPoint.ToString().Length > 0)
        {
            SocketAddress address = endPoint.Serialize();
            ReadOnlySpan<byte> path = address.Buffer.Span[UnixPathOffset..address.Size];
            path[..Math.Min(path.Length, UnixPathBytes)].CopyTo(field);
        }
    }
}

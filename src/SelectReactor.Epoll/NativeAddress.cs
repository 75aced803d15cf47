using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace SelectReactor.Epoll;

/// <summary>End points of the addresses that the kernel fills in (ip(7), ipv6(7), unix(7)).</summary>
internal static class NativeAddress
{
    /// <summary>The size of <c>struct sockaddr_storage</c>, in which each address fits.</summary>
    public const int MaxSize = 128;

    private const ushort Unix = 1;
    private const ushort IPv4 = 2;
    private const ushort IPv6 = 10;
    private static readonly UnixDomainSocketEndPoint _anyUnix = new("/");

    /// <summary>Null if there is no address or one of another family.</summary>
    public static EndPoint? Parse(ReadOnlySpan<byte> address) =>
        address.Length < sizeof(ushort) ? null : MemoryMarshal.Read<ushort>(address) switch
        {
            IPv4 => new IPEndPoint(new IPAddress(address.Slice(4, 4)), Port(address)),
            IPv6 => new IPEndPoint(
                new IPAddress(address.Slice(8, 16), MemoryMarshal.Read<uint>(address[24..])), Port(address)),
            Unix => ParseUnix(address),
            _ => null,
        };

    private static int Port(ReadOnlySpan<byte> address) => BinaryPrimitives.ReadUInt16BigEndian(address[2..]);

    private static EndPoint ParseUnix(ReadOnlySpan<byte> address)
    {
        var copy = new SocketAddress(AddressFamily.Unix, address.Length);
        address.CopyTo(copy.Buffer.Span);
        return _anyUnix.Create(copy);
    }
}

using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <summary>What handlers of datagrams do with the address of a peer.</summary>
public static class SocketAddressExtensions
{
    private static readonly IPEndPoint _anyIPv4 = new(IPAddress.Any, 0);
    private static readonly IPEndPoint _anyIPv6 = new(IPAddress.IPv6Any, 0);
    private static readonly UnixDomainSocketEndPoint _anyUnix = new("/");

    /// <summary>A copy to keep, for example as the key of a dictionary. It is equal to the sender of a later datagram
    /// with that address, and to what an end point with it serializes to: its buffer has the size of the address, as
    /// <see cref="SocketAddress"/> compares whole buffers.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="address"/> is null.</exception>
    public static SocketAddress Copy(this SocketAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);

        // An address that is empty has a family all the same.
        var copy = new SocketAddress(address.Family, Math.Max(address.Size, sizeof(ushort)));
        address.Buffer[..address.Size].CopyTo(copy.Buffer);
        copy.Size = address.Size;
        return copy;
    }

    /// <summary>Whether both are the same address, whatever lies behind them in their buffers.</summary>
    internal static bool IsSameAs(this SocketAddress address, SocketAddress other) =>
        address.Buffer.Span[..address.Size].SequenceEqual(other.Buffer.Span[..other.Size]);

    /// <summary>The address as an end point, for messages and for <c>ConnectDatagram</c>: an
    /// <see cref="IPEndPoint"/> or a <see cref="UnixDomainSocketEndPoint"/>.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="address"/> is null.</exception>
    /// <exception cref="ArgumentException">The address is of another family, or is empty as that of a Unix-domain
    /// sender that is not bound.</exception>
    public static EndPoint ToEndPoint(this SocketAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        EndPoint? family = address.Size < sizeof(ushort) ? null : address.Family switch
        {
            AddressFamily.InterNetwork => _anyIPv4,
            AddressFamily.InterNetworkV6 => _anyIPv6,
            AddressFamily.Unix => _anyUnix,
            _ => null,
        };
        return family?.Create(address)
            ?? throw new ArgumentException(
                "This is no address of IPv4, IPv6 or a Unix-domain socket.", nameof(address));
    }
}

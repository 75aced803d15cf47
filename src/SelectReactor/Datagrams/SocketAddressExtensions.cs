using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <summary>What handlers of datagrams do with the address of a peer.</summary>
public static class SocketAddressExtensions
{
    private static readonly IPEndPoint _anyIPv4 = new(IPAddress.Any, 0);
    private static readonly IPEndPoint _anyIPv6 = new(IPAddress.IPv6Any, 0);
    private static readonly UnixDomainSocketEndPoint _anyUnix = new("/");

    /// <summary>A copy to keep, for example as the key of a dictionary. Equal addresses are equal keys.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="address"/> is null.</exception>
    public static SocketAddress Copy(this SocketAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var copy = new SocketAddress(address.Family, address.Buffer.Length);
        address.Buffer.CopyTo(copy.Buffer);
        copy.Size = address.Size;
        return copy;
    }

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

using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>
/// IPv4 addresses written as IPv6 (::ffff:a.b.c.d), as a dual-mode listener shows its IPv4 clients. A socket that
/// takes only IPv6 can't use them, so that connecting back to such a client would fail. Here they mean the IPv4
/// address.
/// </summary>
internal static class MappedAddress
{
    /// <summary>The IPv4 address if it is a mapped one; otherwise the end point as it is.</summary>
    public static EndPoint ToIPv4(EndPoint endPoint) =>
        endPoint is IPEndPoint { Address: { IsIPv4MappedToIPv6: true } address, Port: var port }
            ? new IPEndPoint(address.MapToIPv4(), port)
            : endPoint;

    /// <summary>An end point that the caller can't change: an <see cref="IPEndPoint"/> is mutable.</summary>
    public static EndPoint Copy(EndPoint endPoint) =>
        endPoint is IPEndPoint ip ? new IPEndPoint(ip.Address, ip.Port) : endPoint;

    /// <summary>Whether it is "any IPv6 address", which as a local end point fits remote ones of both
    /// families.</summary>
    public static bool IsAnyOfBothFamilies(EndPoint local) =>
        local is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any);

    /// <summary>The local end point to bind for a remote one. "Any IPv6 address" becomes "any IPv4 address" if the
    /// remote end point is an IPv4 one.</summary>
    public static EndPoint ToFamilyOf(EndPoint remoteEndPoint, EndPoint local) =>
        remoteEndPoint.AddressFamily == AddressFamily.InterNetwork
            && IsAnyOfBothFamilies(local)
            ? new IPEndPoint(IPAddress.Any, ((IPEndPoint)local).Port)
            : ToIPv4(local);
}

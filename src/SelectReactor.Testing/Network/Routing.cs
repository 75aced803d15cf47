using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <summary>The addresses that datagrams come from and go to.</summary>
internal static class Routing
{
    public static IPAddress AnyOf(AddressFamily family) =>
        family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;

    /// <summary>The address of a host in the family of another address.</summary>
    public static IPAddress AddressOf(SimulatedHost host, IPAddress remote) =>
        remote.AddressFamily == AddressFamily.InterNetworkV6 ? host.AddressV6 : host.Address;

    /// <summary>Where datagrams for an address go: for any address to this host itself, for a mapped address to the
    /// IPv4 address.</summary>
    public static IPAddress Reachable(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
        : address.Equals(IPAddress.Any) ? IPAddress.Loopback
        : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
        : address;

    /// <summary>Whether it is the address of a group.</summary>
    public static bool IsMulticast(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6
        ? address.IsIPv6Multicast
        : (address.GetAddressBytes()[0] & 0xF0) == 0xE0;

    /// <summary>How many bytes of a datagram fit into one packet beside the headers of IP and UDP.</summary>
    public static int RoomInPacket(SimulatedNetwork network, IPAddress to) =>
        network.Options.MaxPacketBytes - (to.AddressFamily == AddressFamily.InterNetworkV6 ? 48 : 28);

    public static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(Reachable(address));

    /// <summary>The end point as a handle of a family sees it: IPv4 is mapped for a handle of IPv6.</summary>
    public static IPEndPoint As(AddressFamily family, IPEndPoint endPoint) =>
        endPoint.AddressFamily == family ? endPoint : new IPEndPoint(As(family, endPoint.Address), endPoint.Port);

    public static IPAddress As(AddressFamily family, IPAddress address) =>
        address.AddressFamily == family ? address : address.MapToIPv6();

    public static IPEndPoint Unmapped(IPEndPoint endPoint) => endPoint.Address.IsIPv4MappedToIPv6
        ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port)
        : endPoint;
}

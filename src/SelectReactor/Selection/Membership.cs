using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace SelectReactor.Selection;

/// <summary>The membership of a datagram socket in a multicast group, as an argument of setsockopt(2).</summary>
internal readonly struct Membership(IPAddress group, int interfaceIndex, IPAddress? source)
{
    /// <summary><c>struct group_source_req</c> of RFC 3678: the interface, the group and the source, each address in a
    /// <c>sockaddr_storage</c>.</summary>
    private const int RequestSize = 264;
    private const int GroupOffset = 8;
    private const int SourceOffset = 136;

    private const int IPLevel = 0;
    private const int IPv6Level = 41;

    /// <summary>Joins the group.</summary>
    public SocketError Join(Socket socket) => source is null
        ? Set(socket, SocketOptionName.AddMembership)
        : SetSource(socket, OperatingSystem.IsWindows() ? 45 : 46);

    /// <summary>Leaves the group.</summary>
    public SocketError Leave(Socket socket) => source is null
        ? Set(socket, SocketOptionName.DropMembership)
        : SetSource(socket, OperatingSystem.IsWindows() ? 46 : 47);

    private SocketError Set(Socket socket, SocketOptionName option) => group.AddressFamily switch
    {
        AddressFamily.InterNetwork => SocketCall.Try(
            socket,
            (option, value: new MulticastOption(group, interfaceIndex)),
            static (socket, set) => socket.SetSocketOption(SocketOptionLevel.IP, set.option, set.value)),
        AddressFamily.InterNetworkV6 => SocketCall.Try(
            socket,
            (option, value: new IPv6MulticastOption(group, interfaceIndex)),
            static (socket, set) => socket.SetSocketOption(SocketOptionLevel.IPv6, set.option, set.value)),
        _ => SocketError.AddressFamilyNotSupported,
    };

    // .NET has a name for the option of IPv4 only. This one is of both families, and known by its number.
    private SocketError SetSource(Socket socket, int option)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows())
        {
            return SocketError.OperationNotSupported;
        }

        byte[] request = new byte[RequestSize];
        MemoryMarshal.Write(request, interfaceIndex);
        Write(group, request.AsSpan(GroupOffset));
        Write(source!, request.AsSpan(SourceOffset));
        int level = group.AddressFamily == AddressFamily.InterNetworkV6 ? IPv6Level : IPLevel;
        return SocketCall.Try(
            socket,
            (level, option, request),
            static (socket, set) => socket.SetRawSocketOption(set.level, set.option, set.request));
    }

    private static void Write(IPAddress address, Span<byte> target) =>
        new IPEndPoint(address, 0).Serialize().Buffer.Span.CopyTo(target);
}

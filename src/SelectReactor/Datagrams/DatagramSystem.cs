using System.Net.Sockets;

namespace SelectReactor.Datagrams;

/// <summary>Options of datagram sockets that have no name in .NET, and what errors of the system mean.</summary>
internal static class DatagramSystem
{
    private const int IPLevel = 0;
    private const int IPv6Level = 41;

    /// <summary>IP_MULTICAST_ALL and IPV6_MULTICAST_ALL of Linux.</summary>
    private const int MulticastAll = 49;
    private const int MulticastAllV6 = 29;

    /// <summary>IPV6_MTU_DISCOVER of Linux, and its value for "always".</summary>
    private const int PathDiscoveryV6 = 23;
    private const int Always = 2;

    /// <summary>On Linux a socket on any address receives every group that any program of the machine has joined,
    /// unless told otherwise (ip(7)). A system that does not know the option does not do that.</summary>
    public static void HearOwnGroupsOnly(Handle handle, bool isV6)
    {
        if (OperatingSystem.IsLinux())
        {
            handle.SetOption(IPLevel, MulticastAll, ToBytes(0));
            if (isV6)
            {
                handle.SetOption(IPv6Level, MulticastAllV6, ToBytes(0));
            }
        }
    }

    /// <summary>.NET does not know the option of IPv6 on Linux.</summary>
    public static SocketError SetDontFragmentV6(Handle handle)
    {
        SocketError error = handle.SetOption(SocketOptionLevel.IPv6, SocketOptionName.DontFragment, 1);
        return error == SocketError.OperationNotSupported && OperatingSystem.IsLinux()
            ? handle.SetOption(IPv6Level, PathDiscoveryV6, ToBytes(Always))
            : error;
    }

    /// <summary>What an error of a send means for the datagram.</summary>
    public static DatagramSendResult ResultOf(SocketError error) => error switch
    {
        SocketError.Success => DatagramSendResult.Sent,
        SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable => DatagramSendResult.WouldBlock,
        SocketError.MessageSize => DatagramSendResult.TooLong,
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown
            or SocketError.NetworkDown or SocketError.ConnectionRefused or SocketError.AddressNotAvailable
            or SocketError.NotConnected => DatagramSendResult.Unreachable,
        SocketError.AccessDenied => DatagramSendResult.Denied,
        SocketError.OperationAborted => DatagramSendResult.Closed,
        _ => DatagramSendResult.Failed,
    };

    private static byte[] ToBytes(int value) => BitConverter.GetBytes(value);
}

using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <content>Multicast groups, and what the system tells of datagrams.</content>
public abstract partial class Handle
{
    /// <summary>Joins a multicast group (IP_ADD_MEMBERSHIP, ip(7); IPV6_ADD_MEMBERSHIP, ipv6(7)): datagrams to the
    /// group and to this handle's port arrive here.</summary>
    /// <param name="group">The address of the group.</param>
    /// <param name="interfaceIndex">The network interface (if_nametoindex(3)); 0 lets the system choose.</param>
    /// <param name="source">The only sender to hear (source-specific multicast, RFC 4607); null for all.</param>
    public virtual SocketError JoinGroup(IPAddress group, int interfaceIndex, IPAddress? source) =>
        SocketError.OperationNotSupported;

    /// <summary>Leaves a multicast group that was joined with the same arguments.</summary>
    /// <param name="group">The address of the group.</param>
    /// <param name="interfaceIndex">The network interface; 0 for the one that the system chose.</param>
    /// <param name="source">The sender; null if all were heard.</param>
    public virtual SocketError LeaveGroup(IPAddress group, int interfaceIndex, IPAddress? source) =>
        SocketError.OperationNotSupported;

    /// <summary>Tells how many datagrams the system has dropped since the handle was made, for example because its
    /// receive buffer was full (SO_MEMINFO, socket(7)).</summary>
    /// <param name="count">The number; 0 if it is not known.</param>
    /// <returns>Whether the system tells: Linux does. The default implementation answers false.</returns>
    public virtual bool TryGetDroppedDatagrams(out long count)
    {
        count = 0;
        return false;
    }
}

using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <content>Multicast groups, and the size of packets. Each host has one interface to the others, and each group
/// reaches all of them.</content>
internal sealed partial class SimulatedDatagram
{
    private readonly HashSet<(IPAddress Group, IPAddress? Source)> _groups = [];
    private bool _fragments = true;
    private bool _reachesOwnHost = true;
    private bool _reachesOtherHosts = true;
    private long _dropped;

    public override SocketError JoinGroup(IPAddress group, int interfaceIndex, IPAddress? source)
    {
        ArgumentNullException.ThrowIfNull(group);
        SocketError error = CheckGroup(group);
        return error != SocketError.Success ? error
            : _groups.Add((group, source)) ? SocketError.Success
            : SocketError.AddressAlreadyInUse;
    }

    public override SocketError LeaveGroup(IPAddress group, int interfaceIndex, IPAddress? source)
    {
        ArgumentNullException.ThrowIfNull(group);
        SocketError error = CheckGroup(group);
        return error != SocketError.Success ? error
            : _groups.Remove((group, source)) ? SocketError.Success
            : SocketError.AddressNotAvailable;
    }

    public override bool TryGetDroppedDatagrams(out long count)
    {
        count = _dropped;
        return !IsClosed;
    }

    /// <summary>Whether multicast datagrams of this handle reach a host.</summary>
    public bool Reaches(SimulatedHost host) => host == Host ? _reachesOwnHost : _reachesOtherHosts;

    /// <summary>Whether the handle receives a datagram to a group.</summary>
    public bool Hears(IPEndPoint from, IPAddress group) =>
        PortTable.IsAny(Local!.Address)
        && (_peer is null || _peer.Equals(Routing.As(Family, from)))
        && (_groups.Contains((group, null)) || _groups.Contains((group, from.Address)));

    private SocketError CheckGroup(IPAddress group) => IsClosed ? SocketError.OperationAborted
        : !Routing.IsMulticast(group) ? SocketError.InvalidArgument
        : group.AddressFamily == AddressFamily.InterNetworkV6 && Family == AddressFamily.InterNetwork
            ? SocketError.ProtocolOption
        : SocketError.Success;

    private int RoomOnTheWay(IPEndPoint to)
    {
        IPAddress target = Routing.Reachable(to.Address);
        bool staysHere = Network.HostOf(Host, target) == Host;
        return staysHere ? int.MaxValue : Routing.RoomInPacket(Network, target);
    }
}

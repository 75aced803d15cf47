using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <summary>A UDP handle, as its program sees it. Results are those of Linux. A send never blocks.</summary>
internal sealed partial class SimulatedDatagram(SimulatedHost host, int descriptor, AddressFamily family)
    : SimulatedHandle(host, descriptor, family)
{
    private const int MaxBytesV4 = 65_507;
    private const int MaxBytesV6 = 65_527;

    private readonly DatagramQueue _queue = new(host.Network.Options.ReceiveWindowBytes);
    private IPEndPoint? _peer;
    private SocketError _error;
    private bool _takesBothFamilies;
    private bool _mayBroadcast;

    public override EndPoint? RemoteEndPoint => IsClosed ? null : _peer;

    public override Interest Readiness => Interest.Write | Interest.Connect
        | (_queue.IsEmpty && _error == SocketError.Success ? Interest.None : Interest.Read);

    protected override PortTable Ports => Host.DatagramPorts;

    protected override bool SharesWhenBound => false;

    public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value)
    {
        switch (level, name)
        {
            case (SocketOptionLevel.IPv6, SocketOptionName.IPv6Only):
                _takesBothFamilies = value == 0 && Family == AddressFamily.InterNetworkV6;
                break;
            case (SocketOptionLevel.IP or SocketOptionLevel.IPv6, SocketOptionName.DontFragment):
                _fragments = value == 0;
                break;
            case (SocketOptionLevel.IP or SocketOptionLevel.IPv6, SocketOptionName.MulticastLoopback):
                _reachesOwnHost = value != 0;
                break;
            case (SocketOptionLevel.IP or SocketOptionLevel.IPv6, SocketOptionName.MulticastTimeToLive):
                _reachesOtherHosts = value != 0;
                break;
            case (SocketOptionLevel.Socket, SocketOptionName.Broadcast):
                _mayBroadcast = value != 0;
                break;
            case (SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer):
                _queue.Capacity = value;
                break;
        }

        return base.SetOption(level, name, value);
    }

    public override SocketError Connect(EndPoint remoteEndPoint)
    {
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        if (_peer is not null)
        {
            return SocketError.IsConnected;
        }

        if (remoteEndPoint is not IPEndPoint remote || remote.AddressFamily != Family)
        {
            return SocketError.AddressFamilyNotSupported;
        }

        SocketError error = FindSource(remote, out IPEndPoint source);
        if (error == SocketError.Success)
        {
            Relocate(source);
            _peer = Routing.As(Family, new IPEndPoint(Routing.Reachable(remote.Address), remote.Port));
            Note($"has the peer {remote}");
        }

        return error;
    }

    public override SocketError Receive(Span<byte> buffer, out int received) =>
        Receive(buffer, out received, out _);

    public override SocketError ReceiveFrom(Span<byte> buffer, SocketAddress sender, out int received)
    {
        ArgumentNullException.ThrowIfNull(sender);
        if (!IsClosed && sender.Buffer.Length < SocketAddress.GetMaximumAddressSize(Family))
        {
            received = 0;
            return SocketError.Fault;
        }

        SocketError error = Receive(buffer, out received, out IPEndPoint? from);
        if (from is not null)
        {
            SocketAddress address = from.Serialize();
            address.Buffer.CopyTo(sender.Buffer);
            sender.Size = address.Size;
        }

        return error;
    }

    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        sent = 0;
        return IsClosed ? SocketError.OperationAborted
            : _peer is null ? SocketError.DestinationAddressRequired
            : Send(buffer, _peer, out sent);
    }

    public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        ArgumentNullException.ThrowIfNull(buffers);
        return Send([.. buffers.SelectMany(static buffer => buffer)], out sent);
    }

    public override SocketError SendTo(ReadOnlySpan<byte> datagram, SocketAddress receiver, out int sent)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        sent = 0;
        return IsClosed ? SocketError.OperationAborted
            : receiver.Family != Family ? SocketError.AddressFamilyNotSupported
            : Send(datagram, (IPEndPoint)new IPEndPoint(Routing.AnyOf(Family), 0).Create(receiver), out sent);
    }

    public override SocketError Shutdown(SocketShutdown how) => WhileOpen(SocketError.OperationNotSupported);

    public override SocketError TakeError()
    {
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        SocketError error = _error;
        _error = SocketError.Success;
        return error;
    }

    /// <summary>How well the handle fits a datagram, as in the kernel: a handle that is connected to the sender comes
    /// first, and one on the very address before one on any. Negative if it does not receive the datagram.</summary>
    public int Fits(IPEndPoint from, IPAddress to)
    {
        bool isOnAny = PortTable.IsAny(Local!.Address);
        bool takesFamily = to.AddressFamily == Family || _takesBothFamilies;
        if (!takesFamily || (_peer is not null && !_peer.Equals(Routing.As(Family, from))))
        {
            return -1;
        }

        return isOnAny ? (_peer is null ? 0 : 2)
            : Local.Address.Equals(Routing.As(Family, to)) ? (_peer is null ? 1 : 3)
            : -1;
    }

    /// <summary>A datagram arrives.</summary>
    public void Arrive(IPEndPoint from, byte[] bytes)
    {
        if (_queue.TryAdd(Routing.As(Family, from), bytes))
        {
            Touch();
        }
        else
        {
            _dropped++;
            Note("has no room: a datagram is lost");
        }
    }

    /// <summary>An ICMP message arrives: no program has the port that a datagram was sent to. Only a handle that is
    /// connected to that port is told.</summary>
    public void OnPortUnreachable(IPEndPoint to)
    {
        if (!IsClosed && to.Equals(_peer))
        {
            _error = SocketError.ConnectionRefused;
            Touch();
        }
    }

    protected override void OnClosing(bool reset) => _queue.Clear();

    private SocketError Receive(Span<byte> buffer, out int received, out IPEndPoint? from)
    {
        received = 0;
        from = null;
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        // As in the kernel, an error comes before the datagrams.
        if (_error != SocketError.Success)
        {
            Note($"receive: {_error}");
            return TakeError();
        }

        if (_queue.IsEmpty)
        {
            return SocketError.WouldBlock;
        }

        (from, byte[] bytes) = _queue.Take();
        received = Math.Min(bytes.Length, buffer.Length);
        bytes.AsSpan(0, received).CopyTo(buffer);
        Note($"receive {received} of {bytes.Length} from {from}");
        return received < bytes.Length ? SocketError.MessageSize : SocketError.Success;
    }

    private SocketError Send(ReadOnlySpan<byte> datagram, IPEndPoint to, out int sent)
    {
        sent = 0;
        if (_error != SocketError.Success)
        {
            Note($"send: {_error}");
            return TakeError();
        }

        SocketError error = Check(datagram.Length, to);
        if (error == SocketError.Success)
        {
            error = FindSource(to, out IPEndPoint source);
            if (error == SocketError.Success)
            {
                sent = datagram.Length;
                Note($"send {sent} to {to}");
                new DatagramRoute(this, to, source).Send(datagram.ToArray());
            }
        }

        return error;
    }

    private SocketError Check(int bytes, IPEndPoint to)
    {
        bool isV4 = Family == AddressFamily.InterNetwork || to.Address.IsIPv4MappedToIPv6;
        return bytes > (isV4 ? MaxBytesV4 : MaxBytesV6) ? SocketError.MessageSize
            : !_fragments && bytes > RoomOnTheWay(to) ? SocketError.MessageSize
            : to.Port == 0 ? SocketError.InvalidArgument
            : to.Address.Equals(IPAddress.Broadcast) && !_mayBroadcast ? SocketError.AccessDenied
            : to.Address.IsIPv4MappedToIPv6 && !_takesBothFamilies ? SocketError.NetworkUnreachable
            : SocketError.Success;
    }

    // A handle that is not bound takes a port now. The source of a handle on any address is the address of this host
    // by which it reaches the receiver.
    private SocketError FindSource(IPEndPoint to, out IPEndPoint source)
    {
        source = to;
        if (Local is null)
        {
            int port = Ports.FindEphemeral();
            if (port == 0)
            {
                return SocketError.WouldBlock;
            }

            Claim(new IPEndPoint(Routing.AnyOf(Family), port));
        }

        IPAddress target = Routing.Reachable(to.Address);
        bool staysHere = Routing.IsLoopback(target);
        if (PortTable.IsAny(Local!.Address))
        {
            IPAddress own = staysHere ? target : Routing.AddressOf(Host, target);
            source = new IPEndPoint(Routing.As(Family, own), Local.Port);
            return SocketError.Success;
        }

        source = Local;
        return !staysHere && Routing.IsLoopback(Local.Address) ? SocketError.InvalidArgument : SocketError.Success;
    }
}

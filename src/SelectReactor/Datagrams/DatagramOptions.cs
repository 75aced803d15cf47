using System.Net;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;

namespace SelectReactor;

/// <summary>
/// How a <see cref="DatagramSocket"/> sends and receives. <c>BindDatagram</c> and <c>ConnectDatagram</c> copy the
/// options, so that a later change does not reach the socket. A setter throws an <see cref="ArgumentException"/> that
/// names the option if a value is not allowed.
/// </summary>
public sealed class DatagramOptions
{
    /// <summary>The longest datagram that UDP can carry: the limit of its length field (RFC 768).</summary>
    internal const int MaxUdpBytes = 65_535;

    /// <summary>The local address of a socket that <c>ConnectDatagram</c> makes. Without effect in
    /// <c>BindDatagram</c>, which is given one. Default (null): the system chooses address and port.</summary>
    public EndPoint? LocalEndPoint
    {
        get;
        set => field = value is not DnsEndPoint name
            ? value
            : throw new ArgumentException(
                $"{nameof(DatagramOptions)}.{nameof(LocalEndPoint)} must be an address, not the host name "
                    + $"{name.Host}.",
                nameof(LocalEndPoint));
    }

    /// <summary>The maximum number of datagrams that one tick receives on this socket. Then connections, timers and
    /// other sockets have their turn, and the rest follows in the next tick. Default: 64.</summary>
    public int MaxDatagramsPerTick
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 64;

    /// <summary>The longest datagram that is received, in bytes. A longer one is dropped, counted in
    /// <see cref="DatagramStatistics.DroppedTooLong"/>, and reported to <see cref="IDatagramHandler.OnError"/>; on
    /// systems other than Linux and Windows one of a Unix-domain socket is cut without notice. Above 65,535 it matters
    /// to Unix-domain sockets only. The memory is taken while datagrams are received. Default: 65,535.</summary>
    public int MaxDatagramBytes
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = MaxUdpBytes;

    /// <summary>The size of the system's send buffer, in bytes (SO_SNDBUF, socket(7)). Default (null): the
    /// system's.</summary>
    public int? SendBufferBytes
    {
        get;
        set => field = value is { } bytes ? OptionValue.AtLeast(this, bytes, 1) : null;
    }

    /// <summary>The size of the system's receive buffer, in bytes (SO_RCVBUF, socket(7)). Datagrams that find it full
    /// are lost. Linux allows up to net.core.rmem_max and counts some 500 to 800 bytes more for each datagram than it
    /// holds. Default (null): the system's.</summary>
    public int? ReceiveBufferBytes
    {
        get;
        set => field = value is { } bytes ? OptionValue.AtLeast(this, bytes, 1) : null;
    }

    /// <summary>Whether the socket may send to broadcast addresses (SO_BROADCAST). Default: false.</summary>
    public bool Broadcast { get; set; }

    /// <summary>Whether a socket on an IPv6 address also speaks IPv4 (IPV6_V6ONLY off, ipv6(7)). IPv4 peers have
    /// addresses of the form ::ffff:a.b.c.d, and are sent to by such addresses. It has no effect on other addresses.
    /// Default: false.</summary>
    public bool DualMode { get; set; }

    /// <summary>Whether other sockets may bind to the same address and port; all of them must set this
    /// (SO_REUSEADDR, and on Unix also SO_REUSEPORT, socket(7)). Each receives a copy of a multicast datagram. The
    /// others go to one of the sockets: on Linux it is chosen by sender; on Windows any program may take the port
    /// over. Default: false.</summary>
    public bool ReuseAddress { get; set; }

    /// <summary>Whether datagrams are never cut into fragments on their way: one that is too long for the path is
    /// refused as <see cref="DatagramSendResult.TooLong"/> once the system knows that (IP_MTU_DISCOVER and
    /// IPV6_MTU_DISCOVER, ip(7)). Default: false, which leaves the system's own behaviour.</summary>
    public bool DontFragment { get; set; }

    /// <summary>How many routers a datagram may pass (IP_TTL, IPV6_UNICAST_HOPS), from 1 to 255. Default (null): the
    /// system's, 64 on Linux.</summary>
    public int? TimeToLive
    {
        get;
        set => field = value is { } hops ? OptionValue.Between(this, hops, 1, 255) : null;
    }

    /// <summary>The same for multicast datagrams (IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS), from 0 to 255. 0 keeps them
    /// on this machine, 1 on the local network. Default: 1.</summary>
    public int MulticastTimeToLive
    {
        get;
        set => field = OptionValue.Between(this, value, 0, 255);
    } = 1;

    /// <summary>Whether members on this machine receive multicast datagrams that it sends (IP_MULTICAST_LOOP).
    /// Default: true.</summary>
    public bool MulticastLoopback { get; set; } = true;

    /// <summary>The index of the network interface that multicast datagrams leave by (IP_MULTICAST_IF). Default: 0,
    /// the system chooses.</summary>
    public int MulticastInterface
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 0);
    }

    /// <summary>For sockets without options of their own. Nobody changes it.</summary>
    internal static DatagramOptions Default { get; } = new();

    internal DatagramOptions Copy()
    {
        var copy = (DatagramOptions)MemberwiseClone();
        copy.LocalEndPoint = LocalEndPoint is { } local ? MappedAddress.Copy(local) : null;
        return copy;
    }
}

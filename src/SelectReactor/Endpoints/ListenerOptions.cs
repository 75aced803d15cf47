using SelectReactor.Connections;
using SelectReactor.Dispatch;
using SelectReactor.Tls;

namespace SelectReactor;

/// <summary>
/// How a <see cref="Listener"/> accepts connections. <c>Listen</c> copies the options, so that a later change does not
/// reach the listener. A setter throws an <see cref="ArgumentException"/> that names the option if a value is not
/// allowed.
/// </summary>
public sealed class ListenerOptions
{
    /// <summary>The number of clients that may wait to be accepted (listen(2)). The system has a limit of its own and
    /// uses the smaller of the two (net.core.somaxconn on Linux). Beyond it, clients have to try again, which takes
    /// them a second or more. Default: the system's limit
    /// (<see cref="int.MaxValue"/>).</summary>
    public int Backlog
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = int.MaxValue;

    /// <summary>The maximum number of connections that one tick accepts. Then the open connections have their turn.
    /// Each listener also accepts no longer than a millisecond in a tick, by the reactor's
    /// <see cref="ReactorOptions.TimeProvider"/>. This time doubles after each tenth of a second in which clients were
    /// always left waiting, up to 4 milliseconds. At least one client that waits is accepted. Default: 512.</summary>
    public int MaxAcceptsPerTick
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 512;

    /// <summary>The maximum number of open connections of this listener. If
    /// <see cref="ReactorOptions.MaxConnections"/> is reached first, that limit applies. Default: no limit of its own
    /// (<see cref="int.MaxValue"/>).</summary>
    public int MaxConnections
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = int.MaxValue;

    /// <summary>What the listener does with new clients when a limit on connections is reached. Default:
    /// <see cref="WhenFull.Pause"/>.</summary>
    public WhenFull WhenFull
    {
        get;
        set => field = OptionValue.Defined(this, value);
    }

    /// <summary>Decides for each client whether it may connect. Default (null): every client may.</summary>
    public IAcceptFilter? AcceptFilter { get; set; }

    /// <summary>Whether a listener on an IPv6 address also accepts IPv4 clients (IPV6_V6ONLY off, ipv6(7)). Their
    /// addresses read ::ffff:a.b.c.d. With <see cref="System.Net.IPAddress.IPv6Any"/> it listens on every address of
    /// the machine. It has no effect on other addresses. Default: false.</summary>
    public bool DualMode { get; set; }

    /// <summary>Whether other listeners of the same user may listen on the same port (SO_REUSEPORT, socket(7)). All of
    /// them must set this. The system spreads the clients over them: use it for one reactor per core. Not on Windows.
    /// Default: false.</summary>
    public bool ReusePort { get; set; }

    /// <summary>Whether clients come through proxies that send a PROXY header first, and which proxies are trusted.
    /// <see cref="SelectReactor.Connection.RemoteEndPoint"/> and <see cref="SelectReactor.Connection.LocalEndPoint"/>
    /// are then those of the client, and <see cref="AcceptFilter"/> is asked with them, when the header has arrived.
    /// Default (null): no headers are read.</summary>
    public ProxyProtocolOptions? ProxyProtocol { get; set; }

    /// <summary>The options of the accepted connections. Not null.</summary>
    public ConnectionOptions Connection
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = new();

    /// <summary>TLS for the accepted connections. A client whose handshake fails is dropped, with one message in the
    /// log (Debug). Default (null): none.</summary>
    public TlsServerOptions? Tls { get; set; }

    /// <summary>What is done with an accepted client before it is a connection, in order. Each makes a step for one
    /// client.</summary>
    internal IReadOnlyList<Func<OpeningStep>> Steps { get; set; } = [];

    /// <summary>A copy, with copies of the options in it: a change of one does not reach the other.</summary>
    public ListenerOptions Clone()
    {
        var clone = (ListenerOptions)MemberwiseClone();
        clone.Connection = Connection.Copy();
        clone.ProxyProtocol = ProxyProtocol?.Copy();
        clone.Tls = Tls?.Clone();
        return clone;
    }

    /// <summary>The options as a listener uses them.</summary>
    internal ListenerOptions Copy()
    {
        var copy = (ListenerOptions)MemberwiseClone();
        copy.Connection = Connection.Copy();
        copy.ProxyProtocol = ProxyProtocol?.Copy();
        copy.Tls = Tls?.Copy();
        return copy;
    }

    /// <exception cref="ArgumentException">The options can't be used.</exception>
    internal void Verify() => Tls?.Verify();

    /// <summary>All that is done with the accepted clients of one listener before they are connections.</summary>
    internal IReadOnlyList<Func<OpeningStep>> CreateSteps()
    {
        List<Func<OpeningStep>> steps = [.. Steps];
        if (Tls is not null)
        {
            Tls.Verify();
            steps.Add(new TlsServer(Tls).CreateStep);
        }

        return steps;
    }
}

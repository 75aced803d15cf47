using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>How a <see cref="Listener"/> accepts connections.</summary>
public sealed class ListenerOptions
{
    /// <summary>The number of clients that may wait to be accepted (listen(2)). The system has a limit of its own and
    /// uses the smaller of the two (net.core.somaxconn on Linux). Beyond it, clients have to try again, which takes
    /// them a second or more. Default: as many as the system allows (<see cref="int.MaxValue"/>).</summary>
    public int Backlog
    {
        get;
        init => field = OptionValue.AtLeastOne(value);
    } = int.MaxValue;

    /// <summary>The most connections that one tick accepts. Then the open connections have their turn. Default:
    /// 16.</summary>
    public int MaxAcceptsPerTick
    {
        get;
        init => field = OptionValue.AtLeastOne(value);
    } = 16;

    /// <summary>The most connections of this listener that may be open at once. Default: no limit of its own
    /// (<see cref="int.MaxValue"/>); see also <see cref="ReactorOptions.MaxConnections"/>.</summary>
    public int MaxConnections
    {
        get;
        init => field = OptionValue.AtLeastOne(value);
    } = int.MaxValue;

    /// <summary>What the listener does with new clients when a limit on connections is reached. Default:
    /// <see cref="WhenFull.Pause"/>.</summary>
    public WhenFull WhenFull { get; init; }

    /// <summary>Decides for each client whether it may connect. Default (null): every client may.</summary>
    public IAcceptFilter? AcceptFilter { get; init; }

    /// <summary>Whether a listener on an IPv6 address also accepts IPv4 clients (IPV6_V6ONLY off, ipv6(7)). Their
    /// addresses read ::ffff:a.b.c.d. With <see cref="System.Net.IPAddress.IPv6Any"/> it listens on every address of
    /// the machine. Default: false.</summary>
    public bool DualMode { get; init; }

    /// <summary>Whether other listeners of the same user may listen on the same port (SO_REUSEPORT, socket(7)). All of
    /// them must set this. The system spreads the clients over them: use it for one reactor per core. Not on Windows.
    /// Default: false.</summary>
    public bool ReusePort { get; init; }

    /// <summary>The options of the accepted connections.</summary>
    public ConnectionOptions Connection
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = ConnectionOptions.Default;

    internal static ListenerOptions Default { get; } = new();
}

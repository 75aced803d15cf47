using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>How a <see cref="Listener"/> accepts connections.</summary>
public sealed class ListenerOptions
{
    /// <summary>How many connections may wait to be accepted (listen(2)); the system caps it. Default: 512.</summary>
    public int Backlog
    {
        get;
        init => field = OptionValue.AtLeastOne(value);
    } = 512;

    /// <summary>The most connections that one tick accepts before the open ones have their turn. Default: 16.</summary>
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

    /// <summary>What to do when a limit on connections is reached. Default: <see cref="WhenFull.Pause"/>.</summary>
    public WhenFull WhenFull { get; init; }

    /// <summary>Who may connect. Default (null): everybody.</summary>
    public IAcceptFilter? AcceptFilter { get; init; }

    /// <summary>Whether an IPv6 address takes IPv4 clients as well (IPV6_V6ONLY off, ipv6(7)); they show as
    /// ::ffff:a.b.c.d. With <see cref="System.Net.IPAddress.IPv6Any"/> that is every address of the machine.
    /// Default: false.</summary>
    public bool DualMode { get; init; }

    /// <summary>Whether other listeners, of this process or another of the same user, may listen on the same port, if all
    /// of them say so; the system then shares the clients out (SO_REUSEPORT, socket(7)): one reactor for each core. Not on
    /// Windows. Default: false.</summary>
    public bool ReusePort { get; init; }

    /// <summary>For the accepted connections.</summary>
    public ConnectionOptions Connection
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = ConnectionOptions.Default;

    internal static ListenerOptions Default { get; } = new();
}

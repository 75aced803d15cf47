using System.Net;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>How <c>ConnectAsync</c> makes an outgoing connection.</summary>
public sealed class ConnectOptions
{
    /// <summary>The time for the whole, including the resolution of a name and all attempts at its addresses.
    /// <see cref="Timeout.InfiniteTimeSpan"/> leaves it to the system, which gives up after a minute or two. Default:
    /// 15 seconds.</summary>
    public TimeSpan Timeout
    {
        get;
        init => field = OptionValue.AboveZeroOrInfinite(value);
    } = TimeSpan.FromSeconds(15);

    /// <summary>The local address to bind before connecting. Port 0 lets the system choose the port: on Linux when it
    /// connects, so that connections to different destinations can share a port (IP_BIND_ADDRESS_NO_PORT, ip(7)).
    /// Default (null): the system chooses address and port.</summary>
    public EndPoint? LocalEndPoint { get; init; }

    /// <summary>The time that an attempt at one address of a host has before the next address is tried at the same
    /// time (Connection Attempt Delay, RFC 8305). Default: 250 milliseconds.</summary>
    public TimeSpan AttemptDelay
    {
        get;
        init => field = OptionValue.NotNegative(value);
    } = TimeSpan.FromMilliseconds(250);

    /// <summary>The time that IPv4 addresses wait for IPv6 addresses if they were resolved first (Resolution Delay,
    /// RFC 8305). Default: 50 milliseconds.</summary>
    public TimeSpan ResolutionDelay
    {
        get;
        init => field = OptionValue.NotNegative(value);
    } = TimeSpan.FromMilliseconds(50);

    /// <summary>The options of the connection.</summary>
    public ConnectionOptions Connection
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = ConnectionOptions.Default;

    internal static ConnectOptions Default { get; } = new();
}

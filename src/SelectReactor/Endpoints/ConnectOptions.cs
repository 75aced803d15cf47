using System.Net;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>How an outgoing connection is made.</summary>
public sealed class ConnectOptions
{
    /// <summary>How long it may take in all, resolving a name and trying its addresses included;
    /// <see cref="Timeout.InfiniteTimeSpan"/> leaves it to the system, which gives up after a minute or two. Default: 15 seconds.</summary>
    public TimeSpan Timeout
    {
        get;
        init => field = OptionValue.AboveZeroOrInfinite(value);
    } = TimeSpan.FromSeconds(15);

    /// <summary>The local address to bind before connecting; port 0 lets the system choose one. Default (null): the system
    /// chooses both.</summary>
    public EndPoint? LocalEndPoint { get; init; }

    /// <summary>How long an attempt at one address of a host is given before the next address is tried beside it (Connection
    /// Attempt Delay, RFC 8305). Default: 250 milliseconds.</summary>
    public TimeSpan AttemptDelay
    {
        get;
        init => field = OptionValue.NotNegative(value);
    } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long IPv4 addresses that came first wait for IPv6 ones (Resolution Delay, RFC 8305). Default: 50
    /// milliseconds.</summary>
    public TimeSpan ResolutionDelay
    {
        get;
        init => field = OptionValue.NotNegative(value);
    } = TimeSpan.FromMilliseconds(50);

    /// <summary>For the connection.</summary>
    public ConnectionOptions Connection
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = ConnectionOptions.Default;

    internal static ConnectOptions Default { get; } = new();
}

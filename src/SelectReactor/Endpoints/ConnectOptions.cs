using System.Net;
using SelectReactor.Connections;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;
using SelectReactor.ProxyProtocol;
using SelectReactor.Tls;

namespace SelectReactor;

/// <summary>
/// How <c>ConnectAsync</c> makes an outgoing connection. It copies the options, so that a later change does not reach
/// an attempt. A setter throws an <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class ConnectOptions
{
    /// <summary>The time limit for the whole attempt, including the resolution of a name and all its addresses. Above
    /// zero. With <see cref="Timeout.InfiniteTimeSpan"/> the system decides, which gives up after a minute or two.
    /// A TLS handshake gets up to a second more if the loop has come to its bytes too late. Default: 15
    /// seconds.</summary>
    public TimeSpan Timeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromSeconds(15);

    /// <summary>The local address to bind before connecting. Port 0 lets the system choose the port: on Linux when it
    /// connects, so that connections to different destinations can share a port (IP_BIND_ADDRESS_NO_PORT, ip(7)).
    /// Default (null): the system chooses address and port.</summary>
    public EndPoint? LocalEndPoint
    {
        get;
        set => field = value is not DnsEndPoint name
            ? value
            : throw new ArgumentException(
                $"{nameof(ConnectOptions)}.{nameof(LocalEndPoint)} must be an address, not the host name {name.Host}.",
                nameof(LocalEndPoint));
    }

    /// <summary>The time after which the next address of a host is tried as well (Connection Attempt Delay, RFC 8305).
    /// If an attempt fails earlier, the next one starts at once. If the delay is not below <see cref="Timeout"/>, that
    /// is the only case. Zero or more. Default: 250 milliseconds.</summary>
    public TimeSpan AttemptDelay
    {
        get;
        set => field = OptionValue.NotNegative(this, value);
    } = TimeSpan.FromMilliseconds(250);

    /// <summary>The time that IPv4 addresses wait for IPv6 addresses if they were resolved first (Resolution Delay,
    /// RFC 8305). More than half of <see cref="Timeout"/> counts as half of it, so that the IPv4 addresses are tried
    /// at all. Zero or more. Default: 50 milliseconds.</summary>
    public TimeSpan ResolutionDelay
    {
        get;
        set => field = OptionValue.NotNegative(this, value);
    } = TimeSpan.FromMilliseconds(50);

    /// <summary>The PROXY header that is sent before anything else, for a proxy of your own. It does not count as
    /// output of the connection. Default (null): none.</summary>
    public ProxyHeader? ProxyProtocol { get; set; }

    /// <summary>The options of the connection. Not null.</summary>
    public ConnectionOptions Connection
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = new();

    /// <summary>For attempts without options of their own. Nobody changes it.</summary>
    internal static ConnectOptions Default { get; } = new();

    /// <summary>TLS for the connection. If the handshake fails, <c>ConnectAsync</c> throws an
    /// <see cref="System.Security.Authentication.AuthenticationException"/>, or an <see cref="IOException"/> if the
    /// connection has ended. Default (null): none.</summary>
    public TlsClientOptions? Tls { get; set; }

    /// <summary>What is done with a connected handle before it is a connection, in order. Each makes a step for one
    /// handle.</summary>
    internal IReadOnlyList<Func<OpeningStep>> Steps { get; set; } = [];

    /// <summary>A copy, with copies of the options in it: a change of one does not reach the other.</summary>
    public ConnectOptions Clone()
    {
        var clone = (ConnectOptions)MemberwiseClone();
        clone.Connection = Connection.Copy();
        clone.Tls = Tls?.Clone();
        return clone;
    }

    /// <summary>The options as an attempt uses them.</summary>
    internal ConnectOptions Copy()
    {
        var copy = (ConnectOptions)MemberwiseClone();
        copy.Connection = Connection.Copy();
        if (ProxyProtocol is { } header)
        {
            copy.Steps = [() => new HeaderSender(header), .. Steps];
        }

        copy.Tls = Tls?.Copy();
        copy.LocalEndPoint = LocalEndPoint is { } local ? MappedAddress.Copy(local) : null;
        if (Timeout != System.Threading.Timeout.InfiniteTimeSpan && ResolutionDelay > Timeout / 2)
        {
            copy.ResolutionDelay = Timeout / 2;
        }

        return copy;
    }

    /// <summary>All that is done with the handle of one attempt before it is a connection.</summary>
    internal IReadOnlyList<Func<OpeningStep>> CreateSteps(EndPoint remoteEndPoint)
    {
        List<Func<OpeningStep>> steps = [.. Steps];
        if (Tls is not null)
        {
            steps.Add(new TlsClient(Tls, remoteEndPoint).CreateStep);
        }

        return steps;
    }
}

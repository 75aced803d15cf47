using System.Net;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>
/// How a listener reads the PROXY header that comes first on each connection of a trusted proxy. A header is required
/// of them and never guessed. Name the proxies in <see cref="TrustedNetworks"/>: whoever may send a header can claim
/// any address. A setter throws an <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class ProxyProtocolOptions
{
    /// <summary>The addresses of the proxies. None is trusted by itself, not even those of this machine. An IPv4
    /// client of a dual-mode listener has its IPv4 address here. Required, unless
    /// <see cref="TrustsUnixClients"/>. The list is copied. Not null. Default: none.</summary>
    /// <example><c>TrustedNetworks = [IPNetwork.Parse("10.1.0.0/16"), IPNetwork.Parse("::1/128")]</c></example>
    public IReadOnlyList<IPNetwork> TrustedNetworks
    {
        get;
        set => field = [.. OptionValue.NotNull(this, value)];
    } = [];

    /// <summary>Whether every client of a Unix-domain listener is a trusted proxy. The rights of the socket's file say
    /// who may connect. Default: false.</summary>
    public bool TrustsUnixClients { get; set; }

    /// <summary>What the listener does with other clients. Default:
    /// <see cref="UntrustedClients.Refuse"/>.</summary>
    public UntrustedClients UntrustedClients
    {
        get;
        set => field = OptionValue.Defined(this, value);
    }

    /// <summary>The time limit for the whole header, from the accept on. Above zero. The specification asks for at
    /// least 3 seconds, since a lost packet comes again after that time. No limit:
    /// <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>. Default: 5 seconds.</summary>
    public TimeSpan Timeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromSeconds(5);

    /// <summary>The most bytes of a header of version 2: 16, the addresses, and what else the proxy tells, such as the
    /// name of a certificate. The length is compared before memory is taken. A header of version 1 has 107 bytes at
    /// most. Default: 4,096.</summary>
    public int MaxHeaderBytes
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 4096;

    /// <summary>The only version that is accepted. Default (null): both.</summary>
    public ProxyProtocolVersion? Version
    {
        get;
        set => field = value is { } version ? OptionValue.Defined(this, version) : null;
    }

    /// <summary>Whether a header without a checksum is refused, and so every one of version 1. A checksum that is
    /// there is always verified. Default: false.</summary>
    public bool RequiresChecksum { get; set; }

    internal ProxyProtocolOptions Copy() => (ProxyProtocolOptions)MemberwiseClone();
}

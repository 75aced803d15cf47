using System.Net;

namespace SelectReactor;

/// <summary>The options of a server that <c>AddServer</c> adds. Set them in code or bind them to
/// configuration.</summary>
public sealed class ServerOptions
{
    /// <summary>Where to listen, as text: <c>127.0.0.1:7007</c>, <c>[::1]:7007</c>, <c>localhost:7007</c> (IPv4),
    /// <c>*:7007</c> (all addresses, IPv4 and IPv6), or <c>unix:/run/echo.sock</c>. With port 0 the system chooses the
    /// port (see <see cref="HostedReactor.GetListener"/>).</summary>
    public string? EndPoint { get; set; }

    /// <summary>Where to listen, in code. If it is set, <see cref="EndPoint"/> does not count.</summary>
    public EndPoint? ListenOn { get; set; }

    /// <summary>The certificate of TLS, from files, which are read again each minute. Default (null): no TLS, unless
    /// <see cref="ListenerOptions.Tls"/> is set.</summary>
    public CertificateFileOptions? Certificate { get; set; }

    /// <summary>The proxies whose PROXY header is read, as networks or addresses: <c>10.1.0.0/16</c>, <c>::1</c>. They
    /// are added to <see cref="ProxyProtocolOptions.TrustedNetworks"/>. Default: none.</summary>
    public IList<string> TrustedProxies { get; } = [];

    /// <summary>How to accept clients, with the options of their connections.</summary>
    public ListenerOptions Listener { get; set; } = new();
}

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor;

/// <summary>What the two sides of a TLS connection have agreed on: <c>connection.GetFeature&lt;ITlsFeature&gt;()</c>,
/// which is null for a connection without TLS. The values do not change while the connection is open. Use it on the
/// reactor's thread.</summary>
public interface ITlsFeature
{
    /// <summary>The version of the protocol.</summary>
    SslProtocols Protocol { get; }

    /// <summary>The cipher suite (RFC 8446, appendix B.4).</summary>
    TlsCipherSuite CipherSuite { get; }

    /// <summary>The protocol that both sides chose (ALPN, RFC 7301). Empty (default) if they chose none.</summary>
    SslApplicationProtocol ApplicationProtocol { get; }

    /// <summary>The host name that the client asked for (SNI, RFC 6066). Null if it named none.</summary>
    string? ServerName { get; }

    /// <summary>The certificate of the peer. Null if it sent none, as most clients do. It can be used after the
    /// connection has closed, too.</summary>
    X509Certificate2? PeerCertificate { get; }
}

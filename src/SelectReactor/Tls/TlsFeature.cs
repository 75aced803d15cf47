using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Tls;

/// <summary>The facts of a handshake. The certificate is asked for on use: then it outlives the engine.</summary>
internal sealed class TlsFeature(ITlsEngine engine) : ITlsFeature
{
    private X509Certificate2? _peerCertificate;

    public SslProtocols Protocol { get; } = engine.Protocol;

    public TlsCipherSuite CipherSuite { get; } = engine.CipherSuite;

    public SslApplicationProtocol ApplicationProtocol { get; } = engine.ApplicationProtocol;

    public string? ServerName { get; } = engine.ServerName is { Length: > 0 } name ? name : null;

    public X509Certificate2? PeerCertificate => _peerCertificate ??= engine.PeerCertificate;
}

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Tls;

/// <summary>The facts of a handshake. The engine leaves a certificate that was asked for to whoever has it, and would
/// dispose of another one: so it is asked for while the engine lives.</summary>
internal sealed class TlsFeature(ITlsEngine engine) : ITlsFeature
{
    public SslProtocols Protocol { get; } = engine.Protocol;

    public TlsCipherSuite CipherSuite { get; } = engine.CipherSuite;

    public SslApplicationProtocol ApplicationProtocol { get; } = engine.ApplicationProtocol;

    public string? ServerName { get; } = engine.ServerName is { Length: > 0 } name ? name : null;

    public X509Certificate2? PeerCertificate { get; } = engine.PeerCertificate;
}

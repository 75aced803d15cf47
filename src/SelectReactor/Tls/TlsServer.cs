using System.Net.Security;
using SelectReactor.Connections;

namespace SelectReactor.Tls;

/// <summary>Makes the TLS steps of one listener.</summary>
internal sealed class TlsServer
{
    private readonly TlsServerOptions _options;
    private readonly HandshakeGate _gate;

    public TlsServer(TlsServerOptions options)
    {
        _options = options;
        _gate = new HandshakeGate(options.MaxConcurrentHandshakes);
        SslServerAuthenticationOptions authentication = options.Authentication;
        if (authentication is { ServerCertificate: { } certificate, ServerCertificateContext: null })
        {
            // Made once: otherwise each handshake would build the chain, and no session could be resumed.
            authentication.ServerCertificateContext = CertificateSource.FromCertificate(certificate).Context;
        }
    }

    public OpeningStep CreateStep() =>
        new TlsHandshake(CreateEngine, _options.HandshakeTimeout, _gate);

    // Sessions are kept for the whole process: a run that is to be repeated must not depend on those before it.
    private SslStreamEngine CreateEngine(bool isRepeatable) =>
        new((stream, token) => HandshakeAsync(stream, isRepeatable, token));

    private Task HandshakeAsync(SslStream stream, bool isRepeatable, CancellationToken token) =>
        _options.CertificateSelector is { } selector
            ? stream.AuthenticateAsServerAsync(
                (_, hello, _, _) => new ValueTask<SslServerAuthenticationOptions>(
                    CreateOptions(selector(hello.ServerName) ?? _options.Certificate, isRepeatable)),
                state: null,
                token)
            : stream.AuthenticateAsServerAsync(CreateOptions(_options.Certificate, isRepeatable), token);

    private SslServerAuthenticationOptions CreateOptions(CertificateSource? certificate, bool isRepeatable)
    {
        SslServerAuthenticationOptions options = Authentication.Copy(_options.Authentication);
        options.AllowTlsResume &= !isRepeatable;
        options.ServerCertificateContext = certificate?.Context ?? options.ServerCertificateContext;
        options.CertificateChainPolicy ??=
            Authentication.PolicyWithoutDownloads(options.CertificateRevocationCheckMode);
        return options;
    }
}

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
        new TlsHandshake(_ => new SslStreamEngine(HandshakeAsync), _options.HandshakeTimeout, _gate);

    private Task HandshakeAsync(SslStream stream, CancellationToken token) => _options.CertificateSelector is null
        ? stream.AuthenticateAsServerAsync(CreateOptions(_options.Certificate), token)
        : stream.AuthenticateAsServerAsync(SelectAsync, state: null, token);

    private ValueTask<SslServerAuthenticationOptions> SelectAsync(
        SslStream stream, SslClientHelloInfo hello, object? state, CancellationToken token) =>
        new(CreateOptions(_options.CertificateSelector!(hello.ServerName) ?? _options.Certificate));

    private SslServerAuthenticationOptions CreateOptions(CertificateSource? certificate)
    {
        SslServerAuthenticationOptions options = Authentication.Copy(_options.Authentication);
        options.ServerCertificateContext = certificate?.Context ?? options.ServerCertificateContext;
        options.CertificateChainPolicy ??=
            Authentication.PolicyWithoutDownloads(options.CertificateRevocationCheckMode);
        return options;
    }
}

using System.Net;
using System.Net.Security;
using SelectReactor.Connections;

namespace SelectReactor.Tls;

/// <summary>Makes the TLS step of one outgoing connection.</summary>
internal sealed class TlsClient(TlsClientOptions options, EndPoint remoteEndPoint)
{
    public OpeningStep CreateStep() =>
        new TlsHandshake(_ => new SslStreamEngine(HandshakeAsync), options.HandshakeTimeout, gate: null);

    private Task HandshakeAsync(SslStream stream, CancellationToken token)
    {
        SslClientAuthenticationOptions copy = Authentication.Copy(options.Authentication);
        copy.CertificateChainPolicy ??= Authentication.PolicyWithoutDownloads(copy.CertificateRevocationCheckMode);
        if (string.IsNullOrEmpty(copy.TargetHost))
        {
            copy.TargetHost = remoteEndPoint switch
            {
                DnsEndPoint name => name.Host,
                IPEndPoint address => address.Address.ToString(),
                _ => "localhost",
            };
        }

        return stream.AuthenticateAsClientAsync(copy, token);
    }
}

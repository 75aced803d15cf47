using System.Net;
using System.Net.Security;
using SelectReactor.Connections;

namespace SelectReactor.Tls;

/// <summary>Makes the TLS step of one outgoing connection.</summary>
internal sealed class TlsClient(TlsClientOptions options, EndPoint remoteEndPoint)
{
    public OpeningStep CreateStep() =>
        new TlsHandshake(CreateEngine, options.HandshakeTimeout, gate: null);

    private SslStreamEngine CreateEngine(bool isRepeatable) =>
        new((stream, token) => HandshakeAsync(stream, isRepeatable, token));

    private Task HandshakeAsync(SslStream stream, bool isRepeatable, CancellationToken token)
    {
        SslClientAuthenticationOptions copy = Authentication.Copy(options.Authentication);

        // Sessions are kept for the whole process: a run that is to be repeated must not depend on those before it.
        copy.AllowTlsResume &= !isRepeatable;
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

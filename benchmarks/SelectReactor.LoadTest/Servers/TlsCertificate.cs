using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.LoadTest.Servers;

/// <summary>The certificate of each TLS server: self-signed, with a new P-256 key.</summary>
internal static class TlsCertificate
{
    public static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SelectReactor;

namespace EchoServer;

/// <summary>A certificate for trying out TLS. No client trusts it, unless it is told to trust all.</summary>
internal static class SelfSigned
{
    public static CertificateSource Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));

        // Windows serves only with a key that came from a store or a PKCS#12 file.
        return CertificateSource.FromCertificate(X509CertificateLoader.LoadPkcs12(
            certificate.Export(X509ContentType.Pkcs12), password: null));
    }
}

using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Tests.Support;

/// <summary>A certificate that is made for the test run, and checks that accept it.</summary>
internal static class Certificates
{
    public const string Host = "reactor.test";

    public static X509Certificate2 Server { get; } = Create();

    public static SslServerAuthenticationOptions ServerOptions => new() { ServerCertificate = Server };

    public static SslClientAuthenticationOptions ClientOptions
    {
        get
        {
            var options = new SslClientAuthenticationOptions();
            Trust(options);
            return options;
        }
    }

    /// <summary>Lets a client accept the certificate, and nothing else.</summary>
    public static void Trust(SslClientAuthenticationOptions options)
    {
        options.TargetHost = Host;
        options.RemoteCertificateValidationCallback = static (_, certificate, _, _) =>
            certificate is X509Certificate2 given && given.Thumbprint == Server.Thumbprint;
    }

    private static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Host}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));

        // Windows serves only with a key that came from a file.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), password: null);
    }
}

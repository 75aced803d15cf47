using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Tls;

/// <summary>Copies of the framework's options, so that handshakes and later changes do not meet in one
/// object.</summary>
internal static class Authentication
{
    public static SslServerAuthenticationOptions Copy(SslServerAuthenticationOptions options)
    {
        SslServerAuthenticationOptions copy = CopyPortable(options);
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
        {
            copy.AllowRsaPkcs1Padding = options.AllowRsaPkcs1Padding;
            copy.AllowRsaPssPadding = options.AllowRsaPssPadding;
        }

        return copy;
    }

    public static SslClientAuthenticationOptions Copy(SslClientAuthenticationOptions options)
    {
        SslClientAuthenticationOptions copy = CopyPortable(options);
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
        {
            copy.AllowRsaPkcs1Padding = options.AllowRsaPkcs1Padding;
            copy.AllowRsaPssPadding = options.AllowRsaPssPadding;
        }

        return copy;
    }

    /// <summary>The policy that the framework would use, but without downloads of missing certificates: they block,
    /// and the peer chooses where they go.</summary>
    public static X509ChainPolicy PolicyWithoutDownloads(X509RevocationMode revocation) => new()
    {
        DisableCertificateDownloads = true,
        RevocationMode = revocation,
        RevocationFlag = X509RevocationFlag.ExcludeRoot,
    };

    private static SslServerAuthenticationOptions CopyPortable(SslServerAuthenticationOptions options) => new()
    {
        AllowRenegotiation = false,
        AllowTlsResume = options.AllowTlsResume,
        ApplicationProtocols = options.ApplicationProtocols?.ToList(),
        CertificateChainPolicy = options.CertificateChainPolicy?.Clone(),
        CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
        CipherSuitesPolicy = options.CipherSuitesPolicy,
        ClientCertificateRequired = options.ClientCertificateRequired,
        EnabledSslProtocols = options.EnabledSslProtocols,
        EncryptionPolicy = options.EncryptionPolicy,
        RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
        ServerCertificate = options.ServerCertificate,
        ServerCertificateContext = options.ServerCertificateContext,
        ServerCertificateSelectionCallback = options.ServerCertificateSelectionCallback,
    };

    private static SslClientAuthenticationOptions CopyPortable(SslClientAuthenticationOptions options) => new()
    {
        AllowRenegotiation = false,
        AllowTlsResume = options.AllowTlsResume,
        ApplicationProtocols = options.ApplicationProtocols?.ToList(),
        CertificateChainPolicy = options.CertificateChainPolicy?.Clone(),
        CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
        CipherSuitesPolicy = options.CipherSuitesPolicy,
        ClientCertificateContext = options.ClientCertificateContext,
        ClientCertificates = options.ClientCertificates is { } certificates
            ? new X509CertificateCollection(certificates)
            : null,
        EnabledSslProtocols = options.EnabledSslProtocols,
        EncryptionPolicy = options.EncryptionPolicy,
        LocalCertificateSelectionCallback = options.LocalCertificateSelectionCallback,
        RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
        TargetHost = options.TargetHost,
    };
}

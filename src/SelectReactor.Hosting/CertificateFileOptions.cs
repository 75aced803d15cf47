namespace SelectReactor;

/// <summary>The files of a server's TLS certificate, as in configuration.</summary>
public sealed class CertificateFileOptions
{
    /// <summary>The file with the certificate in PEM (RFC 7468), and behind it the intermediate ones.</summary>
    public string? Path { get; set; }

    /// <summary>The file with the private key in PEM, not encrypted. Default (null): it is in
    /// <see cref="Path"/>.</summary>
    public string? KeyPath { get; set; }
}

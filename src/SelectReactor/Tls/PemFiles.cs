using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Tls;

/// <summary>A certificate and its key in files, which may change. Their content is compared, since the times of files
/// and links tell less.</summary>
internal sealed class PemFiles(string certificateFile, string? keyFile)
{
    private string? _lastText;

    public string Name => certificateFile;

    /// <summary>Reads the files. Throws if they are broken; the next call reads them again then.</summary>
    /// <returns>False if nothing has changed since the last call that returned true.</returns>
    public bool TryRead(
        [NotNullWhen(true)] out X509Certificate2? certificate,
        [NotNullWhen(true)] out X509Certificate2Collection? intermediates)
    {
        certificate = null;
        intermediates = null;
        string certificateText = File.ReadAllText(certificateFile);
        string keyText = keyFile is null ? certificateText : File.ReadAllText(keyFile);
        string text = certificateText + keyText;
        if (text == _lastText)
        {
            return false;
        }

        certificate = WithKey(certificateText, keyText);
        intermediates = [];
        intermediates.ImportFromPem(certificateText);
        if (intermediates.Count > 0)
        {
            intermediates.RemoveAt(0);
        }

        _lastText = text;
        return true;
    }

    private static X509Certificate2 WithKey(string certificateText, string keyText)
    {
        var certificate = X509Certificate2.CreateFromPem(certificateText, keyText);
        if (!OperatingSystem.IsWindows())
        {
            return certificate;
        }

        // Windows serves only with a key that came from a store or a PKCS#12 file.
        using (certificate)
        {
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null);
        }
    }
}

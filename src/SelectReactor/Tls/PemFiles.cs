using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Tls;

/// <summary>A certificate and its key in files, which may change. Their content is compared, since the times of files
/// and links tell less.</summary>
internal sealed class PemFiles(string certificateFile, string? keyFile)
{
    private const string Begin = "-----BEGIN CERTIFICATE-----";

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

        VerifyWhole(certificateText);
        certificate = PemCertificate.Create(certificateText, keyText, certificateFile, keyFile ?? certificateFile);
        intermediates = [];
        intermediates.ImportFromPem(certificateText);
        if (intermediates.Count > 0)
        {
            intermediates.RemoveAt(0);
        }

        _lastText = text;
        return true;
    }

    // Half of a file can hold the certificate and a part of its chain, and what is cut is skipped when it is read.
    private void VerifyWhole(ReadOnlySpan<char> rest)
    {
        bool isCut = false;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            isCut |= rest[..fields.Location.Start.Value].Contains("-----BEGIN", StringComparison.Ordinal);
            rest = rest[fields.Location.End.Value..];
        }

        ReadOnlySpan<char> lastLine = rest[(rest.LastIndexOf('\n') + 1)..];
        isCut |= rest.Contains("-----BEGIN", StringComparison.Ordinal)
            || (!lastLine.IsEmpty && Begin.StartsWith(lastLine, StringComparison.Ordinal));
        if (isCut)
        {
            throw new CryptographicException(
                $"The file {certificateFile} is not whole: a part of it begins and has no end.");
        }
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Tls;

/// <summary>A certificate with its key from PEM text. The framework's exceptions name no file, and often not the
/// reason.</summary>
internal static class PemCertificate
{
    /// <exception cref="CryptographicException">The message names the files and says what is wrong.</exception>
    public static X509Certificate2 Create(
        string certificateText, string keyText, string certificateFile, string keyFile)
    {
        try
        {
            return WithKey(certificateText, keyText);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            string what = !Holds(certificateText, "CERTIFICATE") ? $"There is no certificate in {certificateFile}."
                : Holds(keyText, "ENCRYPTED PRIVATE KEY")
                    ? $"The key in {keyFile} is encrypted: save it without a password."
                : !Holds(keyText, "PRIVATE KEY") ? $"There is no private key in {keyFile}."
                : IsBroken(certificateText) ? $"The certificate in {certificateFile} is broken."
                : exception is ArgumentException
                    ? $"The key in {keyFile} does not belong to the certificate in {certificateFile}."
                : $"The key in {keyFile} does not belong to the certificate in {certificateFile}, or it is broken.";
            throw new CryptographicException(what, exception);
        }
    }

    // "PRIVATE KEY" stands for "RSA PRIVATE KEY" and "EC PRIVATE KEY", too.
    private static bool Holds(ReadOnlySpan<char> text, string label)
    {
        while (PemEncoding.TryFind(text, out PemFields fields))
        {
            if (text[fields.Label].EndsWith(label, StringComparison.Ordinal))
            {
                return true;
            }

            text = text[fields.Location.End.Value..];
        }

        return false;
    }

    private static bool IsBroken(string certificateText)
    {
        try
        {
            X509Certificate2.CreateFromPem(certificateText).Dispose();
            return false;
        }
        catch (CryptographicException)
        {
            return true;
        }
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

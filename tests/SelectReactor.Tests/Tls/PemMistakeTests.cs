using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Tls;

/// <summary>Files of a certificate that can't be used: the message names the file and says why.</summary>
public sealed class PemMistakeTests
{
    private string _folder = null!;

    [SetUp]
    public void CreateFiles()
    {
        _folder = Directory.CreateTempSubdirectory("pem").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        using X509Certificate2 certificate = new CertificateRequest("CN=site", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        Write("site.pem", certificate.ExportCertificatePem());
        Write("site.key", key.ExportPkcs8PrivateKeyPem());
        Write("other.key", other.ExportPkcs8PrivateKeyPem());
        Write("rsa.key", rsa.ExportPkcs8PrivateKeyPem());
        Write("encrypted.key", key.ExportEncryptedPkcs8PrivateKeyPem(
            "x", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1)));
        Write("empty.pem", "");
        Write("broken.pem", PemEncoding.WriteString("CERTIFICATE", [1, 2, 3]));
    }

    [TearDown]
    public void DeleteFiles() => Directory.Delete(_folder, recursive: true);

    [TestCase("site.pem", "other.key", "The key in other.key does not belong to the certificate in site.pem.")]
    [TestCase("site.pem", "rsa.key", "The key in rsa.key does not belong to the certificate in site.pem")]
    [TestCase("site.pem", "encrypted.key", "The key in encrypted.key is encrypted")]
    [TestCase("site.pem", null, "There is no private key in site.pem.")]
    [TestCase("site.key", "site.pem", "There is no certificate in site.key.")]
    [TestCase("empty.pem", "site.key", "There is no certificate in empty.pem.")]
    [TestCase("broken.pem", "site.key", "The certificate in broken.pem is broken.")]
    public void Message_NamesTheFile(string certificateFile, string? keyFile, string message)
    {
        CryptographicException exception = Assert.Throws<CryptographicException>(() => CertificateSource.FromPemFiles(
            PathOf(certificateFile), keyFile is null ? null : PathOf(keyFile)))!;

        string folder = PathOf("x")[..^1];
        Assert.That(exception.Message.Replace(folder, "", StringComparison.Ordinal), Does.StartWith(message));
        Assert.That(exception.InnerException, Is.Not.Null);
    }

    [Test]
    public void SameFault_IsOneWarning()
    {
        var logger = new ListLogger();
        using var source = CertificateSource.FromPemFiles(
            PathOf("site.pem"), PathOf("site.key"), Timeout.InfiniteTimeSpan, logger);
        string good = File.ReadAllText(PathOf("site.key"));
        for (int i = 0; i < 2; i++)
        {
            File.Copy(PathOf("other.key"), PathOf("site.key"), overwrite: true);
            Assert.That((source.Reload(), source.Reload()), Is.EqualTo((false, false)));
            Assert.That(logger.Entries, Has.Count.EqualTo(i + 1));
            Write("site.key", good);
            source.Reload();
        }

        Assert.That(logger.Entries[0].Message, Does.Contain("can't be reloaded: The key in "));
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private void Write(string name, string text) => File.WriteAllText(PathOf(name), text);
}

using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Tls;

/// <summary>Certificates that change while they are in use.</summary>
public sealed class CertificateSourceTests(SelectorKind selector) : TlsFixture(selector)
{
    private string _folder = null!;

    private string CertificateFile => Path.Combine(_folder, "site.pem");

    private string KeyFile => Path.Combine(_folder, "site.key");

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("certificates").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void NewCertificate_IsUsedFromTheNextHandshakeOn()
    {
        using X509Certificate2 one = Create("one");
        using X509Certificate2 two = Create("two");
        using var source = CertificateSource.FromCertificate(one);
        Listener listener = Listen(new TlsServerOptions { Certificate = source });
        Handler.Readable = ScriptedHandler.Echo;
        (SslStream first, _) = Connect(listener, configure: Trust);
        source.Use(two);
        (SslStream second, _) = Connect(listener, configure: Trust);

        Assert.That((NameOf(first), NameOf(second)), Is.EqualTo(("CN=one", "CN=two")));
        Assert.That(source.GetCurrent(), Is.SameAs(two));
        Assert.That(Exchange(first, [1, 2, 3]), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void Selector_ChoosesByName()
    {
        using X509Certificate2 one = Create("one.test");
        using X509Certificate2 two = Create("two.test");
        using var first = CertificateSource.FromCertificate(one);
        using var second = CertificateSource.FromCertificate(two);
        Listener listener = Listen(new TlsServerOptions
        {
            Certificate = first,
            CertificateSelector = name => name == "two.test" ? second : null,
        });

        string NameFor(string host) => NameOf(Connect(listener, configure: options =>
        {
            Trust(options);
            options.TargetHost = host;
        }).Ssl);
        Assert.That((NameFor("two.test"), NameFor("other.test")), Is.EqualTo(("CN=two.test", "CN=one.test")));
        Assert.That(Handler.Connections[0].GetFeature<ITlsFeature>()!.ServerName, Is.EqualTo("two.test"));
    }

    [Test]
    public void Files_AreReadAgain_WhenTheyChange()
    {
        var logger = new ListLogger();
        Write("one");
        using var source = CertificateSource.FromPemFiles(
            CertificateFile, KeyFile, Timeout.InfiniteTimeSpan, logger, timeProvider: null);
        Assert.That((source.GetCurrent().Subject, source.Reload()), Is.EqualTo(("CN=one", false)));

        Write("two");
        Assert.That((source.Reload(), source.GetCurrent().Subject), Is.EqualTo((true, "CN=two")));
        Assert.That(logger.Entries, Is.Empty);
    }

    [TestCase("")]
    [TestCase("no PEM")]
    [TestCase(null)]
    public void BrokenFiles_LeaveTheCertificateInUse(string? content)
    {
        var logger = new ListLogger();
        Write("one");
        using var source = CertificateSource.FromPemFiles(
            CertificateFile, KeyFile, Timeout.InfiniteTimeSpan, logger, timeProvider: null);
        string key = File.ReadAllText(KeyFile);
        if (content is null)
        {
            // The key of the certificate before.
            Write("two");
            File.WriteAllText(KeyFile, key);
        }
        else
        {
            File.WriteAllText(CertificateFile, content);
        }

        Assert.That((source.Reload(), source.GetCurrent().Subject), Is.EqualTo((false, "CN=one")));
        Assert.That(logger.Entries.Single().Level, Is.EqualTo(LogLevel.Warning));
        Assert.That(logger.Entries.Single().Message, Does.Contain(CertificateFile));

        Write("three");
        Assert.That((source.Reload(), source.GetCurrent().Subject), Is.EqualTo((true, "CN=three")));
    }

    [Test]
    public void HalfOfAChain_LeavesTheCertificateInUse()
    {
        var logger = new ListLogger();
        Write("intermediate");
        string intermediate = File.ReadAllText(CertificateFile);
        Write("one");
        using var source = CertificateSource.FromPemFiles(
            CertificateFile, KeyFile, Timeout.InfiniteTimeSpan, logger, timeProvider: null);
        Write("two");
        string certificate = File.ReadAllText(CertificateFile) + "\n";
        string chain = certificate + intermediate;
        for (int length = certificate.Length + 1; length < chain.Length; length++)
        {
            File.WriteAllText(CertificateFile, chain[..length]);
            Assert.That((length, source.Reload(), source.GetCurrent().Subject), Is.EqualTo((length, false, "CN=one")));
        }

        Assert.That(logger.Entries, Is.Not.Empty);
        Assert.That(logger.Entries[0].Message, Does.Contain(CertificateFile));
        File.WriteAllText(CertificateFile, chain);
        Assert.That((source.Reload(), source.GetCurrent().Subject), Is.EqualTo((true, "CN=two")));
    }

    [Test]
    public void OneFile_MayHoldBoth()
    {
        Write("one");
        File.AppendAllText(CertificateFile, "\n" + File.ReadAllText(KeyFile));
        using var source = CertificateSource.FromPemFiles(CertificateFile);

        Assert.That(source.GetCurrent().HasPrivateKey);
    }

    [Test]
    public void CertificateWithoutKey_IsRefused()
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(Certificates.Server.RawData);

        Assert.That(
            () => CertificateSource.FromCertificate(certificate),
            Throws.ArgumentException.With.Message.Contains("has no private key"));
    }

    private static void Trust(SslClientAuthenticationOptions options) =>
        options.RemoteCertificateValidationCallback = static (_, given, _, _) => given is not null;

    private static string NameOf(SslStream ssl) => ssl.RemoteCertificate!.Subject;

    private static X509Certificate2 Create(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(
            certificate.Export(X509ContentType.Pfx), password: null, X509KeyStorageFlags.Exportable);
    }

    private void Write(string name)
    {
        using X509Certificate2 certificate = Create(name);
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
    }
}

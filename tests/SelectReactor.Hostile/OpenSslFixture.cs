using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace SelectReactor.Hostile;

/// <summary>A reactor on a thread of its own, a certificate in PEM files, and the programs of OpenSSL.</summary>
public abstract partial class OpenSslFixture(string selector, SslProtocols protocol)
{
    protected const string Host = "reactor.test";
    protected static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);
    private string _folder = null!;

    protected ReactorThread Thread { get; private set; } = null!;

    protected SslProtocols Protocol => protocol;

    protected string Version => protocol == SslProtocols.Tls12 ? "-tls1_2" : "-tls1_3";

    protected X509Certificate2 Certificate { get; private set; } = null!;

    [OneTimeSetUp]
    public void FindOpenSsl()
    {
        (int exitCode, string output, string error) = Server.Run("openssl version");
        Assert.That(exitCode, Is.Zero, $"These tests need the program openssl. {output}{error}");
    }

    [SetUp]
    public void Start()
    {
        _folder = Directory.CreateTempSubdirectory("reactor-tls-").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Host}", key, HashAlgorithmName.SHA256);
        Certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(PathOf("certificate.pem"), Certificate.ExportCertificatePem());
        File.WriteAllText(PathOf("key.pem"), key.ExportPkcs8PrivateKeyPem());
        Thread = new ReactorThread(selector == "epoll"
            ? new ReactorOptions().UseEpoll()
            : new ReactorOptions());
    }

    [TearDown]
    public void Stop()
    {
        Thread.Dispose();
        Assert.That(Thread.Reactor.Buffers.Outstanding, Is.Zero, "segments not given back");
        Certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    protected string PathOf(string file) => Path.Combine(_folder, file);

    protected string SClient(IPEndPoint address) =>
        $"openssl s_client -connect {address} -servername {Host} {Version}"
        + $" -CAfile {PathOf("certificate.pem")} -verify_return_error";

    protected Process StartSServer(string mode) => Server.Shell(
        $"cd {_folder} && exec openssl s_server -accept 127.0.0.1:0 -naccept 1 {Version} {mode}"
        + " -cert certificate.pem -key key.pem 2>&1");

    protected static IPEndPoint ReadAddress(Process server)
    {
        string port = Port().Match(ReadUntil(server, "ACCEPT")).Value;
        return new IPEndPoint(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture));
    }

    /// <summary>s_client looks for a command at the beginning of what it reads: wait for the answer to the line
    /// before.</summary>
    protected static void WriteLine(Process client, string line)
    {
        client.StandardInput.Write($"{line}\n");
        client.StandardInput.Flush();
    }

    protected static string ReadUntil(Process process, string text)
    {
        while (true)
        {
            Task<string?> reading = process.StandardOutput.ReadLineAsync();
            Assert.That(reading.Wait(Bound), $"no {text}");
            if (reading.Result is not { } line)
            {
                throw new EndOfStreamException($"The program ended without {text}.");
            }

            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }
    }

    [GeneratedRegex(@"\d+$")]
    private static partial Regex Port();
}

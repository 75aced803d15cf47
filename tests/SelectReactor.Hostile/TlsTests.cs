using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace SelectReactor.Hostile;

/// <summary>The library's own TLS against the programs of OpenSSL.</summary>
[TestFixture("select", SslProtocols.Tls12)]
[TestFixture("select", SslProtocols.Tls13)]
[TestFixture("epoll", SslProtocols.Tls12)]
[TestFixture("epoll", SslProtocols.Tls13)]
public sealed class TlsTests(string selector, SslProtocols protocol)
{
    private const string Host = "reactor.test";
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private readonly TlsServerOptions _tls = new();
    private readonly Recorder _recorder = new();
    private ReactorThread _thread = null!;
    private CertificateSource _certificate = null!;
    private string _folder = null!;

    private string Version => protocol == SslProtocols.Tls12 ? "-tls1_2" : "-tls1_3";

    [SetUp]
    public void Start()
    {
        _folder = Directory.CreateTempSubdirectory("reactor-tls-").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Host}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(PathOf("certificate.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(PathOf("key.pem"), key.ExportPkcs8PrivateKeyPem());
        _certificate = CertificateSource.FromPemFiles(PathOf("certificate.pem"), PathOf("key.pem"));
        _tls.Certificate = _certificate;
        _tls.Configure = options => options.EnabledSslProtocols = protocol;
        _recorder.Forget();
        _thread = new ReactorThread(selector == "epoll"
            ? new ReactorOptions().UseEpoll()
            : new ReactorOptions());
    }

    [TearDown]
    public void Stop()
    {
        _thread.Dispose();
        Assert.That(_thread.Reactor.Buffers.Outstanding, Is.Zero, "segments not given back");
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void SClient_GetsBackWhatItSends()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(4_000_000);
        File.WriteAllBytes(PathOf("sent"), bytes);
        IPEndPoint address = Listen(expected: bytes.Length);
        (int exitCode, _, string error) = Server.Run(
            $"{SClient(address)} -quiet < {PathOf("sent")} > {PathOf("received")}");

        Assert.That(exitCode, Is.Zero, error);
        Assert.That(File.ReadAllBytes(PathOf("received")).AsSpan().SequenceEqual(bytes));
        Assert.That(_recorder.TakeReason().Kind, Is.EqualTo(CloseKind.Local));
    }

    [Test]
    public void SClient_ResumesItsSession()
    {
        IPEndPoint address = Listen(expected: 1);
        string output;
        if (protocol == SslProtocols.Tls12)
        {
            (_, output, _) = Server.Run($"{SClient(address)} -reconnect < /dev/null 2>&1");
        }
        else
        {
            // Its tickets come with the first data.
            string session = PathOf("session");
            Server.Run($"(echo x; sleep 1) | {SClient(address)} -sess_out {session} 2>&1");
            (_, output, _) = Server.Run($"echo x | {SClient(address)} -sess_in {session} 2>&1");
        }

        Assert.That(output, Does.Contain("Reused, TLSv1."));
    }

    [Test]
    public void ClientCertificate_ProtocolAndName_AreKnown()
    {
        _tls.Configure += static options =>
        {
            options.ClientCertificateRequired = true;
            options.RemoteCertificateValidationCallback = static (_, given, _, _) => given is not null;
            options.ApplicationProtocols = [new SslApplicationProtocol("chat"), SslApplicationProtocol.Http11];
        };
        IPEndPoint address = Listen(expected: 1);
        (int exitCode, string output, _) = Server.Run(
            $"echo x | {SClient(address)} -alpn other,chat -cert {PathOf("certificate.pem")} -key {PathOf("key.pem")}"
            + " -ign_eof 2>&1");

        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("ALPN protocol: chat"));
        Assert.That(_recorder.TakeFacts(), Is.EqualTo((protocol, "chat", Host, $"CN={Host}")));
    }

    [Test]
    public void OtherVersion_IsRefused_AndTheNextClientIsServed()
    {
        IPEndPoint address = Listen(expected: 1);
        string other = protocol == SslProtocols.Tls12 ? "-tls1_3" : "-tls1_2";
        (int refused, string output, _) = Server.Run($"{SClient(address).Replace(Version, other)} < /dev/null 2>&1");
        Assert.That(refused, Is.Not.Zero, output);

        (int served, output, _) = Server.Run($"echo x | {SClient(address)} -ign_eof 2>&1");
        Assert.That(served, Is.Zero, output);
    }

    // TLS 1.3 has key updates in its place.
    [Test]
    public void Renegotiation_IsRefused_AndKeyUpdatesAreServed()
    {
        IPEndPoint address = Listen(expected: 100);
        using Process client = Server.Shell($"exec {SClient(address)} 2>&1");
        client.StandardInput.Write("one\n");
        client.StandardInput.Flush();
        Thread.Sleep(300);
        client.StandardInput.Write(protocol == SslProtocols.Tls12 ? "R\n" : "K\n");
        client.StandardInput.Flush();
        if (protocol == SslProtocols.Tls12)
        {
            CloseReason reason = _recorder.TakeReason();
            Assert.That(reason.Kind, Is.EqualTo(CloseKind.ProtocolError));
            Assert.That(reason.Error!.Message, Does.Contain("renegotiation"));
        }
        else
        {
            Thread.Sleep(300);
            client.StandardInput.Write(new string('x', 95) + "\n");
            client.StandardInput.Flush();
            Assert.That(_recorder.TakeReason().Kind, Is.EqualTo(CloseKind.Local).Or.EqualTo(CloseKind.PeerClosed));
        }

        client.Kill(entireProcessTree: true);
    }

    [Test]
    public void KeyUpdatesWithoutEnd_EndTheConnection()
    {
        if (protocol == SslProtocols.Tls12)
        {
            Assert.Ignore("TLS 1.2 has no key updates.");
        }

        IPEndPoint address = Listen(expected: 100);
        using Process client = Server.Shell($"exec {SClient(address)} 2>&1");
        Task<CloseReason> ending = Task.Run(_recorder.TakeReason);
        for (int i = 0; i < 33; i++)
        {
            // It looks for a command at the beginning of what it reads.
            client.StandardInput.Write("k\n");
            client.StandardInput.Flush();
            while (client.StandardOutput.ReadLine() is { } line && line != "KEYUPDATE")
            {
            }
        }

        Assert.That(ending.IsCompleted, Is.False);
        client.StandardInput.Write("k\n");
        client.StandardInput.Flush();
        Assert.That(ending.Wait(_bound));
        Assert.That(ending.Result.Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(ending.Result.Error!.Message, Does.Contain("records in a row without data"));
        client.Kill(entireProcessTree: true);
    }

    [Test]
    public void SServer_IsTalkedTo()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(3_000_000);
        File.WriteAllBytes(PathOf("file"), bytes);
        using Process server = Server.Shell(
            $"cd {_folder} && exec openssl s_server -accept 127.0.0.1:0 -naccept 1 {Version} -WWW"
            + " -cert certificate.pem -key key.pem 2>&1");
        string line;
        do
        {
            line = server.StandardOutput.ReadLine() ?? throw new EndOfStreamException("s_server ended");
        }
        while (!line.StartsWith("ACCEPT", StringComparison.Ordinal));
        var address = new IPEndPoint(
            IPAddress.Loopback, int.Parse(line[(line.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture));
        Task<string> rest = server.StandardOutput.ReadToEndAsync();
        Task<byte[]> fetching = _thread.Reactor.InvokeAsync(async () =>
        {
            var tls = new TlsClientOptions
            {
                Configure = options =>
                {
                    options.TargetHost = Host;
                    options.RemoteCertificateValidationCallback = (_, given, _, _) =>
                        (given as X509Certificate2)?.Thumbprint == _certificate.GetCurrent().Thumbprint;
                },
            };
            await using Connection connection =
                await _thread.Reactor.ConnectAsync(address, new ConnectOptions { Tls = tls });
            Stream stream = connection.AsStream();
            await stream.WriteAsync("GET /file HTTP/1.0\r\n\r\n"u8.ToArray());
            using var all = new MemoryStream();
            await stream.CopyToAsync(all);
            return all.ToArray();
        });

        Assert.That(fetching.Wait(_bound), $"no answer; {(rest.IsCompleted ? rest.Result : "")}");
        Assert.That(fetching.Result.AsSpan().EndsWith(bytes));
    }

    private string PathOf(string file) => Path.Combine(_folder, file);

    private string SClient(IPEndPoint address) =>
        $"openssl s_client -connect {address} -servername {Host} {Version}"
        + $" -CAfile {PathOf("certificate.pem")} -verify_return_error";

    // Sends everything back, and closes after so many bytes.
    private IPEndPoint Listen(int expected)
    {
        _recorder.Expected = expected;
        Task<Listener> listening = _thread.Reactor.ListenAsync(
            new IPEndPoint(IPAddress.Loopback, 0), _recorder, new ListenerOptions { Tls = _tls });
        return (IPEndPoint)listening.WaitAsync(_bound).GetAwaiter().GetResult().LocalEndPoint;
    }

    private sealed class Recorder : ConnectionHandler
    {
        private readonly System.Collections.Concurrent.BlockingCollection<CloseReason> _reasons = [];
        private readonly System.Collections.Concurrent.BlockingCollection<(SslProtocols, string, string?, string?)>
            _facts = [];

        public int Expected { get; set; }

        public void Forget()
        {
            while (_reasons.TryTake(out _) || _facts.TryTake(out _))
            {
            }
        }

        public CloseReason TakeReason() =>
            _reasons.TryTake(out CloseReason reason, _bound) ? reason : throw new TimeoutException("no close");

        public (SslProtocols Protocol, string Application, string? Name, string? Certificate) TakeFacts() =>
            _facts.TryTake(out var facts, _bound) ? facts : throw new TimeoutException("no connection");

        public override void OnConnected(Connection connection)
        {
            ITlsFeature tls = connection.GetFeature<ITlsFeature>()!;
            _facts.Add((
                tls.Protocol,
                Encoding.ASCII.GetString(tls.ApplicationProtocol.Protocol.Span),
                tls.ServerName,
                tls.PeerCertificate?.Subject));
        }

        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out System.IO.Pipelines.ReadResult result))
            {
                connection.Append(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
                if (connection.Statistics.BytesReceived >= Expected)
                {
                    connection.Close();
                }
            }
        }

        public override void OnClosed(Connection connection, CloseReason reason) => _reasons.Add(reason);
    }
}

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
public sealed class TlsTests(string selector, SslProtocols protocol) : OpenSslFixture(selector, protocol)
{
    private readonly TlsServerOptions _tls = new();
    private readonly Recorder _recorder = new();
    private CertificateSource _certificate = null!;

    [SetUp]
    public void LoadCertificate()
    {
        _certificate = CertificateSource.FromPemFiles(PathOf("certificate.pem"), PathOf("key.pem"));
        _tls.Certificate = _certificate;
        _tls.Configure = options => options.EnabledSslProtocols = Protocol;
        _recorder.Forget();
    }

    [TearDown]
    public void DisposeCertificate() => _certificate.Dispose();

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
        if (Protocol == SslProtocols.Tls12)
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
        Assert.That(_recorder.TakeFacts(), Is.EqualTo((Protocol, "chat", Host, $"CN={Host}")));
    }

    [Test]
    public void OtherVersion_IsRefused_AndTheNextClientIsServed()
    {
        IPEndPoint address = Listen(expected: 1);
        string other = Protocol == SslProtocols.Tls12 ? "-tls1_3" : "-tls1_2";
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
        WriteLine(client, "one");
        ReadUntil(client, "one");
        WriteLine(client, Protocol == SslProtocols.Tls12 ? "R" : "K");
        if (Protocol == SslProtocols.Tls12)
        {
            CloseReason reason = _recorder.TakeReason();
            Assert.That(reason.Kind, Is.EqualTo(CloseKind.ProtocolError));
            Assert.That(reason.Error!.Message, Does.Contain("renegotiation"));
        }
        else
        {
            ReadUntil(client, "KEYUPDATE");
            WriteLine(client, new string('x', 95));
            Assert.That(_recorder.TakeReason().Kind, Is.EqualTo(CloseKind.Local).Or.EqualTo(CloseKind.PeerClosed));
        }

        client.Kill(entireProcessTree: true);
    }

    [Test]
    public void KeyUpdatesWithoutEnd_EndTheConnection()
    {
        if (Protocol == SslProtocols.Tls12)
        {
            Assert.Ignore("TLS 1.2 has no key updates.");
        }

        IPEndPoint address = Listen(expected: 100);
        using Process client = Server.Shell($"exec {SClient(address)} 2>&1");
        Task<CloseReason> ending = Task.Run(_recorder.TakeReason);
        for (int i = 0; i < 33; i++)
        {
            WriteLine(client, "k");
            ReadUntil(client, "KEYUPDATE");
        }

        Assert.That(ending.IsCompleted, Is.False);
        WriteLine(client, "k");
        Assert.That(ending.Wait(Bound));
        Assert.That(ending.Result.Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(ending.Result.Error!.Message, Does.Contain("records in a row without data"));
        client.Kill(entireProcessTree: true);
    }

    [Test]
    public void SServer_IsTalkedTo()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(3_000_000);
        File.WriteAllBytes(PathOf("file"), bytes);
        using Process server = StartSServer("-WWW");
        IPEndPoint address = ReadAddress(server);
        Task<string> rest = server.StandardOutput.ReadToEndAsync();
        Task<byte[]> fetching = Thread.Reactor.InvokeAsync(async () =>
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
                await Thread.Reactor.ConnectAsync(address, new ConnectOptions { Tls = tls });
            Stream stream = connection.AsStream();
            await stream.WriteAsync("GET /file HTTP/1.0\r\n\r\n"u8.ToArray());
            using var all = new MemoryStream();
            await stream.CopyToAsync(all);
            return all.ToArray();
        });

        Assert.That(fetching.Wait(Bound), $"no answer; {(rest.IsCompleted ? rest.Result : "")}");
        Assert.That(fetching.Result.AsSpan().EndsWith(bytes));
    }

    // Sends everything back, and closes after so many bytes.
    private IPEndPoint Listen(int expected)
    {
        _recorder.Expected = expected;
        Task<Listener> listening = Thread.Reactor.ListenAsync(
            new IPEndPoint(IPAddress.Loopback, 0), _recorder, new ListenerOptions { Tls = _tls });
        return (IPEndPoint)listening.WaitAsync(Bound).GetAwaiter().GetResult().LocalEndPoint;
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
            _reasons.TryTake(out CloseReason reason, Bound) ? reason : throw new TimeoutException("no close");

        public (SslProtocols Protocol, string Application, string? Name, string? Certificate) TakeFacts() =>
            _facts.TryTake(out var facts, Bound) ? facts : throw new TimeoutException("no connection");

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

using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace SelectReactor.Hostile;

/// <summary>The PROXY protocol against HAProxy, which has defined it, in both directions.</summary>
[TestFixture("select")]
[TestFixture("epoll")]
public sealed class HaproxyTests(string selector)
{
    private const string Host = "reactor.test";
    private readonly ConcurrentQueue<Client> _clients = [];
    private ReactorThread _thread = null!;
    private EchoServer _server = null!;
    private string _folder = null!;

    [OneTimeSetUp]
    public void FindHaproxy()
    {
        (int exitCode, string output, string error) = Server.Run("haproxy -v");
        Assert.That(exitCode, Is.Zero, $"These tests need the program haproxy. {output}{error}");
    }

    [SetUp]
    public void Start()
    {
        _folder = Directory.CreateTempSubdirectory("reactor-proxy-").FullName;
        _thread = new ReactorThread(selector == "epoll" ? new ReactorOptions().UseEpoll() : new ReactorOptions());
        _server = new EchoServer();
    }

    [TearDown]
    public void Stop()
    {
        while (_clients.TryDequeue(out Client? client))
        {
            client.Dispose();
        }

        _thread.Dispose();
        Assert.That(_thread.Reactor.Buffers.Outstanding, Is.Zero, "segments not given back");
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase("send-proxy", ProxyProtocolVersion.Version1, false)]
    [TestCase("send-proxy-v2", ProxyProtocolVersion.Version2, false)]
    [TestCase("send-proxy-v2 proxy-v2-options crc32c", ProxyProtocolVersion.Version2, true)]
    public void TheServer_SeesTheClientsAddresses(string options, ProxyProtocolVersion version, bool hasChecksum)
    {
        using var haproxy = new Haproxy("", Listen(checksum: hasChecksum), options);
        Client client = Connect(haproxy.EndPoint);
        Assert.That(client.Echoes("through a proxy"u8), haproxy.Output);
        Served served = _server.Take();

        Assert.That(served.Remote, Is.EqualTo(client.Socket.LocalEndPoint));
        Assert.That(served.Local, Is.EqualTo(haproxy.EndPoint));
        Assert.That(served.Feature.Header.Version, Is.EqualTo(version));
        Assert.That(served.Feature.Header.Command, Is.EqualTo(ProxyCommand.Proxy));
        Assert.That(served.Feature.Header.HasChecksum, Is.EqualTo(hasChecksum));
        Assert.That(served.Feature.ProxyEndPoint, Is.Not.EqualTo(served.Remote));
        Assert.That(served.Feature.ListenerEndPoint, Is.EqualTo(_server.Address));
    }

    [Test]
    public void ManyBytes_PassInBothDirections([Values("send-proxy", "send-proxy-v2")] string options)
    {
        byte[] bytes = new byte[4_000_000];
        new Random(1).NextBytes(bytes);
        using var haproxy = new Haproxy("", Listen(), options);
        Client client = Connect(haproxy.EndPoint);
        var sending = Task.Run(() => client.Socket.Send(bytes));

        Assert.That(client.Receive(bytes.Length).AsSpan().SequenceEqual(bytes), haproxy.Output);
        Assert.That(sending.Wait(TimeSpan.FromSeconds(15)));
    }

    [Test]
    public void TheServer_IsToldTheUniqueId()
    {
        using var haproxy = new Haproxy(
            "", Listen(), "send-proxy-v2 proxy-v2-options unique-id,crc32c", @"unique-id-format reactor-%cp");
        Client client = Connect(haproxy.EndPoint);
        Assert.That(client.Echoes("x"u8), haproxy.Output);

        Assert.That(
            Encoding.ASCII.GetString(_server.Take().Feature.Header.UniqueId.Span),
            Is.EqualTo($"reactor-{((IPEndPoint)client.Socket.LocalEndPoint!).Port}"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void TheServer_IsToldOfTlsAndOfTheCertificate(bool showsCertificate)
    {
        using X509Certificate2 certificate = MakeCertificate();
        string pem = Path.Combine(_folder, "both.pem");
        File.WriteAllText(
            pem,
            certificate.ExportCertificatePem() + "\n" + certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        using var haproxy = new Haproxy(
            $"ssl crt {pem} ca-file {pem} verify optional",
            Listen(),
            "send-proxy-v2-ssl proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c");
        Client client = Connect(haproxy.EndPoint);
        using var ssl = new SslStream(new NetworkStream(client.Socket));
        ssl.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = Host,
            RemoteCertificateValidationCallback = (_, given, _, _) =>
                given?.GetCertHashString() == certificate.GetCertHashString(),
            ClientCertificates = showsCertificate ? [certificate] : null,
            EnabledSslProtocols = SslProtocols.Tls13,
        });
        ssl.Write("hello"u8);
        ssl.ReadExactly(new byte[5]);
        ProxyHeader header = _server.Take().Feature.Header;
        ProxyClientTls tls = header.Tls!;

        Assert.That(header.Authority, Is.EqualTo(Host));
        Assert.That(tls.IsTls);
        Assert.That(tls.ProtocolVersion, Is.EqualTo("TLSv1.3"));
        Assert.That(tls.Cipher, Does.StartWith("TLS_"));
        Assert.That(tls.KeyAlgorithm, Is.EqualTo("RSA2048"));
        Assert.That(tls.SignatureAlgorithm, Is.EqualTo("RSA-SHA256"));
        Assert.That(tls.HasCertificateOnConnection, Is.EqualTo(showsCertificate));
        Assert.That(tls.IsCertificateVerified, Is.EqualTo(showsCertificate));
        Assert.That(tls.CommonName, Is.EqualTo(showsCertificate ? Host : null));
    }

    /// <summary>HAProxy passes TLS on as it is, behind its header.</summary>
    [TestCase("send-proxy")]
    [TestCase("send-proxy-v2")]
    public void TlsBehindTheHeader_ReachesTheServer(string options)
    {
        using X509Certificate2 certificate = MakeCertificate();
        string pem = Path.Combine(_folder, "certificate.pem");
        File.WriteAllText(pem, certificate.ExportCertificatePem());
        using var source = CertificateSource.FromCertificate(certificate);
        using var haproxy = new Haproxy("", Listen(tls: new TlsServerOptions { Certificate = source }), options);
        (int exitCode, string output, string error) = Server.Run(
            $"printf hello | openssl s_client -connect {haproxy.EndPoint} -servername {Host} -CAfile {pem}"
            + " -verify_return_error -quiet");
        Served served = _server.Take();

        Assert.That((exitCode, output), Is.EqualTo((0, "hello")), error + haproxy.Output);
        Assert.That(served.Remote, Is.InstanceOf<IPEndPoint>().And.EqualTo(served.Feature.Header.Source));
        Assert.That(served.Local, Is.EqualTo(haproxy.EndPoint));
        Assert.That(served.ServerName, Is.EqualTo(Host));
    }

    // A plain port has nothing to tell about TLS.
    [Test]
    public void WithoutTls_TheFactsSaySo()
    {
        using var haproxy = new Haproxy("", Listen(), "send-proxy-v2-ssl-cn");
        Assert.That(Connect(haproxy.EndPoint).Echoes("x"u8), haproxy.Output);
        ProxyClientTls? tls = _server.Take().Feature.Header.Tls;

        Assert.That(tls?.IsTls, Is.Not.True);
        Assert.That(tls?.IsCertificateVerified, Is.Not.True);
    }

    [TestCase("send-proxy-v2", ProxyCommand.Local)]
    [TestCase("send-proxy-v2 proxy-v2-options crc32c", ProxyCommand.Local)]
    [TestCase("send-proxy", ProxyCommand.Proxy)]
    public void AHealthCheck_ComesFromTheProxyItself(string options, ProxyCommand command)
    {
        using var haproxy = new Haproxy("", Listen(), $"{options} check inter 50ms");
        Served served = _server.Take();

        Assert.That(served.Feature.Header.Command, Is.EqualTo(command), haproxy.Output);
        Assert.That(((IPEndPoint)served.Remote!).Address, Is.EqualTo(IPAddress.Loopback));
    }

    [Test]
    public void OverAUnixSocket_TheClientsAddressesAreIPOnes()
    {
        var path = new UnixDomainSocketEndPoint(Path.Combine(_folder, "server.sock"));
        _server.Listen(_thread.Reactor, path, new ProxyProtocolOptions { TrustsUnixClients = true });
        using var haproxy = new Haproxy("", $"unix@{path}", "send-proxy-v2");
        Client client = Connect(haproxy.EndPoint);
        Assert.That(client.Echoes("x"u8), haproxy.Output);

        Assert.That(_server.Take().Remote, Is.EqualTo(client.Socket.LocalEndPoint));
    }

    // From this library to HAProxy, which believes the header, and back.
    [Test]
    public void AHeaderOfThisLibrary_IsAccepted(
        [Values] ProxyProtocolVersion version,
        [Values("send-proxy", "send-proxy-v2")] string onward,
        [Values("192.0.2.1:56324|198.51.100.2:443", "[2001:db8::1]:1|[2001:db8::2]:65535")] string addresses,
        [Values] bool hasChecksum)
    {
        using var haproxy = new Haproxy("accept-proxy", Listen(), onward);
        var source = IPEndPoint.Parse(addresses.Split('|')[0]);
        var destination = IPEndPoint.Parse(addresses.Split('|')[1]);
        Assert.That(Exchange(haproxy, new ProxyHeader(source, destination)
        {
            Version = version,
            HasChecksum = hasChecksum,
            Tlvs = [new(ProxyTlvType.UniqueId, "reactor-7"), new(ProxyTlvType.Authority, Host)],
        }));
        Served served = _server.Take();

        Assert.That(served.Remote, Is.EqualTo(source));
        Assert.That(served.Local, Is.EqualTo(destination));
    }

    [Test]
    public void AHeaderWithoutAddresses_IsAccepted([Values] bool isLocal)
    {
        using var haproxy = new Haproxy("accept-proxy", Listen(), "send-proxy-v2");
        ProxyHeader header = isLocal ? ProxyHeader.Local : new ProxyHeader(source: null, destination: null);
        Assert.That(Exchange(haproxy, header));

        Assert.That(((IPEndPoint)_server.Take().Remote!).Address, Is.EqualTo(IPAddress.Loopback));
    }

    [Test]
    public void WithoutAHeader_HaproxyRefuses_AndSoDoWe()
    {
        using var haproxy = new Haproxy("accept-proxy", Listen(), "send-proxy-v2");
        using var wrong = new Haproxy("", Listen(), "");

        Assert.That(Connect(haproxy.EndPoint).Echoes("no header"u8), Is.False);
        Assert.That(Connect(wrong.EndPoint).Echoes("no header"u8), Is.False);
        Assert.That(_server.HasServed, Is.False);
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(
            $"CN={Host}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private string Listen(bool checksum = false, TlsServerOptions? tls = null)
    {
        var proxy = new ProxyProtocolOptions
        {
            TrustedNetworks = [IPNetwork.Parse("127.0.0.1/32")],
            RequiresChecksum = checksum,
        };
        _server.Listen(_thread.Reactor, new IPEndPoint(IPAddress.Loopback, 0), proxy, tls);
        return $"{_server.Address}";
    }

    private Client Connect(EndPoint endPoint)
    {
        var client = new Client(endPoint);
        _clients.Enqueue(client);
        return client;
    }

    private bool Exchange(Haproxy haproxy, ProxyHeader header) => Task.Run(async () =>
    {
        await using Connection connection = await _thread.Reactor.ConnectAsync(
            haproxy.EndPoint, new ConnectOptions { ProxyProtocol = header });
        await using Stream stream = connection.AsStream();
        await stream.WriteAsync("hello"u8.ToArray());
        byte[] back = new byte[5];
        await stream.ReadExactlyAsync(back);
        return back.AsSpan().SequenceEqual("hello"u8);
    }).WaitAsync(TimeSpan.FromSeconds(15)).GetAwaiter().GetResult();

    private sealed record Served(EndPoint? Remote, EndPoint? Local, IProxyProtocolFeature Feature, string? ServerName);

    private sealed class EchoServer : ConnectionHandler
    {
        private readonly BlockingCollection<Served> _served = [];

        public EndPoint Address { get; private set; } = null!;

        public bool HasServed => _served.Count > 0;

        public void Listen(
            Reactor reactor, EndPoint endPoint, ProxyProtocolOptions options, TlsServerOptions? tls = null) =>
            Address = reactor.ListenAsync(endPoint, this, new ListenerOptions { ProxyProtocol = options, Tls = tls })
                .WaitAsync(TimeSpan.FromSeconds(15)).GetAwaiter().GetResult().LocalEndPoint;

        public Served Take() => _served.TryTake(out Served? served, TimeSpan.FromSeconds(15))
            ? served
            : throw new TimeoutException("Nobody came.");

        public override void OnConnected(Connection connection) => _served.Add(new Served(
            connection.RemoteEndPoint,
            connection.LocalEndPoint,
            connection.GetFeature<IProxyProtocolFeature>()!,
            connection.GetFeature<ITlsFeature>()?.ServerName));

        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out System.IO.Pipelines.ReadResult result))
            {
                connection.TryWrite(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
            }

            // s_client ends with its server.
            if (connection.GetFeature<ITlsFeature>() is not null)
            {
                connection.Close();
            }
        }
    }
}

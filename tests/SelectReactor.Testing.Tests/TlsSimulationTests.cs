using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

/// <summary>TLS over the simulated network, where bytes come in any pieces, and connections are cut and stall
/// anywhere.</summary>
public sealed class TlsSimulationTests
{
    private const int Port = 7;

    /// <summary>RSA, since signatures of other keys differ in length from one handshake to the next.</summary>
    private static readonly Lazy<X509Certificate2> _certificate = new(CreateCertificate);

    private static IEnumerable<SslProtocols> Protocols => [SslProtocols.Tls12, SslProtocols.Tls13];

    [Test]
    public void EveryByteComes_WhateverTheNetwork([Range(1, 40)] int seed) =>
        SimulatedNetwork.Try(seed, static network => Exchange(network, Protocols.ElementAt(network.Seed % 2)));

    [TestCaseSource(nameof(Protocols))]
    public void EveryByteComes_OneByOne(SslProtocols protocol)
    {
        var options = new SimulatedNetworkOptions { MaxSegmentBytes = 1, ReceiveWindowBytes = 3 };
        SimulatedNetwork.Try(1, options, network => Exchange(network, protocol));
    }

    [Test]
    public void SameSeed_IsTheSameRun([Range(1, 3)] int seed)
    {
        static void Run(SimulatedNetwork network) => Exchange(network, SslProtocols.Tls13);

        Assert.That(
            Enumerable.Range(0, 5).Select(_ => SimulatedNetwork.Try(seed, Run)).Distinct(), Has.Exactly(1).Items);
    }

    [Test]
    public void CutAnywhere_EndsBothSides(
        [ValueSource(nameof(Protocols))] SslProtocols protocol, [Values] Cut cut, [Values] bool fromServer)
    {
        int whole = Relay(protocol, Cut.End, fromServer, int.MaxValue);
        Assert.That(whole, Is.GreaterThan(100));
        for (int bytes = 0; bytes < whole; bytes += 1 + (whole / 40))
        {
            Relay(protocol, cut, fromServer, bytes);
        }
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(
            "CN=reactor.test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), password: null);
    }

    internal static TlsServerOptions ServerOptions(SslProtocols protocol) => new()
    {
        Certificate = CertificateSource.FromCertificate(_certificate.Value),
        Configure = options =>
        {
            options.EnabledSslProtocols = protocol;
            options.AllowTlsResume = false;
        },
    };

    internal static TlsClientOptions ClientOptions(SslProtocols protocol) => new()
    {
        Configure = options =>
        {
            options.EnabledSslProtocols = protocol;
            options.TargetHost = "reactor.test";
            options.AllowTlsResume = false;
            options.RemoteCertificateValidationCallback = static (_, given, _, _) =>
                given is X509Certificate2 certificate && certificate.Thumbprint == _certificate.Value.Thumbprint;
        },
    };

    // A client sends bytes, and both close in order.
    private static void Exchange(SimulatedNetwork network, SslProtocols protocol)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var hour = TimeSpan.FromHours(1);
        TlsServerOptions serverTls = ServerOptions(protocol);
        serverTls.HandshakeTimeout = hour;
        TlsClientOptions clientTls = ClientOptions(protocol);
        clientTls.HandshakeTimeout = hour;
        Listener listener = server.Reactor.Listen(
            server.EndPoint(Port), new Echo(), new ListenerOptions { Tls = serverTls });
        byte[] sent = new byte[20_000];
        network.Random.NextBytes(sent);
        byte[] received = new byte[sent.Length];
        CloseReason? reason = null;
        client.Reactor.Post(async () =>
        {
            Connection connection = await client.Reactor.ConnectAsync(
                server.EndPoint(Port), new ConnectOptions { Tls = clientTls, Timeout = hour });
            Stream stream = connection.AsStream();
            Task writing = stream.WriteAsync(sent).AsTask();
            await stream.ReadExactlyAsync(received);
            await writing;
            connection.Close();
            reason = await connection.Completion;
        });
        network.RunUntil(() => reason is not null && listener.ConnectionCount == 0, hour);

        Assert.That(received.AsSpan().SequenceEqual(sent));
        Assert.That(reason, Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
    }

    // A relay between client and server lets so many bytes of one direction pass, and then cuts or stalls both.
    private static int Relay(SslProtocols protocol, Cut cut, bool fromServer, int bytes)
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        SimulatedHost server = network.AddHost("server");
        SimulatedHost relay = network.AddHost("relay");
        SimulatedHost client = network.AddHost("client");
        var idle = new ConnectionOptions { ReadIdleTimeout = TimeSpan.FromSeconds(30) };
        Listener listener = server.Reactor.Listen(
            server.EndPoint(Port),
            new Echo(),
            new ListenerOptions { Tls = ServerOptions(protocol), Connection = idle });
        var passing = new Passing(cut, bytes);
        relay.Reactor.Listen(relay.EndPoint(Port), async (near, _) =>
        {
            Connection far = await relay.Reactor.ConnectAsync(server.EndPoint(Port));
            await Task.WhenAll(
                passing.Pass(near, far, isCounted: !fromServer), passing.Pass(far, near, isCounted: fromServer));
        });
        bool isOver = false;
        client.Reactor.Post(async () =>
        {
            try
            {
                await using Connection connection = await client.Reactor.ConnectAsync(
                    relay.EndPoint(Port), new ConnectOptions { Tls = ClientOptions(protocol), Connection = idle });
                await connection.Output.WriteAsync(new byte[1000]);
                await connection.AsStream().ReadExactlyAsync(new byte[1000]);
            }
            catch (Exception exception) when (exception is IOException or AuthenticationException
                or System.Net.Sockets.SocketException or TimeoutException)
            {
                network.Note(exception.Message);
            }

            isOver = true;
        });
        network.RunUntil(() => isOver && listener.ConnectionCount == 0, TimeSpan.FromMinutes(10));
        Assert.That(server.Reactor.Connections, Is.Empty);
        Assert.That(client.Reactor.Connections, Is.Empty);
        return passing.Passed;
    }

    public enum Cut
    {
        End,
        Reset,
        Stall,
    }

    private sealed class Passing(Cut cut, int bytes)
    {
        private bool _isCut;

        public int Passed { get; private set; }

        public async Task Pass(Connection from, Connection to, bool isCounted)
        {
            try
            {
                while (true)
                {
                    ReadResult result = await from.Input.ReadAsync();
                    long rest = isCounted ? bytes - Passed : long.MaxValue;
                    ReadOnlySequence<byte> part = result.Buffer.Slice(0, Math.Min(rest, result.Buffer.Length));
                    Passed += isCounted ? (int)part.Length : 0;
                    if (!_isCut || cut != Cut.Stall)
                    {
                        to.TryWrite(part);
                    }

                    bool isEnd = result.IsCompleted;
                    bool isCutNow = isCounted && result.Buffer.Length >= rest && bytes != int.MaxValue;
                    from.Input.AdvanceTo(result.Buffer.End);
                    if (isCutNow)
                    {
                        _isCut = true;
                        Break(from, to);
                        return;
                    }

                    if (isEnd)
                    {
                        to.CloseOutput();
                        return;
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or InvalidOperationException)
            {
                to.Abort();
            }
        }

        private void Break(Connection from, Connection to)
        {
            switch (cut)
            {
                case Cut.End:
                    from.Close();
                    to.Close();
                    break;
                case Cut.Reset:
                    from.Abort();
                    to.Abort();
                    break;
                case Cut.Stall:
                    break;
            }
        }
    }
}

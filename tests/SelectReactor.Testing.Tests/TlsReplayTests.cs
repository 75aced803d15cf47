using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Testing.Tests;

/// <summary>The framework keeps TLS sessions for the whole process. A simulated run must not depend on those of an
/// earlier one.</summary>
public sealed class TlsReplayTests
{
    private const int Port = 7;

    // A name of its own: no other test has left a session for it, so that the first run is really the first.
    private const string Host = "replay.reactor.test";

    [Test]
    public void SecondRun_IsThatOfAProcessWithoutSessions()
    {
        using X509Certificate2 certificate = CreateCertificate();
        using var source = CertificateSource.FromCertificate(certificate);

        // Two connections, and the second has a session of the first at hand.
        ulong Run() => SimulatedNetwork.Try(1, network => Exchange(network, source));

        ulong first = Run();
        Assert.That(Run(), Is.EqualTo(first));
    }

    private static void Exchange(SimulatedNetwork network, CertificateSource source)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        Listener listener = server.Reactor.Listen(
            server.EndPoint(Port),
            async (connection, _) =>
            {
                await connection.AsStream().ReadExactlyAsync(new byte[100]);
                connection.TryWrite(new byte[100]);
                connection.Close();
            },
            new ListenerOptions
            {
                Tls = new TlsServerOptions { Certificate = source, HandshakeTimeout = Timeout.InfiniteTimeSpan },
            });
        var tls = new TlsClientOptions
        {
            HandshakeTimeout = Timeout.InfiniteTimeSpan,
            Configure = static options =>
            {
                options.TargetHost = Host;
                options.RemoteCertificateValidationCallback = static (_, given, _, _) => given is not null;
            },
        };
        bool isOver = false;
        client.Reactor.Post(async () =>
        {
            for (int i = 0; i < 2; i++)
            {
                await using Connection connection = await client.Reactor.ConnectAsync(
                    server.EndPoint(Port), new ConnectOptions { Tls = tls, Timeout = Timeout.InfiniteTimeSpan });
                connection.TryWrite(new byte[100]);
                await connection.AsStream().ReadExactlyAsync(new byte[100]);
            }

            isOver = true;
        });
        network.RunUntil(() => isOver && listener.ConnectionCount == 0, TimeSpan.FromHours(1));
    }

    // RSA, since signatures of other keys differ in length from one handshake to the next.
    private static X509Certificate2 CreateCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={Host}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), password: null);
    }
}

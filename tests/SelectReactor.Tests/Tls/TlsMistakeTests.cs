using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Tls;

/// <summary>What is told when the two ends, or two options, do not fit.</summary>
public sealed class TlsMistakeTests(SelectorKind selector) : TlsFixture(selector)
{
    private static IEnumerable<TestCaseData> SecondCertificates
    {
        get
        {
            yield return Case("ServerCertificate", static options => options.ServerCertificate = Certificates.Server);
            yield return Case("ServerCertificateContext", static options => options.ServerCertificateContext =
                SslStreamCertificateContext.Create(Certificates.Server, null, offline: true));
            yield return Case("ServerCertificateSelectionCallback", static options =>
                options.ServerCertificateSelectionCallback = static (_, _) => Certificates.Server);

            static TestCaseData Case(string name, Action<SslServerAuthenticationOptions> configure) =>
                new TestCaseData(name, configure).SetArgDisplayNames(name);
        }
    }

    [Test]
    public void ResetInTheHandshake_IsAnIOExceptionThatSaysWhere()
    {
        using Socket listener = Peer.Listen();
        Task<Connection> attempt = Reactor.ConnectAsync(
            listener.LocalEndPoint!, new ConnectOptions { Tls = Client() });
        Reactor.RunOnce(TimeSpan.Zero);
        using (var server = Peer.Accept(listener))
        {
            RunUntil(() => server.Socket.Available > 0, "the first record");
            server.Reset();
        }

        Assert.That(
            () => RunUntil(attempt),
            Throws.InstanceOf<IOException>()
                .With.Message.StartsWith($"Can't connect to {listener.LocalEndPoint}: the TLS handshake failed: ")
                .And.InnerException.InstanceOf<SocketException>());
    }

    [Test]
    public void ServerThatAnswersWithoutTls_IsNamedAtOnce()
    {
        using Socket listener = Peer.Listen();
        Task<Connection> attempt = Reactor.ConnectAsync(
            listener.LocalEndPoint!, new ConnectOptions { Tls = Client() });
        Reactor.RunOnce(TimeSpan.Zero);
        using var server = Peer.Accept(listener);
        server.Send("220"u8);

        Assert.That(
            () => RunUntil(attempt),
            Throws.InstanceOf<AuthenticationException>().With.Message.EqualTo(
                $"Can't connect to {listener.LocalEndPoint}: the peer answered not with TLS but with the bytes "
                + "323230 (\"220\")."));
    }

    [TestCaseSource(nameof(SecondCertificates))]
    public void TwoCertificates_AreRefused(string name, Action<SslServerAuthenticationOptions> configure)
    {
        TlsServerOptions both = Server(configure);
        Assert.That(() => Listen(both), Throws.ArgumentException.With.Message.EqualTo(
            $"TlsServerOptions has two certificates: Certificate, and the {name} that Configure sets. "
            + "Set one of them."));

        var selected = new TlsServerOptions { CertificateSelector = static _ => null, Configure = configure };
        Assert.That(() => Listen(selected), Throws.ArgumentException.With.Message.Contains("CertificateSelector"));

        Assert.That(() => Listen(new TlsServerOptions { Configure = configure }), Throws.Nothing);
    }
}

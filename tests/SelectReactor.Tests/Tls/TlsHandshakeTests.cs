using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Tls;

/// <summary>What a handshake agrees on, and how it fails.</summary>
public sealed class TlsHandshakeTests(SelectorKind selector) : TlsFixture(selector)
{
    private const int OpeningFailed = 62;

    [Test]
    public void Feature_TellsWhatWasAgreedOn()
    {
        Listener listener = Listen(Server(static options =>
            options.ApplicationProtocols = [new SslApplicationProtocol("chat"), SslApplicationProtocol.Http11]));
        (SslStream ssl, _) = Connect(listener, configure: static options =>
            options.ApplicationProtocols = [new SslApplicationProtocol("chat")]);

        ITlsFeature feature = Connection.GetFeature<ITlsFeature>()!;
        Assert.That(feature.Protocol, Is.EqualTo(ssl.SslProtocol));
        Assert.That(feature.CipherSuite, Is.EqualTo(ssl.NegotiatedCipherSuite));
        Assert.That(feature.ApplicationProtocol, Is.EqualTo(new SslApplicationProtocol("chat")));
        Assert.That(feature.ServerName, Is.EqualTo(Certificates.Host));
        Assert.That(feature.PeerCertificate, Is.Null);
    }

    [Test]
    public void ClientCertificate_IsKnown_AlsoInOnClosed(
        [Values(SslProtocols.Tls12, SslProtocols.Tls13)] SslProtocols protocol, [Values] bool isAskedBefore)
    {
        Listener listener = Listen(Server(static options =>
        {
            options.ClientCertificateRequired = true;
            options.RemoteCertificateValidationCallback = static (_, given, _, _) => given is not null;
        }));
        X509Certificate2? certificate = null;
        string? thumbprint = null;
        Handler.Closed = (connection, _) =>
        {
            certificate = connection.GetFeature<ITlsFeature>()!.PeerCertificate;
            thumbprint = certificate?.Thumbprint;
        };
        Connect(listener, protocol, static options => options.ClientCertificates = [Certificates.Server]);
        if (isAskedBefore)
        {
            Assert.That(Connection.GetFeature<ITlsFeature>()!.PeerCertificate, Is.Not.Null);
        }

        Connection.Abort();
        RunUntilClosed();
        Assert.That(thumbprint, Is.EqualTo(Certificates.Server.Thumbprint), "in OnClosed");
        Assert.That(certificate!.Subject, Is.EqualTo($"CN={Certificates.Host}"), "it outlives the connection");
    }

    [Test]
    public void WithoutTls_ThereIsNoFeature()
    {
        (Connection connection, _) = Connect();

        Assert.That(connection.GetFeature<ITlsFeature>(), Is.Null);
    }

    [TestCase("GET / HTTP/1.1\r\n\r\n", "with the bytes 474554202F204854 (\"GET / HT\"): that is HTTP.")]
    [TestCase("PROXY TCP4 ", "(\"PROXY TC\"): that is a PROXY header: set ListenerOptions.ProxyProtocol.")]
    [TestCase("\r\n\r\n\0\r\nQUIT", "0D0A0D0A000D0A51: that is a PROXY header: set ListenerOptions.ProxyProtocol.")]
    [TestCase("\u0016\u0003\u0001\u0000\u0005hello", "the TLS handshake failed")]
    [TestCase("\u0016\u0003\u0001", "the TLS handshake failed")]
    [TestCase("", "the peer ended the connection before the TLS handshake.")]
    public void WhatIsNotTls_IsOneDebugLine(string sent, string why)
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        using Listener listener = reactor.Listen(AnyPort, Handler, Options(Server()));
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send(System.Text.Encoding.Latin1.GetBytes(sent));
        peer.EndOutput();
        RunUntil(reactor, () => logger.Entries.Exists(static entry => entry.Id == OpeningFailed), "the failure");

        (LogLevel level, _, string message, _) = logger.Entries.Single(static entry => entry.Level < LogLevel.Warning
            && entry.Id == OpeningFailed);
        Assert.That((level, message), Is.EqualTo((LogLevel.Debug, message)));
        Assert.That(message, Does.Contain(why).And.Not.Contain("\n"));
        Assert.That(logger.Entries, Has.None.Matches<(LogLevel Level, int, string, Exception?)>(
            static entry => entry.Level > LogLevel.Information));
        Assert.That((listener.ConnectionCount, Handler.Events.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public void StalledHandshake_IsDropped()
    {
        TlsServerOptions tls = Server();
        tls.HandshakeTimeout = TimeSpan.FromMilliseconds(50);
        Listener listener = Listen(tls);
        Peer silent = Own(Peer.Connect(listener.LocalEndPoint));
        Peer partial = Own(Peer.Connect(listener.LocalEndPoint));
        partial.Send([22, 3, 1, 2, 0, 1]);
        RunUntil(() => listener.ConnectionCount == 2, "both");
        RunUntil(() => listener.ConnectionCount == 0, "none");

        Assert.That(() => silent.Receive(1), Throws.InstanceOf<SocketException>());
        Assert.That(() => partial.Receive(1), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void CertificateThatIsNotTrusted_IsTheExceptionOfConnect()
    {
        Listener listener = Listen();
        Task<Connection> attempt = Reactor.ConnectAsync(
            listener.LocalEndPoint, new ConnectOptions { Tls = new TlsClientOptions() });

        Assert.That(
            () => RunUntil(attempt),
            Throws.InstanceOf<AuthenticationException>().With.Message.StartsWith(
                $"Can't connect to {listener.LocalEndPoint}: the TLS handshake failed: "));
        RunUntil(() => listener.ConnectionCount == 0, "the server's side is gone");
    }

    [Test]
    public void ServerWithoutTls_IsTheExceptionOfConnect()
    {
        using Socket listener = Peer.Listen();
        Task<Connection> attempt = Reactor.ConnectAsync(
            listener.LocalEndPoint!, new ConnectOptions { Tls = Client() });
        Reactor.RunOnce(TimeSpan.Zero);
        using var server = Peer.Accept(listener);
        server.Send("220 mail.example ESMTP\r\n"u8);

        Assert.That(() => RunUntil(attempt), Throws.InstanceOf<AuthenticationException>());
    }

    [Test]
    public void SlowCallbacks_HoldUpTheirHandshakesAlone()
    {
        using var mayGoOn = new ManualResetEventSlim();
        int selections = 0;
        TlsServerOptions tls = Server();
        tls.MaxConcurrentHandshakes = 2;
        tls.CertificateSelector = _ =>
        {
            Interlocked.Increment(ref selections);
            mayGoOn.Wait(Bound);
            return null;
        };
        Listener listener = Listen(tls);
        Task[] clients = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            using var peer = Peer.Connect(listener.LocalEndPoint);
            using var ssl = new SslStream(new NetworkStream(peer.Socket));
            ssl.AuthenticateAsClient(Certificates.ClientOptions);
            ssl.ShutdownAsync().Wait();
        }))];
        RunUntil(() => listener.ConnectionCount == 4 && Volatile.Read(ref selections) == 2, "two handshakes compute");
        RunUntilQuiet();
        Assert.That((Handler.Connections.Count, selections), Is.EqualTo((0, 2)));

        mayGoOn.Set();
        RunUntil(Task.WhenAll(clients));
        RunUntil(() => Handler.CloseReasons.Count == 4, "all are served");
        Assert.That(selections, Is.EqualTo(4));
    }

    [Test]
    public void Shutdown_EndsHandshakes()
    {
        Listener listener = Listen();
        Peer peer = Own(Peer.Connect(listener.LocalEndPoint));
        peer.Send([22, 3, 1, 2, 0, 1]);
        RunUntil(() => listener.ConnectionCount == 1, "accepted");
        RunUntilQuiet();

        RunUntil(Reactor.ShutdownAsync(Timeout.InfiniteTimeSpan));
        Assert.That(() => peer.Receive(1), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void Listen_WithoutACertificate_IsRefused() =>
        Assert.That(
            () => Reactor.Listen(AnyPort, Handler, new ListenerOptions { Tls = new TlsServerOptions() }),
            Throws.ArgumentException.With.Message.Contains("TlsServerOptions has no certificate"));
}

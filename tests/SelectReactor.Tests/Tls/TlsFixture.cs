using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Tls;

/// <summary>A TLS listener, and clients on blocking sockets with the framework's <see cref="SslStream"/>.</summary>
public abstract class TlsFixture(SelectorKind selector) : StreamFixture(selector)
{
    protected ScriptedHandler Handler { get; private set; } = null!;

    protected Connection Connection => Handler.Connection;

    [SetUp]
    public void CreateHandler() => Handler = new ScriptedHandler();

    protected static TlsServerOptions Server(Action<SslServerAuthenticationOptions>? configure = null) => new()
    {
        Certificate = CertificateSource.FromCertificate(Certificates.Server),
        Configure = configure,
    };

    protected static TlsClientOptions Client(SslProtocols protocol = SslProtocols.None) => new()
    {
        Configure = options =>
        {
            Certificates.Trust(options);
            options.EnabledSslProtocols = protocol;
        },
    };

    protected Listener Listen(TlsServerOptions? tls = null, ConnectionOptions? connection = null) =>
        Own(Reactor.Listen(AnyPort, Handler, Options(tls, connection)));

    protected static ListenerOptions Options(TlsServerOptions? tls = null, ConnectionOptions? connection = null) =>
        new() { Tls = tls ?? Server(), Connection = connection ?? new ConnectionOptions() };

    /// <summary>A client that has finished its handshake, while its connection is open.</summary>
    protected (SslStream Ssl, Peer Peer) Connect(
        Listener listener,
        SslProtocols protocol = SslProtocols.None,
        Action<SslClientAuthenticationOptions>? configure = null)
    {
        Peer peer = Own(Peer.Connect(listener.LocalEndPoint));
        var ssl = new SslStream(new NetworkStream(peer.Socket));
        SslClientAuthenticationOptions options = Certificates.ClientOptions;
        options.EnabledSslProtocols = protocol;
        configure?.Invoke(options);
        int before = Handler.Connections.Count;
        RunBeside(() =>
        {
            ssl.AuthenticateAsClient(options);
            return true;
        });
        RunUntil(() => Handler.Connections.Count > before, "OnConnected");
        return (Own(ssl), peer);
    }

    /// <summary>Sends all while it receives all that comes back.</summary>
    protected byte[] Exchange(SslStream ssl, byte[] bytes) => RunBeside(() =>
    {
        var sending = Task.Run(() => ssl.Write(bytes));
        byte[] received = new byte[bytes.Length];
        ssl.ReadExactly(received);
        sending.Wait();
        return received;
    });

    protected CloseReason RunUntilClosed()
    {
        RunUntil(() => Handler.IsClosed, "OnClosed");
        return Handler.CloseReason;
    }

    protected static byte[] ReadToEnd(SslStream ssl)
    {
        using var all = new MemoryStream();
        ssl.CopyTo(all);
        return all.ToArray();
    }
}

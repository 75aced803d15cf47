using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.ProxyProtocol;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Tls;

/// <summary>Time-outs of steps whose bytes have come, which the loop does not know yet, as after a long callback. Here
/// the selector withholds what it found.</summary>
public sealed class HandshakeTimeoutTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(3);
    private readonly List<IDisposable> _owned = [];
    private RecordingHandles _handles = null!;
    private ScriptedHandler _handler = null!;
    private FakeTimeProvider _time = null!;
    private Reactor _reactor = null!;
    private bool _withholds;

    [SetUp]
    public void Begin()
    {
        _handles = new RecordingHandles();
        _handler = new ScriptedHandler();
        _time = new FakeTimeProvider();
        _withholds = false;
        _reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = () => new FaultySelector(Options().SelectorFactory()) { Withholds = _ => _withholds },
            TimeProvider = _time,
            HandleFactory = _handles,
        });
    }

    [TearDown]
    public void End()
    {
        _reactor.Dispose();
        _owned.ForEach(static owned => owned.Dispose());
        _owned.Clear();
    }

    [Test]
    public void ClientWhoseBytesAreThere_IsNotCut()
    {
        Listener listener = Listen(new ListenerOptions { Tls = Server() });
        Peer peer = Own(Peer.Connect(listener.LocalEndPoint));
        SslStream ssl = Own(new SslStream(new NetworkStream(peer.Socket)));
        Task handshake = ssl.AuthenticateAsClientAsync(Certificates.ClientOptions);
        AdvanceUnseen(listener);
        Assert.That(listener.ConnectionCount, Is.EqualTo(1));

        _withholds = false;
        RunUntil(_reactor, () => handshake.IsCompleted, "the client's handshake");
        Assert.That(handshake.IsCompletedSuccessfully);
        RunUntil(_reactor, () => _handler.IsConnected, "the server's handshake");
    }

    [Test]
    public void ClientThatSendsNoMore_IsCutASecondLater()
    {
        Listener listener = Listen(new ListenerOptions { Tls = Server() });
        Peer peer = Own(Peer.Connect(listener.LocalEndPoint));
        peer.Send([22, 3, 1, 2, 0, 1]);
        AdvanceUnseen(listener);
        Assert.That(listener.ConnectionCount, Is.EqualTo(1));

        peer.Send([0]);
        _time.Advance(TimeSpan.FromSeconds(1));
        RunUntil(_reactor, () => listener.ConnectionCount == 0, "the end");
        Assert.That(() => peer.Receive(1), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void SilentClient_IsCutAtOnce()
    {
        Listener listener = Listen(new ListenerOptions { Tls = Server() });
        Own(Peer.Connect(listener.LocalEndPoint));
        AdvanceUnseen(listener);

        Assert.That(listener.ConnectionCount, Is.Zero);
    }

    [Test]
    public void ProxyWhoseHeaderIsThere_IsNotCut()
    {
        Listener listener = Listen(new ListenerOptions
        {
            ProxyProtocol = new ProxyProtocolOptions
            {
                TrustedNetworks = [IPNetwork.Parse("127.0.0.1/32")],
                Timeout = _limit,
            },
        });
        Peer peer = Own(Peer.Connect(listener.LocalEndPoint));
        peer.Send(HeaderBytes.Of(new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination)));
        AdvanceUnseen(listener);

        Assert.That(_handler.IsConnected);
        Assert.That(_handler.Connection.RemoteEndPoint, Is.EqualTo(HeaderBytes.Source));
    }

    [Test]
    public void ServerWhoseAnswerIsThere_IsNotCut([Values] bool limitsHandshake)
    {
        using Socket server = Peer.Listen();
        Task<Connection> attempt = _reactor.ConnectAsync(server.LocalEndPoint!, _handler, new ConnectOptions
        {
            Timeout = limitsHandshake ? Timeout.InfiniteTimeSpan : _limit,
            Tls = new TlsClientOptions
            {
                HandshakeTimeout = limitsHandshake ? _limit : Timeout.InfiniteTimeSpan,
                Configure = Certificates.Trust,
            },
        });
        _reactor.RunOnce(TimeSpan.Zero);
        Peer peer = Own(Peer.Accept(server));
        RunUntil(_reactor, () => peer.Socket.Available > 0, "the client begins");
        _withholds = true;
        SslStream ssl = Own(new SslStream(new NetworkStream(peer.Socket)));
        Task handshake = ssl.AuthenticateAsServerAsync(Certificates.ServerOptions);
        RunUntil(_reactor, () => _handles.Made[0].Socket!.Available > 0, "the server answers");
        _time.Advance(_limit);
        _reactor.RunOnce(TimeSpan.Zero);
        _withholds = false;
        RunUntil(_reactor, () => attempt.IsCompleted && handshake.IsCompleted, "the handshake");

        Assert.That(attempt.GetAwaiter().GetResult().State, Is.EqualTo(ConnectionState.Open));
        Assert.That(handshake.IsCompletedSuccessfully);
    }

    private static TlsServerOptions Server() => new()
    {
        Certificate = CertificateSource.FromCertificate(Certificates.Server),
        HandshakeTimeout = _limit,
    };

    private Listener Listen(ListenerOptions options) => _reactor.Listen(AnyPort, _handler, options);

    // The time passes while the loop sees nothing of the client but its connection.
    private void AdvanceUnseen(Listener listener)
    {
        RunUntil(_reactor, () => listener.ConnectionCount == 1, "accepted");
        _withholds = true;
        _time.Advance(_limit);
        _reactor.RunOnce(TimeSpan.Zero);
    }

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }
}

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>
/// Time-outs of attempts that have ended, which the loop does not know yet: after a long callback, thousands of other
/// handles can be ready before theirs. Here the selector withholds what it found.
/// </summary>
public sealed class ConnectTimeoutTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(3);
    private readonly Mock<INameResolver> _resolver = new();
    private RecordingHandles _handles = null!;
    private ScriptedHandler _handler = null!;
    private FakeTimeProvider _time = null!;
    private Socket _server = null!;
    private Reactor _reactor = null!;

    private IPEndPoint Address => (IPEndPoint)_server.LocalEndPoint!;

    [SetUp]
    public void Withhold()
    {
        _handles = new RecordingHandles();
        _handler = new ScriptedHandler();
        _time = new FakeTimeProvider();
        _server = Peer.Listen();
        _resolver.Reset();
        _reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = () => new FaultySelector(Options().SelectorFactory())
            {
                Withholds = static entry => (entry.Interest & Interest.Connect) != 0,
            },
            TimeProvider = _time,
            HandleFactory = _handles,
            NameResolver = _resolver.Object,
        });
    }

    [TearDown]
    public void Stop()
    {
        _reactor.Dispose();
        _server.Dispose();
        Assert.That(_handles.Open, Is.Zero);
    }

    [Test]
    public void AttemptThatHasConnected_IsNotCut()
    {
        Task<Connection> attempt = Begin(Address);
        using var peer = Peer.Accept(_server);
        RunSome();
        Assert.That(attempt.IsCompleted, Is.False, "the test withholds it");
        _time.Advance(_timeout);
        RunUntil(_reactor, () => attempt.IsCompleted);

        Assert.That(attempt.GetAwaiter().GetResult().State, Is.EqualTo(ConnectionState.Open));
        Assert.That(_handler.IsConnected);
    }

    [Test]
    public void AttemptThatWasRefused_SaysThat()
    {
        IPEndPoint nobody = Address;
        _server.Dispose();
        Task<Connection> attempt = Begin(nobody);
        _time.Advance(_timeout);
        RunUntil(_reactor, () => attempt.IsCompleted);

        Assert.That(
            () => attempt.GetAwaiter().GetResult(),
            Throws.InstanceOf<SocketException>()
                .With.Property(nameof(SocketException.SocketErrorCode)).EqualTo(SocketError.ConnectionRefused));
    }

    [Test]
    public void AddressThatHasConnected_IsTaken_BeforeTheNextIsTried()
    {
        Resolve(IPAddress.Loopback, IPAddress.Parse("127.0.0.2"));
        Task<Connection> attempt = Begin(new DnsEndPoint("host", Address.Port));
        using var peer = Peer.Accept(_server);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        RunUntil(_reactor, () => attempt.IsCompleted);

        Assert.That(attempt.GetAwaiter().GetResult().RemoteEndPoint, Is.EqualTo(Address));
        Assert.That(_handles.Made, Has.Count.EqualTo(1));
    }

    [Test]
    public void AddressThatWasRefused_IsFollowedByOneOther()
    {
        Resolve(IPAddress.Parse("127.0.0.2"), IPAddress.Loopback, IPAddress.Parse("127.0.0.3"));
        Task<Connection> attempt = Begin(new DnsEndPoint("host", Address.Port));
        _time.Advance(TimeSpan.FromMilliseconds(250));
        RunSome();
        Assert.That(_handles.Made, Has.Count.EqualTo(2));

        using var peer = Peer.Accept(_server);
        _time.Advance(_timeout);
        RunUntil(_reactor, () => attempt.IsCompleted);
        Assert.That(attempt.GetAwaiter().GetResult().RemoteEndPoint, Is.EqualTo(Address));
    }

    private Task<Connection> Begin(EndPoint endPoint)
    {
        Task<Connection> attempt = _reactor.ConnectAsync(
            endPoint, _handler, new ConnectOptions { Timeout = _timeout });
        RunUntil(_reactor, () => _handles.Made.Count > 0, "the attempt begins");
        return attempt;
    }

    private void Resolve(params IPAddress[] addresses) => _resolver
        .Setup(static resolver => resolver.ResolveAsync(
            "host", It.IsAny<AddressFamily>(), It.IsAny<CancellationToken>()))
        .Returns<string, AddressFamily, CancellationToken>(
            (_, family, _) => Task.FromResult(family == AddressFamily.InterNetwork ? addresses : []));

    private void RunSome()
    {
        for (int i = 0; i < 5; i++)
        {
            _reactor.RunOnce(TimeSpan.FromMilliseconds(1));
        }
    }
}

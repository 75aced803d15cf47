using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>A listener that reads PROXY headers, on real sockets.</summary>
public sealed class ListenerHeaderTests(SelectorKind selector) : StreamFixture(selector)
{
    private static readonly IPNetwork _loopback = IPNetwork.Parse("127.0.0.1/32");

    private readonly ScriptedHandler _handler = new();

    private static byte[] Line => "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"u8.ToArray();

    private static byte[][] Headers =>
    [
        Line,
        HeaderBytes.Of(HeaderBytes.Proxy, HeaderBytes.Tcp4, HeaderBytes.IPv4Block),
        HeaderBytes.Of(new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination)
        {
            HasChecksum = true,
            Tlvs = [new((ProxyTlvType)0xE0, new byte[2000])],
        }),
    ];

    [SetUp]
    public void Forget()
    {
        _handler.Connections.Clear();
        _handler.CloseReasons.Clear();
        _handler.Received.Clear();
        _handler.Events.Clear();
    }

    [TestCaseSource(nameof(Headers))]
    public void EndPoints_AreThoseOfTheClient(byte[] header)
    {
        Listener listener = Listen();
        Peer proxy = Connect(listener);
        proxy.Send([.. header, .. "hello"u8]);
        RunUntil(() => _handler.Received.Count == 5);
        IProxyProtocolFeature feature = _handler.Connection.GetFeature<IProxyProtocolFeature>()!;

        Assert.That(_handler.Connection.RemoteEndPoint, Is.EqualTo(HeaderBytes.Source));
        Assert.That(_handler.Connection.LocalEndPoint, Is.EqualTo(HeaderBytes.Destination));
        Assert.That(feature.ProxyEndPoint, Is.EqualTo(proxy.Socket.LocalEndPoint));
        Assert.That(feature.ListenerEndPoint, Is.EqualTo(listener.LocalEndPoint));
        Assert.That(feature.Header.Source, Is.EqualTo(HeaderBytes.Source));
        Assert.That(_handler.Connection.GetFeature<Socket>(), Is.Not.Null);
        Assert.That(_handler.Received, Is.EqualTo("hello"u8.ToArray()), "and nothing of the header");
        Assert.That(_handler.Events.Take(2), Is.EqualTo(new[] { "OnConnected", "OnReadable" }));
    }

    [TestCaseSource(nameof(Headers))]
    public void AHeaderInPieces_AtEverySplit_LosesNothing(byte[] header)
    {
        Listener listener = Listen();
        byte[] stream = [.. header, .. "hello"u8];
        int step = header.Length > 300 ? 97 : 1;
        for (int split = 1; split < stream.Length; split += step)
        {
            Forget();
            using var proxy = Peer.Connect(listener.LocalEndPoint);
            proxy.Send(stream.AsSpan(0, split));
            RunUntil(() => listener.ConnectionCount > 0);
            RunSome();
            Assert.That(_handler.IsConnected, Is.EqualTo(split >= header.Length), $"with {split} bytes");
            proxy.Send(stream.AsSpan(split));
            RunUntil(() => _handler.Received.Count == 5);

            Assert.That(_handler.Received, Is.EqualTo("hello"u8.ToArray()), $"{split}");
            Assert.That(_handler.Connection.RemoteEndPoint, Is.EqualTo(HeaderBytes.Source));
            proxy.Dispose();
            RunUntil(() => listener.ConnectionCount == 0);
        }
    }

    [Test]
    public void AHeaderAlone_OpensTheConnection_BeforeTheClientSpeaks()
    {
        Listener listener = Listen();
        Peer proxy = Connect(listener);
        proxy.Send(Line);
        _handler.Connected = static connection => connection.TryWrite("welcome"u8);
        RunUntil(() => _handler.IsConnected);
        RunSome();

        Assert.That(proxy.Receive(7), Is.EqualTo("welcome"u8.ToArray()));
        Assert.That(_handler.Received, Is.Empty);
        _handler.Connected = null;
    }

    [Test]
    public void ManyBytesBehindTheHeader_ArriveInOrder()
    {
        Listener listener = Listen();
        byte[] bytes = Noise(1_000_000);
        Peer proxy = Connect(listener);
        var sending = Task.Run(() =>
        {
            proxy.Send([.. Line, .. bytes]);
            proxy.EndOutput();
        });
        RunUntil(() => _handler.IsClosed, "the end");
        RunUntil(sending);

        Assert.That(_handler.Received.ToArray().AsSpan().SequenceEqual(bytes));
    }

    [TestCase("PROXY UNKNOWN\r\n")]
    [TestCase(null)]
    public void WithoutAddressesInTheHeader_TheyAreThoseOfTheSocket(string? line)
    {
        Listener listener = Listen();
        Peer proxy = Connect(listener);
        proxy.Send(line is null
            ? HeaderBytes.Of(ProxyHeader.Local)
            : System.Text.Encoding.ASCII.GetBytes(line));
        RunUntil(() => _handler.IsConnected);

        Assert.That(_handler.Connection.RemoteEndPoint, Is.EqualTo(proxy.Socket.LocalEndPoint));
        Assert.That(_handler.Connection.LocalEndPoint, Is.EqualTo(listener.LocalEndPoint));
        Assert.That(_handler.Connection.GetFeature<IProxyProtocolFeature>(), Is.Not.Null);
    }

    /// <summary>L15: whoever is not trusted cannot claim an address.</summary>
    [Test]
    public void AnUntrustedClient_IsReset_BeforeAnythingIsRead()
    {
        Listener listener = Listen(new ProxyProtocolOptions { TrustedNetworks = [IPNetwork.Parse("192.0.2.0/24")] });
        Peer client = Connect(listener);
        client.Send(Line);
        RunUntil(() => listener.Refused == 1);

        Assert.That(() => client.Receive(1), Throws.InstanceOf<SocketException>());
        Assert.That((_handler.IsConnected, listener.Accepted, listener.ConnectionCount), Is.EqualTo((false, 0L, 0)));
    }

    [Test]
    public void AnUntrustedClient_IsServedWithItsOwnAddress_WhereThatIsAskedFor()
    {
        Listener listener = Listen(new ProxyProtocolOptions
        {
            TrustedNetworks = [IPNetwork.Parse("192.0.2.0/24")],
            UntrustedClients = UntrustedClients.ServeDirectly,
        });
        Peer client = Connect(listener);
        client.Send(Line);
        RunUntil(() => _handler.Received.Count == Line.Length);

        Assert.That(_handler.Connection.RemoteEndPoint, Is.EqualTo(client.Socket.LocalEndPoint));
        Assert.That(_handler.Connection.GetFeature<IProxyProtocolFeature>(), Is.Null);
        Assert.That(_handler.Received, Is.EqualTo(Line), "the header is a part of its bytes");
    }

    [Test]
    public void NobodyIsTrusted_UntilSomebodyIsNamed()
    {
        Assert.That(
            () => Listen(new ProxyProtocolOptions()),
            Throws.ArgumentException.With.Message.Contains("TrustedNetworks is empty"));
        Assert.That(
            () => Listen(new ProxyProtocolOptions { UntrustedClients = UntrustedClients.ServeDirectly }),
            Throws.ArgumentException.With.Message.Contains("TrustedNetworks is empty"));
    }

    [TestCase("127.0.0.0/8", true)]
    [TestCase("0.0.0.0/0", true)]
    [TestCase("::ffff:127.0.0.0/104", true)]
    [TestCase("::1/128", false)]
    [TestCase("128.0.0.0/8", false)]
    public void AnIPv4ProxyOfADualModeListener_IsKnownByEitherAddress(string network, bool isTrusted)
    {
        Listener listener = Own(Reactor.Listen(new IPEndPoint(IPAddress.IPv6Any, 0), _handler, new ListenerOptions
        {
            DualMode = true,
            ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [IPNetwork.Parse(network)] },
        }));
        Peer proxy = Own(Peer.Connect(
            new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint).Port)));
        proxy.Send(Line);
        RunUntil(() => _handler.IsConnected || listener.Refused > 0);

        Assert.That(_handler.IsConnected, Is.EqualTo(isTrusted));
        if (isTrusted)
        {
            Assert.That(_handler.Connection.RemoteEndPoint, Is.EqualTo(HeaderBytes.Source));
        }
    }

    [Test]
    public void UnixClients_AreTrusted_IfThatIsSaid([Values] bool trusts)
    {
        var file = new UnixDomainSocketEndPoint(UnixFile.NewPath());
        Listener listener = Own(Reactor.Listen(file, _handler, new ListenerOptions
        {
            ProxyProtocol = new ProxyProtocolOptions { TrustsUnixClients = trusts, TrustedNetworks = [_loopback] },
        }));
        Peer proxy = Own(Peer.Connect(file));
        proxy.Send(Line);
        RunUntil(() => _handler.IsConnected || listener.Refused > 0);

        Assert.That(_handler.IsConnected, Is.EqualTo(trusts));
    }

    [Test]
    public void WhatIsNoHeader_IsReset_AndSaidOnce(
        [Values("GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 1.2.3.4\r\n", "\r\n\r\n")] string bytes)
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        using Listener listener = reactor.Listen(AnyPort, _handler, Trusting());
        Peer client = Connect(listener);
        client.Send(System.Text.Encoding.ASCII.GetBytes(bytes));
        RunUntil(reactor, () => listener.Refused == 1);

        Assert.That(() => client.Receive(1), Throws.InstanceOf<SocketException>());
        Assert.That((_handler.IsConnected, listener.ConnectionCount), Is.EqualTo((false, 0)));
        Assert.That(
            logger.Entries
                .Where(static entry => entry.Message.Contains("is dropped"))
                .Select(static entry => entry.Level),
            Is.EqualTo(new[] { LogLevel.Debug }));
    }

    // F40: the length alone is refused, with nothing behind it.
    [Test]
    public void AHeaderAboveTheLimit_IsResetWhenItsLengthIsRead()
    {
        Listener listener = Listen(new ProxyProtocolOptions { TrustedNetworks = [_loopback], MaxHeaderBytes = 100 });
        Peer proxy = Connect(listener);
        proxy.Send(HeaderBytes.Of(HeaderBytes.Proxy, HeaderBytes.Tcp4, new byte[85]).AsSpan(0, 16));
        RunUntil(() => listener.Refused == 1);

        Assert.That(() => proxy.Receive(1), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void VersionAndChecksum_CanBeRequired()
    {
        Listener listener = Listen(new ProxyProtocolOptions
        {
            TrustedNetworks = [_loopback],
            Version = ProxyProtocolVersion.Version2,
            RequiresChecksum = true,
        });
        Connect(listener).Send(Headers[0]);
        Connect(listener).Send(Headers[1]);
        RunUntil(() => listener.Refused == 2);
        Connect(listener).Send(Headers[2]);
        RunUntil(() => _handler.IsConnected);

        Assert.That(listener.Refused, Is.EqualTo(2));
    }

    [Test]
    public void TheEndInsideAHeader_DropsTheClient([Values] bool reset, [Values(0, 20)] int length)
    {
        Listener listener = Listen();
        Peer proxy = Connect(listener);
        proxy.Send(Line.AsSpan(0, length));
        RunUntil(() => listener.ConnectionCount == 1);
        RunSome();
        if (reset)
        {
            proxy.Reset();
        }
        else
        {
            proxy.EndOutput();
        }

        RunUntil(() => listener.ConnectionCount == 0);
        Assert.That((_handler.IsConnected, listener.Refused), Is.EqualTo((false, 1L)));
    }

    [Test]
    public void AHeaderThatDoesNotCome_IsWaitedForSoLong([Values(0, 20)] int length)
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        using Listener listener = reactor.Listen(AnyPort, _handler, Trusting());
        Peer proxy = Connect(listener);
        proxy.Send(Line.AsSpan(0, length));
        RunUntil(reactor, () => listener.ConnectionCount == 1);
        time.Advance(TimeSpan.FromSeconds(4.9));
        reactor.RunOnce(TimeSpan.Zero);
        reactor.RunOnce(TimeSpan.Zero);
        Assert.That(listener.ConnectionCount, Is.EqualTo(1));
        time.Advance(TimeSpan.FromSeconds(0.1));
        RunUntil(reactor, () => listener.ConnectionCount == 0);

        Assert.That(() => proxy.Receive(1), Throws.InstanceOf<SocketException>());
        Assert.That(_handler.IsConnected, Is.False);
    }

    // L15: a proxy that opens connections and sends no header uses up the listener's connections, and no more.
    [Test]
    public void ConnectionsWithoutAHeaderYet_CountForTheLimit()
    {
        Listener listener = Own(Reactor.Listen(AnyPort, _handler, new ListenerOptions
        {
            MaxConnections = 2,
            ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [_loopback] },
        }));
        Peer[] proxies = [Connect(listener), Connect(listener), Connect(listener)];
        Array.ForEach(proxies, static proxy => proxy.Send("PROXY "u8));
        RunUntil(() => listener.ConnectionCount == 2);
        RunSome();
        Assert.That(listener.ConnectionCount, Is.EqualTo(2));
        proxies[0].Dispose();
        RunUntil(() => listener.Refused == 1);
        proxies[2].Send(Line.AsSpan(6));
        RunUntil(() => _handler.IsConnected);

        Assert.That(listener.ConnectionCount, Is.EqualTo(2));
    }

    // What limits the clients must see them, and not their proxy.
    [Test]
    public void TheFilter_IsAskedForTheClientsAddress()
    {
        List<EndPoint?> asked = [];
        var filter = new Mock<IAcceptFilter>();
        filter.Setup(static filter => filter.Allows(It.IsAny<EndPoint?>())).Returns<EndPoint?>(endPoint =>
        {
            asked.Add(endPoint);
            return asked.Count > 1;
        });
        Listener listener = Own(Reactor.Listen(AnyPort, _handler, new ListenerOptions
        {
            AcceptFilter = filter.Object,
            ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [_loopback] },
        }));
        Connect(listener).Send(Line);
        RunUntil(() => listener.Refused == 1);
        Assert.That(_handler.IsConnected, Is.False);
        Peer proxy = Connect(listener);
        proxy.Send(HeaderBytes.Of(ProxyHeader.Local));
        RunUntil(() => _handler.IsConnected);

        Assert.That(asked, Is.EqualTo(new[] { HeaderBytes.Source, proxy.Socket.LocalEndPoint }));
    }

    [Test]
    public void AFilterThatThrows_RefusesOneClient()
    {
        var filter = new Mock<IAcceptFilter>();
        filter.SetupSequence(static filter => filter.Allows(It.IsAny<EndPoint?>()))
            .Throws<InvalidDataException>().Returns(true);
        Listener listener = Own(Reactor.Listen(AnyPort, _handler, new ListenerOptions
        {
            AcceptFilter = filter.Object,
            ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [_loopback] },
        }));
        Connect(listener).Send(Line);
        RunUntil(() => listener.Refused == 1);
        Connect(listener).Send(Line);
        RunUntil(() => _handler.IsConnected);
    }

    [Test]
    public void AShutdown_DropsThoseWithoutAHeader()
    {
        Listener listener = Listen();
        Peer proxy = Connect(listener);
        proxy.Send("PROXY "u8);
        RunUntil(() => listener.ConnectionCount == 1);
        RunUntil(Reactor.ShutdownAsync(TimeSpan.FromSeconds(10)));

        Assert.That(
            () => proxy.Receive(1),
            Throws.InstanceOf<SocketException>().Or.InstanceOf<EndOfStreamException>());
        Assert.That(listener.Drained.IsCompleted);
    }

    [Test]
    public void TheListener_IsDrained_WhenTheLastHeaderHasFailed()
    {
        Listener listener = Listen();
        Peer proxy = Connect(listener);
        proxy.Send("PROXY "u8);
        RunUntil(() => listener.ConnectionCount == 1);
        listener.Dispose();
        Assert.That(listener.Drained.IsCompleted, Is.False);
        proxy.Send("?"u8);
        RunUntil(listener.Drained);
    }

    private static ListenerOptions Trusting() => new()
    {
        ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [_loopback] },
    };

    private Listener Listen() => Listen(new ProxyProtocolOptions { TrustedNetworks = [_loopback] });

    private Listener Listen(ProxyProtocolOptions options) =>
        Own(Reactor.Listen(AnyPort, _handler, new ListenerOptions { ProxyProtocol = options }));

    private Peer Connect(Listener listener) => Own(Peer.Connect(listener.LocalEndPoint));
}

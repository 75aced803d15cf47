using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>An outgoing connection that begins with a PROXY header, on real sockets.</summary>
public sealed class ConnectHeaderTests(SelectorKind selector) : StreamFixture(selector)
{
    private static ProxyHeader Header => new(HeaderBytes.Source, HeaderBytes.Destination)
    {
        HasChecksum = true,
        Tlvs = [new(ProxyTlvType.Authority, "reactor.test")],
    };

    [Test]
    public void TheHeader_ComesFirst_AndTheOutputFollows([Values] ProxyProtocolVersion version)
    {
        using Socket server = Peer.Listen();
        var handler = new ScriptedHandler { Connected = static connection => connection.TryWrite("hello"u8) };
        var header = new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination) { Version = version };
        Connection connection = RunUntil(Reactor.ConnectAsync(
            server.LocalEndPoint!, handler, new ConnectOptions { ProxyProtocol = header }));
        Peer peer = Own(Peer.Accept(server));
        RunSome();
        byte[] expected = [.. HeaderBytes.Of(header), .. "hello"u8];

        Assert.That(peer.Receive(expected.Length), Is.EqualTo(expected));
        Assert.That(connection.RemoteEndPoint, Is.EqualTo(server.LocalEndPoint));
        Assert.That(connection.Statistics.BytesSent, Is.EqualTo(5), "the header is no output");
    }

    // A protocol in which the server speaks first.
    [Test]
    public void TheHeader_IsSentBeforeAnythingIsWritten()
    {
        using Socket server = Peer.Listen();
        Connection connection = RunUntil(Reactor.ConnectAsync(
            server.LocalEndPoint!, new ConnectOptions { ProxyProtocol = ProxyHeader.Local }));
        Peer peer = Own(Peer.Accept(server));

        Assert.That(peer.Receive(16), Is.EqualTo(HeaderBytes.Of(ProxyHeader.Local)));
        Assert.That(connection.State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void TheHeader_DoesNotCountAsOutput_WhenTheConnectionIsCut()
    {
        using Socket server = Peer.Listen();
        var handler = new ScriptedHandler();
        Connection connection = RunUntil(Reactor.ConnectAsync(
            server.LocalEndPoint!, handler, new ConnectOptions { ProxyProtocol = Header }));
        Peer peer = Own(Peer.Accept(server));
        peer.Receive(HeaderBytes.Of(Header).Length);
        connection.TryWrite("hello"u8);
        RunSome();
        peer.Receive(5);
        RunSome();
        connection.Abort();
        RunUntil(() => handler.IsClosed);

        Assert.That(handler.CloseReason.UnsentBytes, Is.Zero);
        Assert.That(connection.Statistics.BytesSent, Is.EqualTo(5));
    }

    [Test]
    public void AListenerOfThisLibrary_ReadsIt()
    {
        var handler = new ScriptedHandler();
        using Listener listener = Reactor.Listen(AnyPort, handler, new ListenerOptions
        {
            ProxyProtocol = new ProxyProtocolOptions
            {
                TrustedNetworks = [IPNetwork.Parse("127.0.0.1/32")],
                RequiresChecksum = true,
            },
        });
        RunUntil(Reactor.ConnectAsync(listener.LocalEndPoint, new ConnectOptions { ProxyProtocol = Header }));
        RunUntil(() => handler.IsConnected);
        ProxyHeader received = handler.Connection.GetFeature<IProxyProtocolFeature>()!.Header;

        Assert.That(handler.Connection.RemoteEndPoint, Is.EqualTo(HeaderBytes.Source));
        Assert.That(received.Authority, Is.EqualTo("reactor.test"));
    }

    // As a proxy does that was itself reached through one.
    [Test]
    public void AReceivedHeader_CanBeSentOn()
    {
        using Socket server = Peer.Listen();
        var handler = new ScriptedHandler
        {
            Connected = connection => connection.Reactor.ConnectAsync(
                server.LocalEndPoint!,
                new ConnectOptions { ProxyProtocol = connection.GetFeature<IProxyProtocolFeature>()!.Header }),
        };
        using Listener listener = Reactor.Listen(AnyPort, handler, new ListenerOptions
        {
            ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [IPNetwork.Parse("127.0.0.1/32")] },
        });
        Peer proxy = Own(Peer.Connect(listener.LocalEndPoint));
        byte[] header = HeaderBytes.Of(Header);
        proxy.Send(header);
        RunUntil(() => handler.IsConnected);
        RunSome();
        Peer peer = Own(Peer.Accept(server));

        Assert.That(peer.Receive(header.Length), Is.EqualTo(header));
    }

    // The listener has closed the connection, or does not read: either fails, or the header waits in the system.
    [Test]
    public void ALongHeader_IsSentInPieces()
    {
        using Socket server = Peer.Listen();
        server.ReceiveBufferSize = 4096;
        ProxyHeader header = new(null, null)
        {
            Tlvs = [new((ProxyTlvType)0xE0, Noise(30_000)), new((ProxyTlvType)0xE1, Noise(30_000))],
        };
        byte[] bytes = HeaderBytes.Of(header);
        Task<Connection> connecting = Reactor.ConnectAsync(server.LocalEndPoint!, new ConnectOptions
        {
            ProxyProtocol = header,
            Connection = { SendBufferBytes = 4096 },
        });
        RunSome();
        Assert.That(connecting.IsCompleted, Is.False, "the header does not fit");
        Peer peer = Own(Peer.Accept(server));
        Assert.That(RunBeside(() => peer.Receive(bytes.Length)), Is.EqualTo(bytes));
        RunUntil(connecting);
    }

    [Test]
    public void AHeaderThatCannotBeSent_FailsTheAttempt([Values] bool cancels)
    {
        using Socket server = Peer.Listen();
        server.ReceiveBufferSize = 4096;
        using var cancel = new CancellationTokenSource();
        Task<Connection> connecting = Reactor.ConnectAsync(
            server.LocalEndPoint!,
            new ConnectOptions
            {
                ProxyProtocol = new(null, null) { Tlvs = [new((ProxyTlvType)0xE0, Noise(60_000))] },
                Connection = { SendBufferBytes = 4096 },
            },
            cancel.Token);
        RunSome();
        Peer peer = Own(Peer.Accept(server));
        if (cancels)
        {
            cancel.Cancel();
        }
        else
        {
            peer.Reset();
        }

        RunUntil(() => connecting.IsCompleted);
        Assert.That(
            () => connecting.GetAwaiter().GetResult(),
            cancels
                ? Throws.InstanceOf<OperationCanceledException>()
                : Throws.InstanceOf<SocketException>().With.Message.Contains("PROXY header"));
    }
}

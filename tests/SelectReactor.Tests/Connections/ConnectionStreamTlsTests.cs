using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>TLS by <see cref="SslStream"/> over <see cref="Connection.AsStream"/>, in both roles: against blocking
/// sockets, and against each other on one reactor.</summary>
[TestFixtureSource(nameof(Kinds))]
public sealed class ConnectionStreamTlsTests(SelectorKind selector, SslProtocols protocol) : StreamFixture(selector)
{
    private const int Count = 4_000_000;

    public static IEnumerable<object[]> Kinds { get; } =
        SelectorKind.All.SelectMany(static kind => new object[][]
        {
            [kind, SslProtocols.Tls12],
            [kind, SslProtocols.Tls13],
        });

    private SslServerAuthenticationOptions Server
    {
        get
        {
            SslServerAuthenticationOptions options = Certificates.ServerOptions;
            options.EnabledSslProtocols = protocol;
            return options;
        }
    }

    private SslClientAuthenticationOptions Client
    {
        get
        {
            SslClientAuthenticationOptions options = Certificates.ClientOptions;
            options.EnabledSslProtocols = protocol;
            return options;
        }
    }

    [Test]
    public void ServerInAHandler_EchoesABlockingClient([Values] bool configured)
    {
        var handler = new ServeHandler(connection => EchoAsync(connection, configured));
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        byte[] bytes = Noise(Count);
        byte[] answer = RunBeside(() =>
        {
            using var ssl = new SslStream(new NetworkStream(peer.Socket));
            ssl.AuthenticateAsClient(Client);
            Assert.That(ssl.SslProtocol, Is.EqualTo(protocol));
            byte[] received = Exchange(ssl, bytes);
            ssl.ShutdownAsync().Wait();
            peer.EndOutput();
            return received;
        });

        Assert.That(answer.AsSpan().SequenceEqual(bytes));
        RunUntil(handler.Tasks[0]);
    }

    [Test]
    public void Client_TalksToABlockingServer([Values] bool configured)
    {
        (Connection connection, Peer peer) = Connect();
        byte[] bytes = Noise(Count);
        var serving = Task.Run(() =>
        {
            using var ssl = new SslStream(new NetworkStream(peer.Socket));
            ssl.AuthenticateAsServer(Server);
            byte[] received = Exchange(ssl, bytes);
            Assert.That(ssl.Read(new byte[1]), Is.Zero, "close_notify");
            peer.EndOutput();
            return received;
        });
        RunOnLoop(async () =>
        {
            await using (var ssl = new SslStream(connection.AsStream()))
            {
                await ssl.AuthenticateAsClientAsync(Client).ConfigureAwait(configured);
                VerifyThread();
                await Task.WhenAll(ReadAsync(ssl), WriteAsync(ssl)).ConfigureAwait(configured);
                VerifyThread();
                await ssl.ShutdownAsync().ConfigureAwait(configured);
                VerifyThread();
            }

            VerifyThread();
        });
        Assert.That(RunUntil(serving).AsSpan().SequenceEqual(bytes));

        async Task ReadAsync(SslStream ssl)
        {
            byte[] received = new byte[Count];
            await ssl.ReadExactlyAsync(received).ConfigureAwait(configured);
            VerifyThread();
            Assert.That(received.AsSpan().SequenceEqual(bytes));
        }

        async Task WriteAsync(SslStream ssl)
        {
            foreach (byte[] piece in bytes.Chunk(100_000))
            {
                await ssl.WriteAsync(piece).ConfigureAwait(configured);
                VerifyThread();
            }
        }
    }

    [Test]
    public void BothRoles_OnOneReactor([Values] bool configured)
    {
        var handler = new ServeHandler(connection => EchoAsync(connection, configured));
        using Listener listener = Reactor.Listen(AnyPort, handler);
        Connection client = RunUntil(Reactor.ConnectAsync(listener.LocalEndPoint));
        byte[] bytes = Noise(Count);
        RunOnLoop(async () =>
        {
            await using var ssl = new SslStream(client.AsStream());
            await ssl.AuthenticateAsClientAsync(Client).ConfigureAwait(configured);
            VerifyThread();
            var writing = ssl.WriteAsync(bytes).AsTask();
            byte[] received = new byte[Count];
            await ssl.ReadExactlyAsync(received).ConfigureAwait(configured);
            VerifyThread();
            await writing.ConfigureAwait(configured);
            VerifyThread();
            await ssl.ShutdownAsync().ConfigureAwait(configured);
            Assert.That(received.AsSpan().SequenceEqual(bytes));
        });
        RunUntil(handler.Tasks[0]);
    }

    [Test]
    public void Server_OnAThreadOfItsOwn_ServesABlockingClientOfItsOwn()
    {
        using var thread = new ReactorThread(Options());
        Task<Listener> listening = thread.Reactor.InvokeAsync(
            () => thread.Reactor.Listen(AnyPort, new ServeHandler(
                connection => EchoAsync(connection, configured: true))));
        using Listener listener = RunUntil(listening);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        using var ssl = new SslStream(new NetworkStream(peer.Socket));
        ssl.AuthenticateAsClient(Client);
        byte[] bytes = Noise(Count);

        Assert.That(Exchange(ssl, bytes).AsSpan().SequenceEqual(bytes));
    }

    // The blocking calls of SslStream run on a thread of the pool, and the stream takes them to the loop.
    [Test]
    public void BlockingClient_OverAStreamOfTheReactor()
    {
        var handler = new ServeHandler(connection => EchoAsync(connection, configured: false));
        using Listener listener = Reactor.Listen(AnyPort, handler);
        Connection client = RunUntil(Reactor.ConnectAsync(listener.LocalEndPoint));
        byte[] bytes = Noise(Count);
        byte[] answer = RunBeside(() =>
        {
            using var ssl = new SslStream(client.AsStream());
            ssl.AuthenticateAsClient(Client);
            return Exchange(ssl, bytes);
        });

        Assert.That(answer.AsSpan().SequenceEqual(bytes));
    }

    [Test]
    public void PeerThatDoesNotSpeakTls_FailsTheHandshake()
    {
        var handler = new ServeHandler(connection => EchoAsync(connection, configured: true));
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("GET / HTTP/1.1\r\nHost: reactor.test\r\n\r\n"u8);
        RunUntil(() => handler.IsClosed);

        Assert.That(handler.Tasks[0].Exception!.InnerException, Is.InstanceOf<AuthenticationException>());
        Assert.That(handler.CloseReasons[0].Kind, Is.EqualTo(CloseKind.HandlerFault));
    }

    [Test]
    public void ResetInTheMiddle_FailsTheReadWithAnIOException()
    {
        var handler = new ServeHandler(connection => EchoAsync(connection, configured: false));
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunBeside(() =>
        {
            var ssl = new SslStream(new NetworkStream(peer.Socket));
            ssl.AuthenticateAsClient(Client);
            Exchange(ssl, Noise(1_000));
            peer.Reset();
            return true;
        });
        RunUntil(() => handler.IsClosed);
        RunUntil(() => handler.Tasks[0].IsCompleted);

        Assert.That(handler.Tasks[0].Exception!.InnerException, Is.InstanceOf<IOException>());
        Assert.That(handler.CloseReasons[0].Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    /// <summary>Sends all while it receives as many.</summary>
    private static byte[] Exchange(SslStream ssl, byte[] bytes)
    {
        var sending = Task.Run(() => ssl.Write(bytes));
        byte[] received = new byte[bytes.Length];
        ssl.ReadExactly(received);
        sending.Wait();
        return received;
    }

    private async Task EchoAsync(Connection connection, bool configured)
    {
        var ssl = new SslStream(connection.AsStream());
        await ssl.AuthenticateAsServerAsync(Server).ConfigureAwait(configured);
        VerifyThread(connection);
        byte[] buffer = new byte[50_000];
        for (int count; (count = await ssl.ReadAsync(buffer).ConfigureAwait(configured)) > 0;)
        {
            VerifyThread(connection);
            await ssl.WriteAsync(buffer.AsMemory(0, count)).ConfigureAwait(configured);
            VerifyThread(connection);
        }

        await ssl.ShutdownAsync().ConfigureAwait(configured);
        VerifyThread(connection);
    }

    private void VerifyThread() => Assert.That(Reactor.IsReactorThread, "left the reactor's thread");

    private static void VerifyThread(Connection connection) =>
        Assert.That(connection.Reactor.IsReactorThread, "left the reactor's thread");
}

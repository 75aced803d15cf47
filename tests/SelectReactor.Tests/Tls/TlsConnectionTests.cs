using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Tls;

/// <summary>An open TLS connection against the framework's <see cref="SslStream"/>, in both roles.</summary>
[TestFixtureSource(nameof(Kinds))]
public sealed class TlsConnectionTests(SelectorKind selector, SslProtocols protocol) : TlsFixture(selector)
{
    public static IEnumerable<object[]> Kinds { get; } =
        SelectorKind.All.SelectMany(static kind => new object[][]
        {
            [kind, SslProtocols.Tls12],
            [kind, SslProtocols.Tls13],
        });

    [TestCase(1)]
    [TestCase(4_096)]
    [TestCase(16_384)]
    [TestCase(16_385)]
    [TestCase(3_000_000)]
    public void Server_EchoesWhatItGets(int count)
    {
        Handler.Readable = ScriptedHandler.Echo;
        (SslStream ssl, _) = Connect(Listen(), protocol);
        byte[] bytes = Noise(count);

        Assert.That(Exchange(ssl, bytes).AsSpan().SequenceEqual(bytes));
        Assert.That(Connection.Statistics, Is.EqualTo(
            new ConnectionStatistics { BytesReceived = count, BytesSent = count }));
    }

    // With unread input the system's close would be a reset.
    [Test]
    public void TheReactorsEnd_LeavesThePeerWhatTheSystemHasTaken([Values] bool isDisposed)
    {
        Handler.Connected = static connection => connection.PauseReading();
        (SslStream ssl, _) = Connect(Listen(), protocol);
        ssl.Write(new byte[30_000]);
        byte[] answer = Noise(200_000);
        Connection.TryWrite(answer);
        RunUntil(() => Connection.QueuedOutputBytes == 0, "the system takes the answer");

        if (isDisposed)
        {
            Reactor.Dispose();
        }
        else
        {
            RunUntil(Reactor.ShutdownAsync(TimeSpan.Zero));
        }

        Assert.That(ReadToEnd(ssl).AsSpan().SequenceEqual(answer));
    }

    [Test]
    public void Client_EchoesWhatItGets()
    {
        Handler.Readable = ScriptedHandler.Echo;
        using Socket listener = Peer.Listen();
        Task<Connection> attempt = Reactor.ConnectAsync(
            listener.LocalEndPoint!, Handler, new ConnectOptions { Tls = Client(protocol) });
        Reactor.RunOnce(TimeSpan.Zero);
        using var peer = Peer.Accept(listener);
        using var ssl = new SslStream(new NetworkStream(peer.Socket));
        RunBeside(() =>
        {
            ssl.AuthenticateAsServer(Certificates.ServerOptions);
            return true;
        });
        RunUntil(attempt);
        byte[] bytes = Noise(1_000_000);

        Assert.That(Exchange(ssl, bytes).AsSpan().SequenceEqual(bytes));
        Assert.That(Connection.GetFeature<ITlsFeature>()!.Protocol, Is.EqualTo(protocol));
    }

    [Test]
    public void ClientAndServer_OnOneReactor()
    {
        Handler.Readable = ScriptedHandler.Echo;
        Listener listener = Listen();
        byte[] bytes = Noise(500_000);
        byte[] received = new byte[bytes.Length];
        RunOnLoop(async () =>
        {
            await using Connection client = await Reactor.ConnectAsync(
                listener.LocalEndPoint, new ConnectOptions { Tls = Client(protocol) });
            Stream stream = client.AsStream();
            Task writing = stream.WriteAsync(bytes).AsTask();
            await stream.ReadExactlyAsync(received);
            await writing;
        });

        Assert.That(received.AsSpan().SequenceEqual(bytes));
        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.PeerClosed }));
    }

    [Test]
    public void Close_SendsEverything_ThenCloseNotify()
    {
        byte[] bytes = Noise(2_000_000);
        Handler.Connected = connection =>
        {
            connection.Output.Write(bytes);
            connection.Close();
        };
        (SslStream ssl, Peer peer) = Connect(
            Listen(connection: new ConnectionOptions { MaxOutputBytes = 4_000_000 }), protocol);
        byte[] received = RunBeside(() => ReadToEnd(ssl));
        Assert.That(received.AsSpan().SequenceEqual(bytes));

        ssl.ShutdownAsync().Wait();
        peer.EndOutput();
        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
    }

    [Test]
    public void CloseOutput_LeavesTheInputOpen()
    {
        Handler.Connected = static connection => connection.CloseOutput();
        (SslStream ssl, _) = Connect(Listen(), protocol);
        Assert.That(RunBeside(() => ReadToEnd(ssl)), Is.Empty);

        ssl.Write("still here"u8);
        RunUntil(() => Handler.Received.Count == 10, "input after the end of the output");
        Assert.That(Handler.IsClosed, Is.False);
    }

    // No end of the TCP stream follows that would wake the loop.
    [TestCase(3)]
    [TestCase(4_096)]
    public void CloseNotifyRightBehindData_IsNoticed(int count)
    {
        Handler.InputEnded = static _ => { };
        (SslStream ssl, _) = Connect(Listen(), protocol);
        ssl.Write(Noise(count));
        ssl.ShutdownAsync().Wait();
        RunUntil(() => Handler.Events.Contains(nameof(IConnectionHandler.OnInputEnded)), "the end");

        Assert.That(Handler.Received, Has.Count.EqualTo(count));
    }

    [Test]
    public void CloseNotifyOfThePeer_EndsTheInput_AndOutputGoesOn()
    {
        byte[] bytes = Noise(300_000);
        Handler.InputEnded = connection =>
        {
            connection.Output.Write(bytes);
            connection.Close();
        };
        (SslStream ssl, _) = Connect(Listen(), protocol);
        ssl.Write("request"u8);
        ssl.ShutdownAsync().Wait();
        byte[] received = RunBeside(() => ReadToEnd(ssl));

        Assert.That(received.AsSpan().SequenceEqual(bytes));
        Assert.That(Handler.Received, Has.Count.EqualTo(7));
        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.PeerClosed }));
    }

    [Test]
    public void EndOfStreamWithoutCloseNotify_IsReported()
    {
        (SslStream ssl, Peer peer) = Connect(Listen(), protocol);
        ssl.Write("request"u8);
        peer.EndOutput();

        CloseReason reason = RunUntilClosed();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.PeerClosed));
        Assert.That(reason.Error, Is.InstanceOf<EndOfStreamException>().With.Message.Contains("close_notify"));
        Assert.That(Handler.Received, Has.Count.EqualTo(7));
    }

    [Test]
    public void EndOfStreamInsideARecord_IsAnError()
    {
        (_, Peer peer) = Connect(Listen(), protocol);
        peer.Send([23, 3, 3, 0, 100, 1, 2, 3]);
        peer.EndOutput();

        CloseReason reason = RunUntilClosed();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(reason.Error, Is.InstanceOf<EndOfStreamException>().With.Message.Contains("within a TLS record"));
        Assert.That(Handler.Events, Does.Not.Contain(nameof(IConnectionHandler.OnReadable)));
    }

    [Test]
    public void ForgedRecord_IsAProtocolError()
    {
        (SslStream ssl, Peer peer) = Connect(Listen(), protocol);
        ssl.Write("good"u8);
        RunUntil(() => Handler.Received.Count == 4, "what comes before");
        byte[] forged = new byte[105];
        forged[0] = 23;
        forged[1] = forged[2] = 3;
        forged[4] = 100;
        peer.Send(forged);

        CloseReason reason = RunUntilClosed();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(reason.Error, Is.InstanceOf<IOException>().With.Message.Contains("TLS"));
    }

    [Test]
    public void Reset_IsAReset()
    {
        (_, Peer peer) = Connect(Listen(), protocol);
        peer.Reset();

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void Abort_ResetsThePeer()
    {
        (_, Peer peer) = Connect(Listen(), protocol);
        Connection.Abort();
        RunUntilClosed();

        Assert.That(() => peer.ReceiveToEnd(), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void SlowReader_GetsEverything()
    {
        byte[] bytes = Noise(4_000_000);
        int written = 0;
        void Write(Connection connection)
        {
            while (written < bytes.Length && connection.IsWritable)
            {
                int count = Math.Min(10_007, bytes.Length - written);
                connection.Output.Write(bytes.AsSpan(written, count));
                written += count;
            }

            if (written == bytes.Length)
            {
                connection.Close();
            }
        }

        Handler.Connected = Write;
        Handler.Writable = Write;
        (SslStream ssl, Peer peer) = Connect(
            Listen(connection: new ConnectionOptions { SendBufferBytes = 8192 }), protocol);
        RunUntilQuiet();
        Assert.That((written, Connection.QueuedOutputBytes), Is.Not.EqualTo((bytes.Length, 0L)));

        byte[] received = RunBeside(() => ReadToEnd(ssl));
        Assert.That(received.AsSpan().SequenceEqual(bytes));
        ssl.ShutdownAsync().Wait();
        peer.EndOutput();
        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
    }

    [Test]
    public void ManySmallPieces_ShareARecord()
    {
        (SslStream ssl, _) = Connect(Listen(), protocol);
        byte[] bytes = Noise(200_000);
        RunOnLoop(() =>
        {
            for (int i = 0; i < bytes.Length; i += 200)
            {
                Connection.Output.Write(bytes.AsSpan(i, 200));
            }
        });
        byte[] received = RunBeside(() =>
        {
            byte[] all = new byte[bytes.Length];
            ssl.ReadExactly(all);
            return all;
        });

        Assert.That(received.AsSpan().SequenceEqual(bytes));
    }

    [Test]
    public void UnsentBytes_AreCountedInPlaintext()
    {
        byte[] bytes = Noise(1_000_000);
        (_, Peer peer) = Connect(
            Listen(connection: new ConnectionOptions { SendBufferBytes = 8192, MaxOutputBytes = 4_000_000 }),
            protocol);
        RunOnLoop(() => Connection.Output.Write(bytes));
        RunUntilQuiet();
        RunOnLoop(() => Connection.Abort());
        CloseReason reason = RunUntilClosed();

        // What the peer's system has taken is at most what lies in its buffers.
        int taken = RunBeside(() => CountUntilReset(peer));
        Assert.That(bytes.Length - reason.UnsentBytes, Is.InRange(0, taken));
        Assert.That(reason.UnsentBytes, Is.GreaterThan(0));
    }

    // The closing alert may never arrive, but it is not the handler's output.
    [Test]
    public void UnsentBytes_DoNotCountTheClosingAlert()
    {
        Handler.Readable = ScriptedHandler.Echo;
        (SslStream ssl, Peer peer) = Connect(Listen(), protocol);
        Exchange(ssl, Noise(10));
        RunUntilQuiet();
        peer.Socket.Close();

        Assert.That(RunUntilClosed().UnsentBytes, Is.Zero);
    }

    [Test]
    public void IdleConnection_HoldsNoBuffer()
    {
        Handler.Readable = ScriptedHandler.Echo;
        (SslStream ssl, _) = Connect(Listen(), protocol);
        Exchange(ssl, Noise(100_000));
        RunUntilQuiet();

        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);
        Assert.That(TlsMemory.HeldBy(Connection), Is.Empty);
    }

    private static int CountUntilReset(Peer peer)
    {
        int count = 0;
        try
        {
            for (int now; (now = peer.Socket.Receive(new byte[65536])) > 0;)
            {
                count += now;
            }
        }
        catch (SocketException)
        {
            return count;
        }

        return count;
    }
}

using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Between our close and the peer's end of stream.</summary>
public sealed class LingerTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private static readonly ConnectionOptions _patient = new() { LingerTimeout = TimeSpan.FromMinutes(1) };

    [Test]
    public void BytesThatNobodyWillRead_AreNotKept()
    {
        Handler.Readable = ScriptedHandler.ExamineAll;
        Peer peer = Connect(_patient);
        peer.Send(new byte[1000]);
        RunUntil(() => Connection.Statistics.BytesReceived == 1000);
        Assert.That(Reactor.Buffers.Outstanding, Is.Positive);
        Connection.TryWrite("bye"u8);
        Connection.Close();
        RunSome();
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);

        peer.Send(new byte[1000]);
        RunUntil(() => Connection.Statistics.BytesReceived == 2000);

        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Closing));
    }

    [Test]
    public void AReadThatWaits_IsEndedByTheClose_AndNotOnlyByThePeer()
    {
        Connect(_patient);
        Task<ReadResult> read = Connection.Input.ReadAsync().AsTask();
        Connection.TryWrite("bye"u8);
        Connection.Close();

        Assert.That(() => RunUntil(read), Throws.InstanceOf<IOException>(), "not the clean end of the peer's stream");
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Closing));
    }

    [Test]
    public void ACloseWhileReadingIsPaused_StillHearsThePeersEnd()
    {
        Peer peer = Connect(_patient);
        Connection.PauseReading();
        RunSome();
        Connection.TryWrite("bye"u8);
        Connection.Close();
        peer.Send(new byte[100]);
        peer.EndOutput();

        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
        Assert.That(Handler.Events, Is.EqualTo(new[] { "OnConnected", "OnClosed" }));
    }

    [Test]
    public void AClosedConnection_IsLetGo_HoweverFarItsDeadlinesWere([Values] bool lingers)
    {
        WeakReference connection = ConnectAndEnd(lingers);
        RunSome();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.That(connection.IsAlive, Is.False);
    }

    [Test]
    public void APeerOverALimit_SeesAReset_ThoughAllItSentWasTaken()
    {
        Handler.Readable = ScriptedHandler.ExamineAll;
        Peer peer = Connect(new ConnectionOptions { MaxInputBytes = 1000 });
        peer.Send(new byte[1000]);
        RunUntil(() => Connection.Statistics.BytesReceived == 1000);
        peer.Send([1]);

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.LimitExceeded));
        Assert.That(peer.ReceiveToEnd, Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void ReadingAfterTheEnd_IsAnErrorWhereThisSideEndedIt([Values] bool cut)
    {
        Peer peer = Connect();
        if (cut)
        {
            Connection.Abort();
        }
        else
        {
            Connection.Close();
            peer.EndOutput();
        }

        RunUntilClosed();

        Assert.That(() => Connection.Input.TryRead(out _), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void ReadingAfterTheEnd_IsAnEndWhereThePeerEndedItsStream()
    {
        Handler.InputEnded = static connection => connection.CloseOutput();
        Peer peer = Connect();
        peer.EndOutput();
        RunUntilClosed();

        Assert.That(Connection.Input.TryRead(out ReadResult result) && result.IsCompleted);
    }

    [Test]
    public void ConnectionClosed_AskedForAfterTheEnd_IsCancelled()
    {
        Connect();
        Connection.Abort();
        RunUntilClosed();

        Assert.That(Connection.ConnectionClosed.IsCancellationRequested);
    }

    [Test]
    public void AConnectionThatHasSentNothing_WaitsForNobody([Values] bool peerSends)
    {
        Peer peer = Connect(_patient);
        Connection.PauseReading();
        RunSome();
        if (peerSends)
        {
            peer.Send(new byte[100_000]);
        }

        Connection.Close();

        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
        Assert.That(peer.ReceiveToEnd(), Is.Empty, "no reset, though not all was read");
    }

    [Test]
    public void MoreThanMayLinger_TheOldestEndsInGoodOrder([Values(1000, 200_000)] int bytes)
    {
        ReactorOptions options = Options();
        options.MaxLingeringConnections = 2;
        using var reactor = new Reactor(options);
        byte[] answer = new byte[bytes];
        new Random(1).NextBytes(answer);
        var handler = new ScriptedHandler { Readable = connection => Answer(connection, answer) };
        using Listener listener = reactor.Listen(
            AnyPort,
            handler,
            new ListenerOptions { Connection = new ConnectionOptions { SendBufferBytes = 1 << 20 } });
        Peer[] peers = [.. Enumerable.Range(0, 4).Select(_ => Peer.Connect(listener.LocalEndPoint))];
        foreach (Peer peer in peers)
        {
            int before = reactor.Lingering.Count;
            int closed = handler.CloseReasons.Count;
            peer.Send("?"u8);
            RunUntil(reactor, () => reactor.Lingering.Count + handler.CloseReasons.Count > before + closed);
        }

        Assert.That(handler.CloseReasons.Select(static reason => reason.Kind), Is.EqualTo(
            new[] { CloseKind.Local, CloseKind.Local }));
        Assert.That(reactor.ConnectionCount, Is.EqualTo(2));
        foreach (Peer peer in peers)
        {
            byte[] all = RunBeside(reactor, peer.ReceiveToEnd);
            Assert.That(all, Is.EqualTo(answer));
            peer.Dispose();
        }

        RunUntil(reactor, () => reactor.ConnectionCount == 0);
        Assert.That(reactor.Lingering.Count, Is.Zero);
    }

    [Test]
    public void AConnectionWithOutputInItsQueue_IsNotAmongThoseThatLinger()
    {
        Peer peer = Connect(new ConnectionOptions { LingerTimeout = TimeSpan.FromMinutes(1), SendBufferBytes = 1 });
        Connection.TryWrite(new byte[12_000_000]);
        Connection.Close();
        RunSome();
        Assert.That(Connection.QueuedOutputBytes, Is.Positive);
        Assert.That(Reactor.Lingering.TryFreeDescriptors(), Is.False);

        Assert.That(RunBeside(peer.ReceiveToEnd), Has.Length.EqualTo(12_000_000));
        RunUntil(() => Reactor.Lingering.Count == 1);
        Assert.That(Reactor.Lingering.TryFreeDescriptors());
        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.Local));
        Assert.That(Reactor.Lingering.TryFreeDescriptors(), Is.False);
    }

    private static void Answer(Connection connection, byte[] answer)
    {
        ScriptedHandler.ReadAll(connection);
        connection.TryWrite(answer);
        connection.Close();
    }

    private static T RunBeside<T>(Reactor reactor, Func<T> peerCode)
    {
        var task = Task.Run(peerCode);
        RunUntil(reactor, () => task.IsCompleted, "the peer");
        return task.Result;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference ConnectAndEnd(bool lingers)
    {
        var far = TimeSpan.FromHours(1);
        Peer peer = Connect(new ConnectionOptions { IdleTimeout = far, LingerTimeout = far });
        if (lingers)
        {
            Connection.Close();
            peer.EndOutput();
        }
        else
        {
            Connection.Abort();
        }

        RunUntilClosed();
        var connection = new WeakReference(Connection);
        Handler.Connections.Clear();
        return connection;
    }
}

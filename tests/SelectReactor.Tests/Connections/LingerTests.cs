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

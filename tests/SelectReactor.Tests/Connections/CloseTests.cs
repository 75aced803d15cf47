using System.Buffers;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

public sealed class CloseTests(SelectorKind selector) : ConnectionFixture(selector)
{
    [Test]
    public void HalfOpenPeer_ReceivesEverything_ThoughItEndedFirst()
    {
        byte[] bytes = new byte[5_000_000];
        new Random(1).NextBytes(bytes);
        Handler.Readable = ScriptedHandler.Echo;
        Peer peer = Connect();

        Assert.That(Exchange(peer, bytes).AsSpan().SequenceEqual(bytes));
        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.PeerClosed }));
        Assert.That(Handler.Events[^2..], Is.EqualTo(new[] { "OnInputEnded", "OnClosed" }));
    }

    [Test]
    public void Close_SendsEverythingBefore_AndThePeerSeesNoReset_ThoughItsBytesWereNotRead()
    {
        byte[] bytes = new byte[200_000];
        new Random(2).NextBytes(bytes);
        Handler.Readable = connection =>
        {
            connection.Output.Write(bytes);
            connection.Close();
            connection.Close();
        };
        Peer peer = Connect();
        peer.Send(new byte[100_000]);

        Assert.That(RunBeside(peer.ReceiveToEnd).AsSpan().SequenceEqual(bytes));
        peer.Dispose();
        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.Local));
        Assert.That(Handler.Events, Is.EqualTo(new[] { "OnConnected", "OnReadable", "OnClosed" }));
    }

    [Test]
    public void CloseOutput_EndsOneDirection_AndTheOtherGoesOn()
    {
        Peer peer = Connect();
        Connection.TryWrite("bye"u8);
        Connection.CloseOutput();
        Assert.That(Connection.TryWrite("late"u8), Is.False);
        Assert.That(RunBeside(peer.ReceiveToEnd), Is.EqualTo("bye"u8.ToArray()));

        peer.Send("still reading"u8);
        RunUntil(() => Handler.Received.Count == 13);
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Open));
        peer.EndOutput();
        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void HandlerThatStaysHalfOpen_CanStillSend_AndEndsWithItsOwnFin()
    {
        Handler.InputEnded = static _ => { };
        Peer peer = Connect();
        peer.EndOutput();
        RunUntil(() => Handler.Events.Contains("OnInputEnded"));
        RunSome();
        Assert.That(Connection.TryWrite("later"u8));
        Connection.CloseOutput();

        Assert.That(RunBeside(peer.ReceiveToEnd), Is.EqualTo("later"u8.ToArray()));
        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerClosed));
        Assert.That(Handler.Events.Count(static name => name == "OnInputEnded"), Is.EqualTo(1));
    }

    [Test]
    public void Reset_IsPeerReset_WithItsError()
    {
        Peer peer = Connect();
        peer.Reset();

        CloseReason reason = RunUntilClosed();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.PeerReset));
        Assert.That(((SocketException)reason.Error!).SocketErrorCode, Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(Handler.Events, Is.EqualTo(new[] { "OnConnected", "OnClosed" }));
    }

    [Test]
    public void DataThenReset_DeliversTheDataFirst([Values] bool writesMeanwhile)
    {
        Peer peer = Connect();
        peer.Send(new byte[30_000]);
        Assert.That(peer.Socket.Poll(0, SelectMode.SelectWrite));
        peer.Reset();
        if (writesMeanwhile)
        {
            Connection.TryWrite("into the void"u8);
        }

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerReset));
        Assert.That(Handler.Received, Has.Count.EqualTo(30_000));
        Assert.That(Handler.Events, Does.Not.Contain("OnInputEnded"));
    }

    [Test]
    public void ResetWithOutputQueued_TellsHowMuchWasNotSent()
    {
        Peer peer = Connect();
        Assert.That(Connection.TryWrite(new byte[15_000_000]));
        RunSome();
        long queued = Connection.QueuedOutputBytes;
        Assert.That(queued, Is.Positive);
        peer.Reset();

        CloseReason reason = RunUntilClosed();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.PeerReset));

        // Where the system tells, the bytes that it took and the peer did not acknowledge count too.
        Assert.That(reason.UnsentBytes, Is.InRange(1, 15_000_000));
    }

    [Test]
    public void ResetWhileReadingIsPaused_ShowsAfterResuming()
    {
        Peer peer = Connect();
        Connection.PauseReading();
        peer.Reset();
        RunSome();
        Assert.That(Handler.IsClosed, Is.False);

        Connection.ResumeReading();
        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void ResetWhileReadingIsPaused_IsNoticedByTheNextSend()
    {
        Peer peer = Connect();
        Connection.PauseReading();
        peer.Reset();
        RunSome();
        Connection.TryWrite("into the void"u8);
        RunSome();
        Assert.That((Handler.IsClosed, Handler.CloseReason.Kind), Is.EqualTo((true, CloseKind.PeerReset)));
    }

    [Test]
    public void Abort_CutsTheConnection_AndKeepsTheError()
    {
        var error = new InvalidDataException("nonsense");
        Peer peer = Connect();
        Connection.TryWrite("never sent"u8);
        Connection.Abort(error);
        Connection.Abort();
        Connection.Close();

        Assert.That(RunUntilClosed(), Is.EqualTo(
            new CloseReason { Kind = CloseKind.Aborted, Error = error, UnsentBytes = 10 }));
        Assert.That(peer.ReceiveToEnd, Throws.TypeOf<SocketException>()
            .With.Property(nameof(SocketException.SocketErrorCode)).EqualTo(SocketError.ConnectionReset));
    }

    [TestCase(nameof(IConnectionHandler.OnConnected))]
    [TestCase(nameof(IConnectionHandler.OnReadable))]
    [TestCase(nameof(IConnectionHandler.OnWritable))]
    [TestCase(nameof(IConnectionHandler.OnInputEnded))]
    [TestCase(nameof(IConnectionHandler.OnClosed))]
    public void HandlerThatThrows_LosesThatConnectionOnly(string callback)
    {
        var error = new InvalidDataException("handler");
        Peer other = Connect();
        var faulty = new Mock<IConnectionHandler> { CallBase = true };
        faulty.Setup(static handler => handler.OnReadable(It.IsAny<Connection>()))
            .Callback<Connection>(static connection => ScriptedHandler.ReadAll(connection));
        faulty.Setup(static handler => handler.OnConnected(It.IsAny<Connection>()))
            .Callback<Connection>(static connection => connection.TryWrite(new byte[8_000_000]));
        Throw(faulty, callback, error);
        CloseReason? reason = null;
        int closed = 0;
        using Listener listener = Reactor.Listen(AnyPort, connection =>
        {
            connection.Completion.ContinueWith(task => reason = task.Result, TaskScheduler.Default);
            return faulty.Object;
        });
        using var peer = Peer.Connect(listener.LocalEndPoint);
        var reading = Task.Run(() =>
        {
            try
            {
                peer.Send("x"u8);
                peer.EndOutput();
                peer.ReceiveToEnd();
            }
            catch (SocketException)
            {
                closed++;
            }
        });
        RunUntil(() => reason is not null && reading.IsCompleted, "the faulty connection ends");

        faulty.Verify(static handler => handler.OnClosed(It.IsAny<Connection>(), It.IsAny<CloseReason>()), Times.Once);
        if (callback != nameof(IConnectionHandler.OnClosed))
        {
            Assert.That(
                (reason!.Value.Kind, reason.Value.Error), Is.EqualTo((CloseKind.HandlerFault, (Exception)error)));
            Assert.That(closed, Is.EqualTo(1), "the peer sees a reset");
        }

        other.Send("alive"u8);
        RunUntil(() => Handler.Received.Count == 5, "the other connection is served");
    }

    [Test]
    public void PeerThatHasAllAndNeverEnds_SeesAnOrderlyEnd_AndNoReset_AtTheLingerTimeout()
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        var handler = new ScriptedHandler { Connected = static connection => Answer(connection) };
        var options = new ConnectionOptions { LingerTimeout = TimeSpan.FromSeconds(5) };
        using Listener listener = reactor.Listen(AnyPort, handler, new ListenerOptions { Connection = options });
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => peer.Socket.Poll(0, SelectMode.SelectRead), "FIN");
        time.Advance(TimeSpan.FromSeconds(4.9));
        reactor.RunOnce(TimeSpan.Zero);
        Assert.That(handler.IsClosed, Is.False);
        Assert.That(handler.Connection.State, Is.EqualTo(ConnectionState.Closing));

        // That the peer has taken all is seen only now, and counts as progress.
        time.Advance(TimeSpan.FromSeconds(0.1));
        reactor.RunOnce(TimeSpan.Zero);
        time.Advance(TimeSpan.FromSeconds(5));
        RunUntil(reactor, () => handler.IsClosed);
        Assert.That(handler.CloseReason, Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
        Assert.That(peer.ReceiveToEnd(), Is.EqualTo("bye"u8.ToArray()));
    }

    [Test]
    public void LingerTimeoutZero_ClosesOnceEverythingIsSent()
    {
        Peer peer = Connect(new ConnectionOptions { LingerTimeout = TimeSpan.Zero });
        Connection.TryWrite("all"u8);
        Connection.Close();

        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
        Assert.That(peer.ReceiveToEnd(), Is.EqualTo("all"u8.ToArray()));
    }

    [Test]
    public void LingerTimeoutZero_WaitsForTheQueue_HoweverLongItIs()
    {
        byte[] bytes = new byte[12_000_000];
        new Random(7).NextBytes(bytes);
        Peer peer = Connect(new ConnectionOptions { LingerTimeout = TimeSpan.Zero });
        Assert.That(Connection.TryWrite(bytes));
        Connection.Close();
        RunSome();

        Assert.That(RunBeside(peer.ReceiveToEnd).AsSpan().SequenceEqual(bytes));
        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
    }

    private static void Answer(Connection connection)
    {
        connection.TryWrite("bye"u8);
        connection.Close();
    }

    private static void Throw(Mock<IConnectionHandler> handler, string callback, Exception error)
    {
        switch (callback)
        {
            case nameof(IConnectionHandler.OnConnected):
                handler.Setup(static h => h.OnConnected(It.IsAny<Connection>())).Throws(error);
                break;
            case nameof(IConnectionHandler.OnReadable):
                handler.Setup(static h => h.OnReadable(It.IsAny<Connection>())).Throws(error);
                break;
            case nameof(IConnectionHandler.OnWritable):
                handler.Setup(static h => h.OnWritable(It.IsAny<Connection>())).Throws(error);
                handler.Setup(static h => h.OnInputEnded(It.IsAny<Connection>()));
                break;
            case nameof(IConnectionHandler.OnInputEnded):
                handler.Setup(static h => h.OnInputEnded(It.IsAny<Connection>())).Throws(error);
                break;
            default:
                handler.Setup(static h => h.OnClosed(It.IsAny<Connection>(), It.IsAny<CloseReason>())).Throws(error);
                break;
        }
    }
}

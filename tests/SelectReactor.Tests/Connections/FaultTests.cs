using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Faults that meet each other: what a review of the whole found.</summary>
public sealed class FaultTests(SelectorKind selector) : ConnectionFixture(selector)
{
    [Test]
    public void FactoryThatWritesAndThrows_HarmsNobody()
    {
        bool fails = true;
        using Listener listener = Reactor.Listen(AnyPort, connection =>
        {
            connection.Output.Write("hello"u8);
            connection.Output.GetSpan();
            return fails ? throw new InvalidDataException("factory") : Handler;
        });
        using var refused = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => refused.Socket.Poll(0, SelectMode.SelectRead));
        Assert.That(refused.ReceiveToEnd, Throws.InstanceOf<SocketException>());
        RunSome();
        Assert.That(listener.ConnectionCount, Is.Zero);
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);

        fails = false;
        using var served = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => served.Socket.Available == 5);
    }

    [Test]
    public void ServeAsyncThatReturnsNull_IsAFault_AndIsNamed()
    {
        Connection? served = null;
        using Listener listener = Reactor.Listen(AnyPort, connection =>
        {
            served = connection;
            return new TasklessHandler();
        });
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => served is { Completion.IsCompleted: true });

        CloseReason reason = served!.Completion.GetAwaiter().GetResult();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.HandlerFault));
        Assert.That(reason.Error!.Message, Is.EqualTo("ServeAsync returned null, not a task."));
    }

    [Test]
    public void FactoryMayPauseReading_AndMayCloseTheConnection()
    {
        Connection? closed = null;
        using Listener pausing = Reactor.Listen(AnyPort, connection =>
        {
            connection.PauseReading();
            return Handler;
        });
        using Listener closing = Reactor.Listen(AnyPort, connection =>
        {
            closed = connection;
            connection.Abort();
            return Handler;
        });
        using var peer = Peer.Connect(pausing.LocalEndPoint);
        peer.Send("x"u8);
        RunUntil(() => Handler.IsConnected);
        RunSome();
        Assert.That(Handler.Received, Is.Empty);
        Connection.ResumeReading();
        RunUntil(() => Handler.Received.Count == 1);

        using var other = Peer.Connect(closing.LocalEndPoint);
        RunUntil(() => closed is { State: ConnectionState.Closed });
        Assert.That(Handler.Connections, Has.Count.EqualTo(1), "no callback for a connection that never opened");
    }

    [Test]
    public void DataBeforeAReset_IsOfferedToItsEnd_OnePieceAtATime()
    {
        int pieces = 0;
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                SequencePosition next = result.Buffer.GetPosition(1);
                connection.Input.AdvanceTo(next, next);
                pieces++;
            }
        };
        Peer peer = Connect();
        peer.Send("0123456789"u8);
        peer.Reset();

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerReset));
        Assert.That(pieces, Is.EqualTo(10));
    }

    [Test]
    public void CloseThatCouldNotSendEverything_TellsWhy()
    {
        Peer peer = Connect();
        Connection.TryWrite(new byte[12 << 20]);
        Connection.Close();
        RunSome();
        peer.Reset();

        CloseReason reason = RunUntilClosed();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.Local));
        Assert.That(reason.UnsentBytes, Is.Positive);
        Assert.That(reason.Error, Is.InstanceOf<SocketException>());
    }

    [Test]
    public void CloseTowardsAPeerThatNeverReads_IsBounded()
    {
        Connect(new ConnectionOptions { LingerTimeout = TimeSpan.FromMilliseconds(100) });
        Connection.TryWrite(new byte[12 << 20]);
        Connection.Close();

        CloseReason reason = RunUntilClosed();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.Local));
        Assert.That(reason.UnsentBytes, Is.Positive);
        Assert.That(reason.Error, Is.InstanceOf<TimeoutException>());
    }

    [Test]
    public void LentMemory_IsNeverAnothersOutput()
    {
        Connect();
        Memory<byte> lent = Connection.Output.GetMemory(100);
        Connection.TryWrite("abc"u8);
        RunSome();
        Peer other = Connect();
        Connection.TryWrite(new byte[100]);
        lent.Span[..100].Fill(0xEE);
        RunSome();

        Assert.That(other.Receive(100), Has.None.EqualTo((byte)0xEE));
    }

    [Test]
    public void EndOfStreamAtTheInputLimit_IsAnEndOfStream()
    {
        Handler.Readable = ScriptedHandler.ExamineAll;
        Peer peer = Connect(new ConnectionOptions { MaxInputBytes = 1000 });
        peer.Send(new byte[1000]);
        RunSome();
        peer.EndOutput();

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void LaggingReader_IsPausedAndNotCut_WhereTheLimitIsBelowTheThreshold()
    {
        Handler.Readable = static _ => { };
        Peer peer = Connect(new ConnectionOptions { MaxInputBytes = 1000 });
        peer.Send(new byte[5000]);
        RunSome();
        peer.Send(new byte[5000]);
        RunSome();

        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void SocketClosedBehindAFailedSend_DoesNotHoldTheClose()
    {
        Connect();
        var handle = (Handle)Reactor.Clients[0].GetType()
            .GetField("_handle", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!
            .GetValue(Reactor.Clients[0])!;
        handle.Socket!.Dispose();
        Connection.TryWrite("x"u8);
        Reactor.RunOnce(TimeSpan.Zero);
        Connection.Close();

        RunUntilClosed();
    }

    private sealed class TasklessHandler : AsyncConnectionHandler
    {
        protected override Task ServeAsync(Connection connection, CancellationToken closed) => null!;
    }
}

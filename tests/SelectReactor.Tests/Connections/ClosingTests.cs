using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>What others still do to a connection that is being closed, and which reason it ends with.</summary>
public sealed class ClosingTests(SelectorKind selector) : ConnectionFixture(selector)
{
    [Test]
    public void CloseBesideAHandlerThatWaitsInAFlush_LosesNothingWrittenBefore(
        [Values] bool writesOn, [Values] bool throws)
    {
        byte[] bytes = new byte[3_800_000];
        new Random(4).NextBytes(bytes);
        FlushResult? flush = null;
        var handler = new Serving(async connection =>
        {
            connection.Output.Write(bytes);
            flush = await connection.Output.FlushAsync();
            if (writesOn)
            {
                await connection.Output.WriteAsync(new byte[100]);
            }

            if (throws)
            {
                throw new InvalidDataException("too late to matter");
            }
        });
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.Connection is { QueuedOutputBytes: > 0 });

        handler.Connection!.Close();

        Assert.That(RunBeside(peer.ReceiveToEnd).AsSpan().SequenceEqual(bytes));
        Assert.That(flush!.Value.IsCompleted, "the writer is told");
        peer.Dispose();
        RunUntil(() => handler.Connection.State == ConnectionState.Closed);
        Assert.That(handler.Connection.Completion.Result, Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
    }

    [TestCase(typeof(IOException), LogLevel.Debug, 26)]
    [TestCase(typeof(OperationCanceledException), LogLevel.Debug, 26)]
    [TestCase(typeof(ObjectDisposedException), LogLevel.Debug, 26)]
    [TestCase(typeof(NullReferenceException), LogLevel.Error, 33)]
    public void AFaultWhileClosing_ChangesNothing_AndIsLogged(Type type, LogLevel level, int id)
    {
        object?[] arguments = type == typeof(ObjectDisposedException) ? ["after the close"] : [];
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        var handler = new ScriptedHandler
        {
            Readable = connection =>
            {
                connection.Close();
                throw (Exception)Activator.CreateInstance(type, arguments)!;
            },
        };
        using Listener listener = reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("x"u8);
        peer.EndOutput();
        RunUntil(reactor, () => handler.IsClosed);

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.Local));
        Assert.That(logger.Entries.Count(entry => entry.Exception?.GetType() == type), Is.EqualTo(1));
        Assert.That(logger.Entries.Count(entry => entry.Level == level && entry.Id == id), Is.EqualTo(1));
    }

    [Test]
    public void WritingToAnotherConnectionThatCloses_DoesNotHarmTheWriter([Values] bool flushes)
    {
        Connect();
        Connection closing = Connection;
        Peer writer = Connect();
        Handler.Readable = connection =>
        {
            ScriptedHandler.ReadAll(connection);
            closing.Output.Write("news"u8);
            if (flushes)
            {
                Assert.That(closing.Output.FlushAsync().AsTask().Result.IsCompleted);
            }

            connection.Output.Write("done"u8);
        };
        closing.TryWrite(new byte[8_000_000]);
        closing.Close();

        writer.Send("go"u8);

        RunUntil(() => writer.Socket.Available == 4);
        Assert.That(Handler.CloseReasons, Is.Empty);
    }

    [Test]
    public void AResetSeenWhileInputIsStillOffered_IsTheReason_ThoughTheHandlerCloses()
    {
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                bool isFirst = result.Buffer.Length == 3;
                SequencePosition next = result.Buffer.GetPosition(1);
                connection.Input.AdvanceTo(next, next);
                if (isFirst)
                {
                    connection.Close();
                }
            }
        };
        Peer peer = Connect();
        peer.Send("0123456789"u8);
        peer.Reset();

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void AResetThatEndsAFlush_IsTheReason_ThoughTheHandlerReturns()
    {
        var handler = new Serving(static async connection =>
        {
            while (!(await connection.Output.WriteAsync(new byte[100_000])).IsCompleted)
            {
            }
        });
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.Connection is { QueuedOutputBytes: > 0 });
        peer.Reset();
        RunUntil(() => handler.Connection!.State == ConnectionState.Closed);

        Assert.That(handler.Connection!.Completion.Result.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void AResetWithOutputUnderWay_IsNeverAnOrderlyEnd()
    {
        Handler.Connected = static connection => connection.TryWrite(new byte[8_000_000]);
        for (int round = 1; round <= 200; round++)
        {
            Peer peer = Connect();
            peer.Receive(1);
            peer.Reset();
            RunUntil(() => Handler.CloseReasons.Count == round);

            Assert.That(Handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerReset), $"round {round}");
        }

        Assert.That(Handler.Events, Does.Not.Contain("OnInputEnded"));
    }

    [Test]
    public void InputLeftUnread_WhenBothDirectionsHaveEnded_DoesNotHoldTheConnection()
    {
        Handler.Readable = ScriptedHandler.ExamineAll;
        Handler.InputEnded = static connection => connection.CloseOutput();
        Peer peer = Connect(new ConnectionOptions { LingerTimeout = TimeSpan.FromMilliseconds(50) });
        peer.Send("half a li"u8);
        peer.EndOutput();

        CloseReason reason = RunUntilClosed();
        Assert.That((reason.Kind, reason.Error is TimeoutException), Is.EqualTo((CloseKind.PeerClosed, true)));
        Assert.That(
            () => Connection.Input.TryRead(out _),
            Throws.InstanceOf<IOException>(),
            "not the clean end of what was read");
    }

    [Test]
    public void AHandlerSetAfterThePeersEnd_IsToldOfIt()
    {
        var next = new ScriptedHandler();
        Handler.InputEnded = static _ => { };
        Peer peer = Connect();
        peer.EndOutput();
        RunUntil(() => Handler.Events.Contains("OnInputEnded"));
        Connection.Handler = next;
        RunUntil(() => next.IsClosed);

        Assert.That(next.Events, Is.EqualTo(new[] { "OnInputEnded", "OnClosed" }));
    }

    [Test]
    public void AReaderThatForgetsTheEnd_LosesItsConnection_AndStopsNobodyElse()
    {
        var handler = new Serving(static async connection =>
        {
            while (true)
            {
#pragma warning disable SR0004 // What the test is about.
                ReadResult result = await connection.Input.ReadAsync();
#pragma warning restore SR0004
                connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        });
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        Peer other = Connect();
        peer.Send("half a li"u8);
        peer.EndOutput();
        RunUntil(() => handler.Connection is { State: ConnectionState.Closed });

        Assert.That(handler.Connection!.Completion.Result.Error, Is.InstanceOf<InvalidOperationException>());
        other.Send("alive"u8);
        RunUntil(() => Handler.Received.Count == 5);
    }

    [Test]
    public void ARefusedWrite_IsFollowedByOnWritable_AlsoWhereTheMarkIsAboveTheLimit()
    {
        Peer peer = Connect(new ConnectionOptions { MaxOutputBytes = 1000, OutputHighWaterMark = 65_536 });
        Assert.That(Connection.TryWrite(new byte[600]));
        Assert.That(Connection.TryWrite(new byte[600]), Is.False);
        RunUntil(() => Handler.Events.Contains("OnWritable"));

        Assert.That(Connection.TryWrite(new byte[600]));
        Assert.That(peer.Receive(600), Has.Length.EqualTo(600));
    }
}

using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

/// <summary>One end does not read for a while.</summary>
public sealed class TestConnectionPressureTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Test]
    public void PeerThatDoesNotRead_HoldsTheHandlerBack_UntilItReads()
    {
        const int Systems = 128 * 1024;
        const int Written = 300_000;
        var script = new Script { Readable = static connection => connection.TryWrite(new byte[Written]) };
        using var connection = new TestConnection(script);
        connection.PeerReads = false;
        connection.Receive("x"u8);
        Assert.That(connection.TakeSent(), Is.Empty);
        Assert.That(connection.Connection.IsWritable, Is.False);
        Assert.That(connection.Connection.QueuedOutputBytes, Is.EqualTo(Written - Systems));

        connection.PeerReads = true;
        Assert.That(connection.TakeSent(), Has.Length.EqualTo(Written));
        Assert.That(script.Events, Is.EqualTo(["connected", "readable", "writable"]));
    }

    // The rest stays below the pause threshold, or above it.
    [Test]
    public void HandlerThatStopsWhileTheOutputIsFull_IsOfferedTheRest_WhenThereIsRoom(
        [Values(2_000, 30_000)] int messages, [Values] bool pausesReading)
    {
        const int Answer = 100;
        var script = new Script { Readable = AnswerWhileWritable };
        using var connection = new TestConnection(
            script, new ConnectionOptions { PauseReadingWhenOutputIsFull = pausesReading });
        connection.PeerReads = false;
        connection.Receive(new byte[messages * 4]);
        Assert.That(connection.Connection.QueuedOutputBytes, Is.LessThan(80_000));

        connection.PeerReads = true;
        Assert.That(connection.TakeSent(), Has.Length.EqualTo(messages * Answer));

        static void AnswerWhileWritable(Connection connection)
        {
            if (!connection.Input.TryRead(out ReadResult result))
            {
                return;
            }

            ReadOnlySequence<byte> rest = result.Buffer;
            while (connection.IsWritable && rest.Length >= 4)
            {
                rest = rest.Slice(4);
                connection.Output.Write(new byte[Answer]);
            }

            connection.Input.AdvanceTo(rest.Start, connection.IsWritable ? rest.End : rest.Start);
        }
    }

    [Test]
    public void PeerThatReadsNothing_IsGivenUp_InTime()
    {
        var options = new ConnectionOptions { WriteProgressTimeout = 10 * _second };
        using var connection = new TestConnection(new Script(), options);
        connection.PeerReads = false;
        connection.Connection.TryWrite(new byte[300_000]);
        connection.Advance(9.9 * _second);
        Assert.That(connection.IsClosed, Is.False);

        connection.Advance(10.1 * _second);
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.TimedOut));
        Assert.That(connection.CloseReason!.Value.UnsentBytes, Is.Positive);
    }

    [Test]
    public void PeerThatDoesNotRead_DoesNotAnswerAClose()
    {
        var script = new Script
        {
            Readable = static connection =>
            {
                connection.TryWrite("bye"u8);
                connection.Close();
            },
        };
        using var connection = new TestConnection(script);
        connection.PeerReads = false;
        connection.Receive("x"u8);
        connection.Advance(29.9 * _second);
        Assert.That(connection.IsClosed || connection.IsOutputEnded, Is.False);

        // That the systems have taken the bytes is seen after that time, and counts as progress.
        connection.Advance(31 * _second);
        Assert.That(script.Events, Is.EqualTo(["connected", "readable", "closed Local"]));
    }

    [Test]
    public void PauseReading_HoldsTheInputBack_AndThePiecesJoin()
    {
        var script = new Script { Connected = static connection => connection.PauseReading() };
        using var connection = new TestConnection(script);
        connection.ReceiveInPieces("abc"u8, 1);
        connection.EndInput();
        Assert.That(script.Events, Is.EqualTo(["connected"]));

        connection.Connection.ResumeReading();
        connection.Run();
        Assert.That(script.Events, Is.EqualTo(["connected", "read abc", "ended", "closed PeerClosed"]));
    }

    [Test]
    public void PauseReading_HoldsBackMoreThanTheSystemsTake()
    {
        byte[] bytes = new byte[1_000_000];
        var received = 0;
        var script = new Script { Readable = connection => received += Script.ReadText(connection).Length };
        using var connection = new TestConnection(script);
        connection.Connection.PauseReading();
        connection.Receive(bytes);
        connection.EndInput();
        Assert.That(received, Is.Zero);

        connection.Connection.ResumeReading();
        connection.Run();
        Assert.That(received, Is.EqualTo(bytes.Length));
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void AsyncHandler_WaitsInItsWrite_UntilThePeerReads()
    {
        var source = new Source(count: 50);
        using var connection = new TestConnection(source);
        connection.PeerReads = false;
        connection.Receive("go"u8);
        Assert.That(source.Written, Is.InRange(1, 49));

        connection.PeerReads = true;
        Assert.That(source.Written, Is.EqualTo(50));
        Assert.That(connection.TakeSent(), Has.Length.EqualTo(50 * Source.Size));
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.Local));
    }

    private sealed class Source(int count) : AsyncConnectionHandler
    {
        public const int Size = 10_000;

        public int Written { get; private set; }

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            await connection.Input.ReadAsync();
            for (; Written < count; Written++)
            {
                await connection.Output.WriteAsync(new byte[Size]);
            }
        }
    }
}

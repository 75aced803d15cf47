using System.Buffers;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Ends with a reason of the protocol, writes of sequences, the socket, and the messages of a
/// connection.</summary>
public sealed class ProtocolCloseTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private static readonly ConnectionOptions _tiny =
        new() { MaxOutputBytes = 10, OutputHighWaterMark = 10, OutputLowWaterMark = 1 };

    private static readonly CloseKind[] _kinds =
        [CloseKind.ProtocolError, CloseKind.TimedOut, CloseKind.LimitExceeded];

    private static readonly CloseKind[] _otherKinds = [.. Enum.GetValues<CloseKind>().Except(_kinds), (CloseKind)99];

    [TestCaseSource(nameof(_kinds))]
    public void AClose_SendsWhatWasWritten_AndTellsTheReason(CloseKind kind)
    {
        var error = new InvalidDataException("bad frame");
        Peer peer = Connect();
        Connection.TryWrite("500 bad frame"u8);
        Connection.Close(kind, error);
        Connection.Close();

        Assert.That(RunBeside(peer.ReceiveToEnd), Has.Length.EqualTo(13));
        peer.EndOutput();
        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = kind, Error = error }));
    }

    [TestCaseSource(nameof(_kinds))]
    public void AClose_AfterThePeersEnd_TellsTheReasonToo(CloseKind kind)
    {
        Handler.InputEnded = connection => connection.Close(kind, null);
        Connect().EndOutput();

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(kind));
    }

    [TestCaseSource(nameof(_kinds))]
    public void AnAbort_CutsAndTellsTheReason(CloseKind kind)
    {
        var error = new InvalidDataException("bad frame");
        Peer peer = Connect();
        Connection.Abort(kind, error);
        CloseReason reason = RunUntilClosed();

        Assert.That((reason.Kind, reason.Error), Is.EqualTo((kind, error)));
        SocketException? reset = RunBeside(() => Assert.Throws<SocketException>(() => peer.Receive(1)));
        Assert.That(reset?.SocketErrorCode, Is.EqualTo(SocketError.ConnectionReset));
    }

    [TestCaseSource(nameof(_otherKinds))]
    public void OtherKinds_AreRefused(CloseKind kind)
    {
        Connect();
        Assert.Throws<ArgumentOutOfRangeException>(() => Connection.Close(kind, null));
        Assert.Throws<ArgumentOutOfRangeException>(() => Connection.Abort(kind, null));
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void TheFirstReason_Counts()
    {
        Connect();
        Connection.Close(CloseKind.ProtocolError, null);
        Connection.Abort(CloseKind.TimedOut, null);

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.ProtocolError));
    }

    [Test]
    public void ASequence_IsWrittenWholeOrNotAtAll()
    {
        Peer peer = Connect(_tiny);
        ReadOnlySequence<byte> six = Sequence("abc", "def");

        Assert.That(Connection.TryWrite(six), Is.True);
        Assert.That(Connection.TryWrite(six), Is.False);
        Assert.That(Connection.TryWrite(ReadOnlySequence<byte>.Empty), Is.True);
        Assert.That(Connection.QueuedOutputBytes, Is.EqualTo(6));
        Assert.That(RunBeside(() => peer.Receive(6)), Is.EqualTo("abcdef"u8.ToArray()));
    }

    [Test]
    public void ARefusedSequence_IsFollowedByOnWritable()
    {
        Connect(_tiny);
        Connection.TryWrite("1234567"u8);
        Assert.That(Connection.TryWrite(Sequence("abc", "def")), Is.False);

        RunUntil(() => Handler.Events.Contains("OnWritable"));
    }

    [Test]
    public void Append_QueuesAllSegments()
    {
        Peer peer = Connect();
        Connection.Append(Sequence("one ", "two ", "three"));

        Assert.That(RunBeside(() => peer.Receive(13)), Is.EqualTo("one two three"u8.ToArray()));
    }

    [Test]
    public void TheSocket_IsAFeature()
    {
        Peer peer = Connect();

        Socket? socket = Connection.GetFeature<Socket>();
        Assert.That(socket?.RemoteEndPoint, Is.EqualTo(peer.Socket.LocalEndPoint));
        Assert.That(Connection.GetFeature<Stream>(), Is.Null);
        Assert.That(Connection.GetFeature<object>(), Is.Null);
        Assert.That(Connection.GetFeature<IDisposable>(), Is.Null);
    }

    [Test]
    public void EachStepOfAConnection_IsLoggedAtDebug()
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        var error = new IOException("why");
        var handler = new ScriptedHandler { InputEnded = connection => connection.Abort(error) };
        using Listener listener = reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => handler.IsConnected);
        handler.Connection.PauseReading();
        handler.Connection.ResumeReading();
        handler.Connection.CloseOutput();
        peer.EndOutput();
        RunUntil(reactor, () => handler.IsClosed);

        long id = handler.Connection.Id;
        var ofConnection = logger.Entries.Where(static entry => entry.Id is > 20 and < 40).ToList();
        Assert.That(ofConnection.All(static entry => entry.Level == LogLevel.Debug));
        Assert.That(ofConnection[^1].Exception, Is.SameAs(error));
        Assert.That(ofConnection.Select(static entry => entry.Message), Is.EqualTo(new[]
        {
            $"Connection {id} pauses reading: User.",
            $"Connection {id} resumes reading.",
            $"Connection {id} ended its output (FIN).",
            $"The peer of connection {id} ended its stream (FIN).",
            $"Connection {id} is cut (RST).",
            $"Connection {id} closed: Aborted, 0 bytes unsent.",
        }));
    }

    private static ReadOnlySequence<byte> Sequence(params string[] parts)
    {
        Segment first = new(parts[0], null), last = first;
        foreach (string part in parts[1..])
        {
            last = new Segment(part, last);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(string text, Segment? previous)
        {
            Memory = System.Text.Encoding.ASCII.GetBytes(text);
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}

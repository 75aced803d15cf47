using System.Buffers;
using SelectReactor.Testing;

namespace SelectReactor.Tests.Framing;

/// <summary>Large messages, many messages, and peers that do not read: memory and turns of a handler of
/// messages.</summary>
public sealed class MessageFlowTests
{
    private const int Size = 200_000;

    [Test]
    public void AMessageLargerThanThePauseThreshold_ComesThrough()
    {
        var handler = new Frames(new LengthPrefixDecoder(LengthField.UInt32BigEndian, Size));
        using var connection = new TestConnection(handler, new ConnectionOptions { InputPauseThreshold = 1000 });
        connection.Receive(Framed(new byte[Size]));
        connection.Receive(Framed(new byte[7]));

        Assert.That(handler.Lengths, Is.EqualTo(new[] { Size, 7 }));
    }

    [Test]
    public void AMessageLargerThanMaxInputBytes_IsRefusedByItsPrefix_AndTheOptionIsNamed()
    {
        var handler = new Frames(new LengthPrefixDecoder(LengthField.UInt32BigEndian, Size));
        using var connection = new TestConnection(handler, new ConnectionOptions { MaxInputBytes = Size });
        connection.Receive(Framed(new byte[Size - 4]));
        Assert.That(handler.Lengths, Is.EqualTo(new[] { Size - 4 }), "as large as the limit");
        connection.Receive(Framed(new byte[Size - 3]).AsSpan(0, 4));

        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.LimitExceeded));
        Assert.That(
            connection.CloseReason?.Error?.Message,
            Is.EqualTo("A message of 200001 bytes is longer than ConnectionOptions.MaxInputBytes, 200000 bytes."));
        Assert.That(connection.TakeSentText(), Is.EqualTo(connection.CloseReason?.Error?.Message));
    }

    [Test]
    public void AMessageOfUnknownLength_IsRefusedAtMaxInputBytes_WithAWord()
    {
        var handler = new Frames(new LineDecoder(Size));
        using var connection = new TestConnection(handler, new ConnectionOptions { MaxInputBytes = 1000 });
        connection.Receive(new byte[999]);
        Assert.That(connection.IsClosed, Is.False);
        connection.Receive(new byte[1]);

        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.LimitExceeded));
        Assert.That(
            connection.TakeSentText(),
            Is.EqualTo("A message is longer than ConnectionOptions.MaxInputBytes, 1000 bytes."));
    }

    [TestCase("8000000000000000")]
    [TestCase("ffffffffffffffff")]
    public void AFrameBomb_IsRefusedBeforeMemoryIsTaken(string prefix)
    {
        var handler = new Frames(new LengthPrefixDecoder(LengthField.UInt64BigEndian, int.MaxValue));
        using var connection = new TestConnection(
            handler, new ConnectionOptions { MaxInputBytes = int.MaxValue, LingerTimeout = TimeSpan.FromDays(1) });
        connection.Receive(Convert.FromHexString(prefix));

        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.LimitExceeded));
        Assert.That(connection.Connection.Reactor.Buffers.Outstanding, Is.Zero);
    }

    // With answers far longer than the questions, a handler that went on would exceed the limit on output.
    [Test]
    public void WhileThePeerDoesNotRead_MessagesWait_AndAllAreAnsweredInTheEnd()
    {
        const int Messages = 2000;
        const int AnswerBytes = 10_000;
        var handler = new Frames(new LineDecoder(10)) { AnswerBytes = AnswerBytes };
        using var connection = new TestConnection(
            handler, new ConnectionOptions { MaxOutputBytes = 1_000_000 }, peerReads: false);
        connection.ReceiveText(string.Concat(Enumerable.Repeat("?\n", Messages)));
        connection.EndInput();
        Assert.That(handler.Lengths, Has.Count.LessThan(100), "about 64 KiB in the queue, and 128 KiB in the system");
        Assert.That(connection.IsClosed, Is.False);

        connection.PeerReads = true;
        Assert.That(handler.Lengths, Has.Count.EqualTo(Messages));
        Assert.That(connection.TakeSent(), Has.Length.EqualTo(Messages * AnswerBytes));
        connection.Advance(TimeSpan.FromSeconds(1));
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    // Without the pause (as a client), and after CloseOutput, nothing is held back for ever.
    [TestCase(false)]
    [TestCase(true)]
    public void AFullOutput_DoesNotHoldWhatItNeedNot(bool closesOutput)
    {
        var handler = new Frames(new LineDecoder(10));
        using var connection = new TestConnection(
            handler, new ConnectionOptions { PauseReadingWhenOutputIsFull = closesOutput }, peerReads: false);
        connection.Connection.Output.Write(new byte[500_000]);
        if (closesOutput)
        {
            connection.Connection.CloseOutput();
        }

        connection.Run();
        connection.ReceiveText("a\nb\n");
        Assert.That(handler.Lengths, Has.Count.EqualTo(closesOutput ? 0 : 2));

        connection.PeerReads = true;
        connection.Run();
        Assert.That(handler.Lengths, Has.Count.EqualTo(2));
    }

    [Test]
    public void ManyMessagesOfOne_LeaveTheOthersTheirTurn()
    {
        const int Messages = 60_000;
        var order = new List<string>();
        var handler = new Frames(new LengthPrefixDecoder(LengthField.Byte, 10))
        {
            Handled = connection => order.Add($"{connection.UserState}"),
        };
        using var server = new TestServer(handler);
        TestConnection many = server.Connect();
        TestConnection one = server.Connect();
        many.Connection.UserState = "many";
        one.Connection.UserState = "one";
        many.Connection.PauseReading();
        many.Receive(new byte[Messages]);
        many.Connection.ResumeReading();
        many.Connection.Reactor.Post(() => one.Connection.Schedule(TimeSpan.Zero, () => order.Add("timer")));
        many.Run();

        Assert.That(order.Count(static name => name == "many"), Is.EqualTo(Messages));
        Assert.That(order.IndexOf("timer"), Is.InRange(0, 8 * 1024), "a turn has 1,024 messages");
    }

    [Test]
    public void MessagesAreValid_WhereTheyCrossSegments()
    {
        byte[][] bodies = [.. Enumerable.Range(0, 200).Select(static i => new byte[i * 37].Select(
            (_, at) => (byte)(at + i)).ToArray())];
        var handler = new Frames(new LengthPrefixDecoder(LengthField.Varint, 100_000));
        using var connection = new TestConnection(handler);
        var stream = new ArrayBufferWriter<byte>();
        foreach (byte[] body in bodies)
        {
            new LengthPrefixEncoder(LengthField.Varint).Encode(body, stream);
        }

        connection.ReceiveInPieces(stream.WrittenSpan, 5_003);

        Assert.That(handler.Bodies, Is.EqualTo(bodies));
    }

    private static byte[] Framed(byte[] body)
    {
        var output = new ArrayBufferWriter<byte>();
        new LengthPrefixEncoder(LengthField.UInt32BigEndian).Encode(body, output);
        return output.WrittenSpan.ToArray();
    }

    private sealed class Frames(MessageDecoder<ReadOnlySequence<byte>> decoder)
        : MessageHandler<ReadOnlySequence<byte>, ReadOnlySpan<byte>>(decoder, new RawEncoder())
    {
        public List<byte[]> Bodies { get; } = [];

        public List<int> Lengths { get; } = [];

        public int AnswerBytes { get; init; }

        public Action<Connection>? Handled { get; init; }

        protected override void OnMessage(Connection connection, ReadOnlySequence<byte> message)
        {
            Lengths.Add((int)message.Length);
            Bodies.Add(message.ToArray());
            Handled?.Invoke(connection);
            if (AnswerBytes > 0)
            {
                Send(connection, new byte[AnswerBytes]);
            }
        }

        protected override void OnProtocolError(Connection connection, CloseKind kind, Exception error) =>
            Send(connection, System.Text.Encoding.ASCII.GetBytes(error.Message));
    }

    private sealed class RawEncoder : MessageEncoder<ReadOnlySpan<byte>>
    {
        public override void Encode(ReadOnlySpan<byte> message, IBufferWriter<byte> output) => output.Write(message);
    }
}

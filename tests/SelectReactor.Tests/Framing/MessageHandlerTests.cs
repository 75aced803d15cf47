using System.Buffers;
using System.Text;
using SelectReactor.Testing;

namespace SelectReactor.Tests.Framing;

/// <summary>A handler of messages on a connection in memory.</summary>
public sealed class MessageHandlerTests
{
    [Test]
    public void MessagesThatArriveTogether_ComeOneAfterTheOther()
    {
        var handler = new Lines();
        using var connection = new TestConnection(handler);
        connection.ReceiveText("a\nb\n\nc\nd");

        Assert.That(handler.Messages, Is.EqualTo(new[] { "a", "b", "", "c" }));
        connection.ReceiveText("e\n");
        Assert.That(handler.Messages[^1], Is.EqualTo("de"));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(7)]
    public void Answers_AreSent_HoweverTheMessagesArrive(int pieces)
    {
        var handler = new Lines { Message = static (self, connection, line) => self.Send(connection, $"<{line}>") };
        using var connection = new TestConnection(handler);
        connection.ReceiveInPieces("one\r\ntwo\nthree\n"u8, pieces);

        Assert.That(connection.TakeSentText(), Is.EqualTo("<one>\n<two>\n<three>\n"));
    }

    [Test]
    public void OneHandler_ServesManyConnections_EachWithItsOwnRest()
    {
        var handler = new Lines();
        using var server = new TestServer(handler);
        TestConnection first = server.Connect();
        TestConnection second = server.Connect();
        first.ReceiveText("a");
        second.ReceiveText("1");
        first.ReceiveText("b");
        second.ReceiveText("2\n");
        first.ReceiveText("\n");

        Assert.That(handler.Messages, Is.EqualTo(new[] { "12", "ab" }));
    }

    [Test]
    public void Pause_LeavesTheRest_AndResumeDeliversIt()
    {
        var handler = new Lines { Message = static (_, connection, _) => connection.PauseReading() };
        using var connection = new TestConnection(handler);
        connection.ReceiveText("a\nb\nc\n");
        Assert.That(handler.Messages, Is.EqualTo(new[] { "a" }));

        connection.Connection.ResumeReading();
        connection.Run();
        Assert.That(handler.Messages, Is.EqualTo(new[] { "a", "b" }));

        handler.Message = null;
        connection.EndInput();
        Assert.That((handler.Messages.Count, handler.Ends), Is.EqualTo((2, 0)), "the end waits, too");
        connection.Connection.ResumeReading();
        connection.Run();
        Assert.That((handler.Messages.Count, handler.Ends), Is.EqualTo((3, 1)));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void AClose_DropsTheRest(bool aborts)
    {
        var handler = new Lines
        {
            Message = (_, connection, _) =>
            {
                if (aborts)
                {
                    connection.Abort();
                }
                else
                {
                    connection.Close();
                }
            },
        };
        using var connection = new TestConnection(handler);
        connection.ReceiveText("a\nb\nc");
        connection.EndInput();

        Assert.That(handler.Messages, Is.EqualTo(new[] { "a" }));
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(aborts ? CloseKind.Aborted : CloseKind.Local));
    }

    [Test]
    public void AnotherHandler_GetsTheRest_AndStartsWithoutProgress()
    {
        var next = new Lines(new DelimiterDecoder(";"u8, 10).Select(static frame => Encoding.ASCII.GetString(frame)));
        var handler = new Lines { Message = (_, connection, _) => connection.Handler = next };
        using var connection = new TestConnection(handler);
        connection.ReceiveText("up");
        connection.ReceiveText("grade\nx;y");
        connection.ReceiveText(";\n;");

        Assert.That(handler.Messages, Is.EqualTo(new[] { "upgrade" }));
        Assert.That(next.Messages, Is.EqualTo(new[] { "x", "y", "\n" }));
    }

    // A part of a message that the first has seen must not count as seen by the next.
    [Test]
    public void AHandlerThatTakesOverInsideAMessage_SearchesItFromItsStart()
    {
        var first = new Lines();
        var next = new Lines(new DelimiterDecoder(";"u8, 99).Select(static frame => Encoding.ASCII.GetString(frame)));
        using var connection = new TestConnection(first);
        connection.ReceiveText("a;b");
        connection.Connection.Handler = next;
        connection.Run();
        connection.ReceiveText("c;");
        Assert.That(next.Messages, Is.EqualTo(new[] { "a", "bc" }));

        connection.ReceiveText("d\ne");
        connection.Connection.Handler = first;
        connection.Run();
        connection.ReceiveText("\n");
        Assert.That(first.Messages, Is.EqualTo(new[] { "d", "e" }));
    }

    [TestCase("a\n", 1)]
    [TestCase("", 0)]
    public void TheEndAfterAWholeMessage_IsTold_AndClosesInGoodOrder(string text, int messages)
    {
        var handler = new Lines();
        using var connection = new TestConnection(handler);
        connection.ReceiveText(text);
        connection.EndInput();

        Assert.That((handler.Messages.Count, handler.Ends), Is.EqualTo((messages, 1)));
        Assert.That(connection.CloseReason, Is.EqualTo(new CloseReason { Kind = CloseKind.PeerClosed }));
    }

    [Test]
    public void TheEnd_MayBeAnswered()
    {
        var handler = new Lines { End = static (self, connection) => self.Send(connection, "bye") };
        using var connection = new TestConnection(handler);
        connection.EndInput();
        Assert.That((connection.TakeSentText(), connection.IsClosed), Is.EqualTo(("bye\n", false)));

        connection.Connection.Close();
        connection.Run();
        Assert.That(connection.IsClosed);
    }

    [Test]
    public void TheEndInsideAMessage_IsAProtocolError()
    {
        var handler = new Lines { Error = static (self, connection, error) => self.Send(connection, error.Message) };
        using var connection = new TestConnection(handler);
        connection.ReceiveText("a\nbc");
        connection.EndInput();
        connection.Advance(TimeSpan.FromSeconds(1));

        Assert.That(handler.Messages, Is.EqualTo(new[] { "a" }));
        Assert.That(handler.Ends, Is.Zero);
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(connection.CloseReason?.Error, Is.InstanceOf<EndOfStreamException>());
        Assert.That(
            connection.TakeSentText(),
            Is.EqualTo("The peer has ended its stream inside a message, of which 2 bytes have arrived.\n"));
    }

    [Test]
    public void TheEnd_MayEndAMessage()
    {
        var handler = new Lines(new LineDecoder(10) { AcceptsUnterminatedEnd = true }.AsText());
        using var connection = new TestConnection(handler);
        connection.ReceiveText("a\nb");
        connection.EndInput();

        Assert.That(handler.Messages, Is.EqualTo(new[] { "a", "b" }));
        Assert.That((handler.Ends, connection.CloseReason?.Kind), Is.EqualTo((1, CloseKind.PeerClosed)));
    }

    [TestCase("a\n0123456789ab\nc\n", CloseKind.LimitExceeded, "A line may have 10 bytes.")]
    [TestCase("a\n\u00e4\u00f6", CloseKind.LimitExceeded, "A line may have 10 bytes.", 20)]
    public void AMessageThatIsTooLong_IsAnswered_AndCloses(string text, CloseKind kind, string reason, int more = 0)
    {
        var handler = new Lines { Error = static (self, connection, error) => self.Send(connection, error.Message) };
        using var connection = new TestConnection(handler);
        connection.ReceiveText(text + new string('x', more));

        Assert.That(handler.Messages, Is.EqualTo(new[] { "a" }));
        Assert.That(connection.TakeSentText(), Is.EqualTo($"{reason}\n"));
        Assert.That(connection.IsOutputEnded);
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(kind));
        Assert.That(connection.CloseReason?.Error, Is.InstanceOf<InvalidDataException>());
        Assert.That(connection.CloseReason?.Error?.Message, Is.EqualTo(reason));
    }

    [Test]
    public void AMalformedMessage_IsAProtocolError_AndNothingAfterItIsRead()
    {
        var handler = new Lines();
        using var connection = new TestConnection(handler);
        connection.Receive([97, 10, 0xff, 10, 98, 10]);

        Assert.That(handler.Messages, Is.EqualTo(new[] { "a" }));
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(connection.CloseReason?.Error?.Message, Is.EqualTo("A line is not valid UTF-8."));
    }

    [Test]
    public void AnErrorHandler_MayCutTheConnectionItself()
    {
        var handler = new Lines
        {
            Error = static (_, connection, error) => connection.Abort(CloseKind.ProtocolError, error),
        };
        using var connection = new TestConnection(handler);
        connection.Receive([0xff, 10]);

        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(connection.IsOutputEnded, Is.False);
    }

    [Test]
    public void AnException_IsAFaultOfTheHandler()
    {
        var handler = new Lines { Message = static (_, _, _) => throw new TimeoutException() };
        using var connection = new TestConnection(handler);

        Assert.That(() => connection.ReceiveText("a\nb\n"), Throws.InstanceOf<TimeoutException>());
        Assert.That(handler.Messages, Has.Count.EqualTo(1));
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.HandlerFault));
    }

    [TestCase(0)]
    [TestCase(100)]
    public void ADecoderThatConsumesNothingOrTooMuch_IsAFault(int consumed)
    {
        using var connection = new TestConnection(new Lines(new Broken(consumed)));

        Assert.That(
            () => connection.ReceiveText("a\n"), Throws.InvalidOperationException.With.Message.Contains("Broken"));
    }

    // The decoder says how much it needs; it is not asked before.
    [Test]
    public void ADecoder_IsNotCalledBeforeEnoughIsThere()
    {
        var decoder = new Counting(50);
        var handler = new Lines(decoder);
        using var connection = new TestConnection(handler);
        connection.ReceiveInPieces(new byte[100], 1);

        Assert.That(handler.Messages, Has.Count.EqualTo(2));
        Assert.That(decoder.Calls, Is.EqualTo(4));
    }

    private sealed class Broken(int consumed) : MessageDecoder<string>
    {
        public override DecodeResult<string> Decode(in ReadOnlySequence<byte> input, long examined) =>
            DecodeResult.Message("", consumed);
    }

    private sealed class Counting(int length) : MessageDecoder<string>
    {
        public int Calls { get; private set; }

        public override DecodeResult<string> Decode(in ReadOnlySequence<byte> input, long examined)
        {
            Calls++;
            return input.Length < length ? DecodeResult.NeedMore(length) : DecodeResult.Message("", length);
        }
    }
}

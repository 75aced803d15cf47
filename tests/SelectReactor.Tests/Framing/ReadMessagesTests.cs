using System.Buffers;
using System.Text;
using SelectReactor.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Framing;

/// <summary>Messages read with <c>await foreach</c>.</summary>
public sealed class ReadMessagesTests
{
    private static readonly MessageDecoder<string> _lines = new LineDecoder(10).AsText();
    private readonly List<string> _read = [];

    [SetUp]
    public void Clear() => _read.Clear();

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(100)]
    public void EveryMessage_IsRead_UntilTheEnd(int pieces)
    {
        using var connection = new TestConnection((connection, _) => ReadAllAsync(connection));
        connection.ReceiveInPieces("one\r\ntwo\n\nthree\n"u8, pieces);
        connection.EndInput();

        Assert.That(_read, Is.EqualTo(new[] { "one", "two", "", "three", "end" }));
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void AMessage_IsValidUntilTheNext_AlsoAcrossAWait()
    {
        using var connection = new TestConnection(async (connection, closed) =>
        {
            await foreach (ReadOnlySequence<byte> frame in connection.ReadMessagesAsync(new LineDecoder(10)))
            {
                await Task.Delay(TimeSpan.FromSeconds(1), connection.Reactor.TimeProvider, closed);
                _read.Add(Encoding.ASCII.GetString(frame));
            }
        });
        connection.ReceiveText("a\nb");
        connection.ReceiveText("b\nc\n");
        connection.Advance(TimeSpan.FromSeconds(5));

        Assert.That(_read, Is.EqualTo(new[] { "a", "bb", "c" }));
    }

    // Bytes that a slow loop has finished with are consumed: the time-out for the rest of a message starts anew.
    [Test]
    public void AMessageThatIsDone_CountsAsConsumed()
    {
        var handler = new ServeHandler(async connection =>
        {
            await foreach (string line in connection.ReadMessagesAsync(_lines))
            {
                _read.Add(line);
                await Task.Delay(TimeSpan.FromSeconds(4), connection.Reactor.TimeProvider);
            }
        });
        using var connection = new TestConnection(
            handler, new ConnectionOptions { MessageTimeout = TimeSpan.FromSeconds(5) });
        connection.ReceiveText("a\nb\nc\n");
        connection.Advance(TimeSpan.FromSeconds(30));

        Assert.That((_read.Count, connection.IsClosed), Is.EqualTo((3, false)));
    }

    [Test]
    public void TheEndInsideAMessage_Throws_AndClosesWithProtocolError()
    {
        using var connection = new TestConnection((connection, _) => ReadAllAsync(connection));
        connection.ReceiveText("a\nb");
        connection.EndInput();

        Assert.That(_read, Is.EqualTo(new[] { "a" }));
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(connection.CloseReason?.Error, Is.InstanceOf<EndOfStreamException>());
    }

    [TestCase("0123456789ab", CloseKind.LimitExceeded, "A line may have 10 bytes.")]
    [TestCase("\u00ff\n", CloseKind.ProtocolError, "A line is not valid UTF-8.")]
    public void AnError_CanBeToldToThePeer_AndClosesWithItsKind(string text, CloseKind kind, string reason)
    {
        using var connection = new TestConnection(async (connection, _) =>
        {
            try
            {
                await ReadAllAsync(connection);
            }
            catch (InvalidDataException error)
            {
                connection.Send(new LineEncoder(), error.Message);
                throw;
            }
        });
        connection.Receive(Encoding.Latin1.GetBytes("a\n" + text));

        Assert.That(_read, Is.EqualTo(new[] { "a" }));
        Assert.That(connection.TakeSentText(), Is.EqualTo(reason + "\n"));
        Assert.That(connection.IsOutputEnded);
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(kind));
        Assert.That(connection.CloseReason?.Error?.Message, Is.EqualTo(reason));
    }

    [Test]
    public void AnErrorThatIsHandled_LeavesTheCloseToTheCode()
    {
        using var connection = new TestConnection(async (connection, _) =>
        {
            try
            {
                await ReadAllAsync(connection);
            }
            catch (InvalidDataException)
            {
                _read.Add("caught");
            }
        });
        connection.Receive([0xff, 10]);

        Assert.That(_read, Is.EqualTo(new[] { "caught" }));
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.Local));
    }

    [Test]
    public void AnotherException_IsAFaultOfTheHandler()
    {
        using var connection = new TestConnection(static async (connection, closed) =>
        {
            await foreach (string line in connection.ReadMessagesAsync(_lines))
            {
                throw new InvalidDataException("the code's own");
            }
        });

        Assert.That(() => connection.ReceiveText("a\n"), Throws.InstanceOf<InvalidDataException>());
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.HandlerFault));
    }

    [Test]
    public void ALoopThatIsLeft_HasReadItsMessage_AndTheRestCanBeReadOn()
    {
        using var connection = new TestConnection(async (connection, _) =>
        {
            await foreach (string line in connection.ReadMessagesAsync(_lines))
            {
                _read.Add(line);
                break;
            }

            IAsyncEnumerable<string> rest = connection.ReadMessagesAsync(_lines);
            await foreach (string line in rest)
            {
                _read.Add(line + "!");
                break;
            }

            await foreach (string line in rest)
            {
                _read.Add(line + "?");
            }
        });
        connection.ReceiveText("a\nb\nc\nd\n");
        connection.EndInput();

        Assert.That(_read, Is.EqualTo(new[] { "a", "b!", "c?", "d?" }));
    }

    [Test]
    public void ACancelledWait_LosesNothing([Values] bool byParameter, [Values] bool byBoth)
    {
        using var stop = new CancellationTokenSource();
        using var other = new CancellationTokenSource();
        using var connection = new TestConnection(async (connection, _) =>
        {
            CancellationToken first = byParameter ? stop.Token : byBoth ? other.Token : default;
            CancellationToken second = byParameter ? byBoth ? other.Token : default : stop.Token;
            try
            {
                await foreach (string line in connection.ReadMessagesAsync(_lines, first).WithCancellation(second))
                {
                    _read.Add(line);
                }
            }
            catch (OperationCanceledException)
            {
                _read.Add("cancelled");
            }

            await ReadAllAsync(connection);
        });
        connection.ReceiveText("a\nb");
        stop.Cancel();
        connection.Run();
        connection.ReceiveText("c\n");
        connection.EndInput();

        Assert.That(_read, Is.EqualTo(new[] { "a", "cancelled", "bc", "end" }));
    }

    [Test]
    public void OurOwnClose_EndsTheLoopWithAnIOException()
    {
        using var connection = new TestConnection(async (connection, _) =>
        {
            try
            {
                await ReadAllAsync(connection);
            }
            catch (IOException)
            {
                _read.Add("closed");
            }
        });
        connection.ReceiveText("a\nb");
        connection.Connection.Close();
        connection.Run();

        Assert.That(_read, Is.EqualTo(new[] { "a", "closed" }));
    }

    [Test]
    public void AWaitThatNobodyAwaits_CanBeAsked_AndASecondIsRefused()
    {
        ValueTask<bool> next = default;
        IAsyncEnumerator<string> messages = null!;
        using var connection = new TestConnection((connection, closed) =>
        {
            messages = connection.ReadMessagesAsync(_lines).GetAsyncEnumerator(closed);
            next = messages.MoveNextAsync();
            return connection.Completion;
        });
        Assert.That(next.IsCompleted, Is.False);
        Assert.That(() => messages.MoveNextAsync(), Throws.InvalidOperationException);
        connection.ReceiveText("a");
        Assert.That(next.IsCompleted, Is.False);
        connection.ReceiveText("\n");

        Assert.That(next.IsCompleted);
        Assert.That((next.AsTask().Result, messages.Current), Is.EqualTo((true, "a")));
    }

    private async Task ReadAllAsync(Connection connection)
    {
        await foreach (string line in connection.ReadMessagesAsync(_lines))
        {
            _read.Add(line);
        }

        _read.Add("end");
    }
}

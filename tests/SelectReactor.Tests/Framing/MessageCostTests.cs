using System.Buffers;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Framing;

/// <summary>A steady message costs no allocation, over real sockets.</summary>
public sealed class MessageCostTests(SelectorKind selector) : ReactorFixture(selector)
{
    private const int Exchanges = 1_000;
    private const int MessagesTogether = 10;

    [TestCase(3)]
    [TestCase(5_000)]
    public void SteadyMessage_AllocatesNothing(int bodyBytes) => AssertAllocatesNothing(new Echo(), bodyBytes);

    [Test]
    public void SteadyMessage_OfCodeThatAwaits_AllocatesNothing([Values] bool configured) =>
        AssertAllocatesNothing(
            new ServeHandler(async connection =>
            {
                var encoder = new LengthPrefixEncoder(LengthField.UInt32BigEndian);
                var decoder = new LengthPrefixDecoder(LengthField.UInt32BigEndian, 10_000);
                await foreach (ReadOnlySequence<byte> message in connection.ReadMessagesAsync(decoder)
                    .ConfigureAwait(configured))
                {
                    encoder.Encode(message, connection.Output);
                }
            }),
            30);

    [Test]
    public void SteadyLine_AllocatesNothing() => AssertAllocatesNothing(
        new LineEcho(), [.. Enumerable.Repeat("a line\n"u8.ToArray(), MessagesTogether).SelectMany(static x => x)]);

    private void AssertAllocatesNothing(IConnectionHandler handler, int bodyBytes)
    {
        var output = new ArrayBufferWriter<byte>();
        var encoder = new LengthPrefixEncoder(LengthField.UInt32BigEndian);
        for (int i = 0; i < MessagesTogether; i++)
        {
            encoder.Encode(new byte[bodyBytes], output);
        }

        AssertAllocatesNothing(handler, output.WrittenSpan.ToArray());
    }

    private void AssertAllocatesNothing(IConnectionHandler handler, byte[] messages)
    {
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);

        // From now on, the first byte of a message is there before each exchange.
        int whole = messages.Length / 2;
        peer.Send(messages.AsSpan(0, whole + 1));
        RunUntil(() => peer.Socket.Available == whole, "the first answers");
        peer.Receive(whole);
        byte[] shifted = [.. messages[(whole + 1)..], .. messages[..(whole + 1)]];
        byte[] answers = new byte[messages.Length];
        Exchange(peer, shifted, answers);

        long least = Allocations.Least(() => Exchange(peer, shifted, answers));

        Assert.That(least, Is.Zero, $"bytes for {Exchanges * MessagesTogether} messages");
    }

    private void Exchange(Peer peer, byte[] messages, byte[] answers)
    {
        for (int i = 0; i < Exchanges; i++)
        {
            peer.Send(messages);
            while (peer.Socket.Available < answers.Length)
            {
                Reactor.RunOnce(TimeSpan.Zero);
            }

            peer.Socket.Receive(answers);
        }
    }

    private sealed class Echo()
        : MessageHandler<ReadOnlySequence<byte>, ReadOnlySpan<byte>>(
            new LengthPrefixDecoder(LengthField.UInt32BigEndian, 10_000),
            new LengthPrefixEncoder(LengthField.UInt32BigEndian))
    {
        private static readonly LengthPrefixEncoder _encoder = new(LengthField.UInt32BigEndian);

        protected override void OnMessage(Connection connection, ReadOnlySequence<byte> message) =>
            _encoder.Encode(message, connection.Output);
    }

    private sealed class LineEcho()
        : MessageHandler<ReadOnlySequence<byte>, ReadOnlySpan<char>>(new LineDecoder(100), new LineEncoder())
    {
        protected override void OnMessage(Connection connection, ReadOnlySequence<byte> message) =>
            Send(connection, "a line");
    }
}

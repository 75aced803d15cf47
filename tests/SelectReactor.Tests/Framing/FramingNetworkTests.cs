using System.Buffers;
using SelectReactor.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Framing;

/// <summary>Two ends that talk in messages over simulated networks of all kinds, which cut them wherever they
/// like.</summary>
public sealed class FramingNetworkTests
{
    private const int Messages = 30;

    [Test]
    public void EveryQuestion_IsAnswered_InOrder([Values] bool awaits) =>
        SimulatedNetwork.Explore(60, network =>
        {
            SimulatedHost server = network.AddHost("server");
            SimulatedHost client = network.AddHost("client");
            server.Reactor.Listen(server.EndPoint(7), awaits ? new ServeHandler(AnswerAsync) : new Answering());
            var asking = new Asking(network.Random.Next(1, 3000));
            client.Reactor.ConnectAsync(server.EndPoint(7), asking);
            network.RunUntil(() => asking.Closed is not null);

            Assert.That(asking.Answers, Is.EqualTo(Enumerable.Range(0, Messages).Select(asking.LengthOf)));
            Assert.That(asking.Closed, Is.EqualTo(CloseKind.PeerClosed).Or.EqualTo(CloseKind.Local));
        });

    /// <summary>F3: the end of the stream inside a message is never taken for a good end.</summary>
    [Test]
    public void AnEndInsideAMessage_IsNeverAGoodEnd([Values] bool awaits) =>
        SimulatedNetwork.Explore(60, network =>
        {
            SimulatedHost server = network.AddHost("server");
            SimulatedHost client = network.AddHost("client");
            CloseReason? reason = null;
            IConnectionHandler handler = awaits
                ? new ServeHandler(AnswerAsync)
                : new Answering();
            server.Reactor.Listen(server.EndPoint(7), connection =>
            {
                connection.Completion.ContinueWith(
                    task => reason = task.Result, TaskContinuationOptions.ExecuteSynchronously);
                return handler;
            });
            int length = network.Random.Next(1, 5000);
            int cut = network.Random.Next(1, length + 4);
            client.Reactor.ConnectAsync(server.EndPoint(7), new ServeHandler(async connection =>
            {
                var output = new ArrayBufferWriter<byte>();
                new LengthPrefixEncoder(LengthField.UInt32BigEndian).Encode(new byte[length], output);
                connection.Output.Write(output.WrittenSpan[..cut]);
                connection.CloseOutput();
                await connection.Completion;
            }));
            network.RunUntil(() => reason is not null);

            Assert.That(reason?.Kind, Is.EqualTo(CloseKind.ProtocolError));
            Assert.That(reason?.Error, Is.InstanceOf<EndOfStreamException>());
        });

    private static LengthPrefixDecoder Decoder { get; } = new(LengthField.UInt32BigEndian, 100_000);

    private static LengthPrefixEncoder Encoder { get; } = new(LengthField.UInt32BigEndian);

    private static async Task AnswerAsync(Connection connection)
    {
        await foreach (ReadOnlySequence<byte> question in connection.ReadMessagesAsync(Decoder))
        {
            Encoder.Encode(question, connection.Output);
            await connection.Output.FlushAsync();
        }
    }

    private sealed class Answering()
        : MessageHandler<ReadOnlySequence<byte>, ReadOnlySpan<byte>>(Decoder, Encoder)
    {
        protected override void OnMessage(Connection connection, ReadOnlySequence<byte> message) =>
            Encoder.Encode(message, connection.Output);
    }

    private sealed class Asking(int step)
        : MessageHandler<ReadOnlySequence<byte>, ReadOnlySpan<byte>>(Decoder, Encoder)
    {
        public List<int> Answers { get; } = [];

        public CloseKind? Closed { get; private set; }

        // Some are empty.
        public int LengthOf(int index) => index * step % 5000 / (index % 3 + 1);

        public override void OnConnected(Connection connection)
        {
            for (int i = 0; i < Messages; i++)
            {
                Send(connection, new byte[LengthOf(i)]);
            }

            connection.CloseOutput();
        }

        public override void OnClosed(Connection connection, CloseReason reason) => Closed = reason.Kind;

        protected override void OnMessage(Connection connection, ReadOnlySequence<byte> message) =>
            Answers.Add((int)message.Length);
    }
}

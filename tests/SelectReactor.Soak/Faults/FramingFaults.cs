using System.Buffers;
using System.Buffers.Binary;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Messages over connections that end wherever they like.</summary>
internal static class FramingFaults
{
    private const int Port = 7;
    private const int MaxBytes = 500;

    /// <summary>F3: whatever ends the connection, whole messages arrive in order, half a one never does, and an end
    /// inside a message is an error.</summary>
    public static void MessagesCutAnywhere(SimulatedNetwork network)
    {
        Random random = network.Random;
        int[] lengths = [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => random.Next(MaxBytes))];
        byte[] stream = Encode(lengths);
        int sent = random.Coin() ? stream.Length : random.Next(stream.Length + 1);
        bool resets = random.Coin();
        var served = new Receiver();
        Recorder client = Connect(network, served, connection =>
        {
            connection.Output.Write(stream.AsSpan(0, sent));
            connection.Schedule(TimeSpan.FromMilliseconds(random.Next(300)), () =>
            {
                if (resets)
                {
                    connection.Abort();
                }
                else
                {
                    connection.CloseOutput();
                }
            });
        });
        network.RunUntil(() => client.Closed == 1 && served.Closed == served.Connections);
        int whole = WholeMessages(lengths, sent);

        Require.That(lengths.AsSpan().StartsWith(served.Lengths.ToArray()), "messages arrive whole and in order");
        if (!resets)
        {
            bool isInside = Encode(lengths[..whole]).Length < sent;
            Require.Equal(served.Lengths.Count, whole);
            Require.Equal(served.Reason.Kind, isInside ? CloseKind.ProtocolError : CloseKind.PeerClosed);
            Require.That(!isInside || served.Reason.Error is EndOfStreamException, "an end inside a message is told");
        }

        Leaks.None(network);
    }

    /// <summary>L17, F40: an announced length over the limit ends the connection where it stands, after the messages
    /// before it, and what follows is not taken for messages.</summary>
    public static void Bomb(SimulatedNetwork network)
    {
        Random random = network.Random;
        int[] lengths = [.. Enumerable.Range(0, random.Next(0, 6)).Select(_ => random.Next(MaxBytes))];
        byte[] bomb = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bomb, (uint)random.NextInt64(MaxBytes + 1, uint.MaxValue + 1L));
        byte[] stream = [.. Encode(lengths), .. bomb, .. Encode([1, 2, 3])];
        int first = random.Next(stream.Length);
        var served = new Receiver();
        Recorder client = Connect(network, served, connection =>
        {
            connection.Output.Write(stream.AsSpan(0, first));
            connection.Schedule(
                TimeSpan.FromMilliseconds(random.Next(300)), () => connection.Output.Write(stream.AsSpan(first)));
        });
        network.RunUntil(() => client.Closed == 1 && served.Closed == 1);

        Require.That(served.Lengths.SequenceEqual(lengths), "the messages before it are received, and no others");
        Require.Equal(served.Reason.Kind, CloseKind.LimitExceeded);
        Leaks.None(network);
    }

    private static Recorder Connect(SimulatedNetwork network, Receiver served, Action<Connection> connected)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(Port), served);
        var recorder = new Recorder { Connected = connected };
        client.Reactor.ConnectAsync(server.EndPoint(Port), recorder);
        return recorder;
    }

    private static int WholeMessages(int[] lengths, int sent)
    {
        int whole = 0;
        for (int end = 0; whole < lengths.Length && (end += sizeof(uint) + lengths[whole]) <= sent; whole++)
        {
            continue;
        }

        return whole;
    }

    private static byte[] Encode(IEnumerable<int> lengths)
    {
        var output = new ArrayBufferWriter<byte>();
        foreach (int length in lengths)
        {
            Receiver.Encoder.Encode(new byte[length], output);
        }

        return output.WrittenSpan.ToArray();
    }

    private sealed class Receiver() : MessageHandler<ReadOnlySequence<byte>, ReadOnlySpan<byte>>(
        new LengthPrefixDecoder(LengthField.UInt32BigEndian, MaxBytes), Encoder)
    {
        public static LengthPrefixEncoder Encoder { get; } = new(LengthField.UInt32BigEndian);

        public List<int> Lengths { get; } = [];

        public int Connections { get; private set; }

        public int Closed { get; private set; }

        public CloseReason Reason { get; private set; }

        public override void OnConnected(Connection connection) => Connections++;

        public override void OnClosed(Connection connection, CloseReason reason)
        {
            Closed++;
            Reason = reason;
        }

        protected override void OnMessage(Connection connection, ReadOnlySequence<byte> message) =>
            Lengths.Add((int)message.Length);
    }
}

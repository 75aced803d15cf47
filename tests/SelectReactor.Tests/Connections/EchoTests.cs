using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

public sealed class EchoTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private const int Total = 64 * 1024 * 1024;

    [Test]
    public void Server_EchoesEveryByteInOrder()
    {
        Handler.Readable = ScriptedHandler.Echo;
        Peer peer = Connect();

        Assert.That(RunBeside(() => Exchange(peer, seed: 1)), Is.EqualTo(Total));
        Assert.That(
            Connection.Statistics,
            Is.EqualTo(new ConnectionStatistics { BytesReceived = Total, BytesSent = Total }));
        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void Client_GetsEveryByteBackInOrder()
    {
        using Socket listener = Peer.Listen();
        var sent = new Pattern(2);
        var received = new Pattern(2);
        long left = Total;
        var handler = new ScriptedHandler
        {
            Connected = SendMore,
            Writable = SendMore,
            Readable = connection => received.Verify(ScriptedHandler.ReadAll(connection)),
        };
        Connection client = RunUntil(Reactor.ConnectAsync(listener.LocalEndPoint!, handler));
        var echo = Task.Run(() =>
        {
            using var peer = Peer.Accept(listener);
            byte[] buffer = new byte[100_000];
            for (int count; (count = peer.Socket.Receive(buffer)) > 0;)
            {
                peer.Send(buffer.AsSpan(0, count));
            }
        });
        RunUntil(() => handler.IsClosed, "all echoed");

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerClosed));
        Assert.That(received.Position, Is.EqualTo(Total));
        RunUntil(echo);

        void SendMore(Connection connection)
        {
            while (left > 0 && connection.IsWritable)
            {
                byte[] chunk = sent.Next((int)Math.Min(left, 50_000));
                Assert.That(connection.TryWrite(chunk));
                left -= chunk.Length;
            }

            if (left == 0)
            {
                connection.CloseOutput();
            }
        }
    }

    [Test]
    public void ThousandConnections_AreEachServed()
    {
        Handler.Readable = ScriptedHandler.Echo;
        List<Peer> peers = [.. Enumerable.Range(0, 1000).Select(_ => Connect())];
        for (int i = 0; i < peers.Count; i++)
        {
            peers[i].Send(BitConverter.GetBytes(i));
        }

        RunUntil(() => peers.TrueForAll(static peer => peer.Socket.Available == sizeof(int)), "all answers");

        Assert.That(
            peers.Select(static peer => BitConverter.ToInt32(peer.Receive(sizeof(int)))),
            Is.EqualTo(Enumerable.Range(0, 1000)));
        Assert.That(Reactor.Connections, Has.Count.EqualTo(1000));
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero, "idle connections hold no memory");
    }

    [Test]
    public void TenMebibytesWrittenInOneCallback_Arrive()
    {
        byte[] bytes = new Pattern(3).Next(10 * 1024 * 1024);
        Handler.Connected = connection =>
        {
            Assert.That(connection.TryWrite(bytes));
            connection.Close();
        };
        Peer peer = Connect();

        Assert.That(RunBeside(peer.ReceiveToEnd).AsSpan().SequenceEqual(bytes));
        peer.Dispose();
        Assert.That(RunUntilClosed(), Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
    }

    private static long Exchange(Peer peer, int seed)
    {
        var received = new Pattern(seed);
        var sending = Task.Run(() =>
        {
            var pattern = new Pattern(seed);
            var random = new Random(seed);
            for (int left = Total; left > 0;)
            {
                byte[] chunk = pattern.Next(Math.Min(left, random.Next(1, 200_000)));
                peer.Send(chunk);
                left -= chunk.Length;
            }

            peer.EndOutput();
        });
        byte[] buffer = new byte[150_000];
        for (int count; (count = peer.Socket.Receive(buffer)) > 0;)
        {
            received.Verify(buffer.AsSpan(0, count));
        }

        sending.Wait();
        return received.Position;
    }

    /// <summary>An endless stream of bytes in which a lost, doubled or swapped piece shows.</summary>
    private sealed class Pattern(int seed)
    {
        public long Position { get; private set; }

        public byte[] Next(int count)
        {
            byte[] bytes = new byte[count];
            for (int i = 0; i < count; i++)
            {
                bytes[i] = At(Position++);
            }

            return bytes;
        }

        public void Verify(ReadOnlySpan<byte> bytes)
        {
            foreach (byte value in bytes)
            {
                if (value != At(Position))
                {
                    throw new InvalidDataException($"Byte {Position} differs.");
                }

                Position++;
            }
        }

        private byte At(long position) => (byte)((position * 2_654_435_761L >> 16) + seed);
    }
}

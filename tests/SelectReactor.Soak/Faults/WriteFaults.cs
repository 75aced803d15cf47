using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Several pieces of a program that use one connection at the same time: one waits, another writes or
/// closes.</summary>
internal static class WriteFaults
{
    private const int Max = 1000;

    /// <summary>F3: memory that a writer holds over an await, while another piece of the program writes, never sends
    /// bytes that nobody wrote.</summary>
    public static void MemoryHeldOverAnAwait(SimulatedNetwork network)
    {
        var expected = new List<byte>();
        bool isOver = false;
        byte next = 0;
        async Task WriteAsync(Connection connection)
        {
            for (int i = network.Random.Next(1, 6); i > 0; i--)
            {
                int count = network.Random.Next(1, 200);
                Memory<byte> memory = connection.Output.GetMemory(count);
                await Task.Delay(network.Random.UpTo(TimeSpan.FromMilliseconds(20)), network.Clock);
                Fill(memory.Span[..count]);
                connection.Output.Advance(count);
                expected.AddRange(memory.Span[..count]);
            }

            isOver = true;
        }

        void Fill(Span<byte> bytes)
        {
            foreach (ref byte one in bytes)
            {
                one = next++;
            }
        }

        // Fills the pool with bytes that must not appear again.
        byte[] foreign = [.. Enumerable.Repeat((byte)0xEE, 2000)];
        var served = new Recorder
        {
            Connected = connection =>
            {
                if (connection.Id == 1)
                {
                    connection.TryWrite(foreign);
                }
                else
                {
                    _ = WriteAsync(connection);
                }
            },
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), served);
        var first = RawPeer.Connect(network, client, server.EndPoint(7), served);
        ReceiveUntil(network, first, () => first.Received.Count == foreign.Length);
        first.Abort();
        network.RunUntil(() => served.Closed == 1);

        var peer = RawPeer.Connect(network, client, server.EndPoint(7), served);
        Connection connection = served.Connection;
        while (!isOver)
        {
            network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(10)));
            server.Reactor.Post(() =>
            {
                byte[] bytes = new byte[network.Random.Next(50)];
                Fill(bytes);
                expected.AddRange(bytes);
                Require.That(connection.TryWrite(bytes));
            });
        }

        network.RunUntilIdle();
        ReceiveUntil(network, peer, () => peer.Received.Count >= expected.Count);
        Require.That(peer.Received.SequenceEqual(expected), "the peer gets what was written, and nothing else");
        peer.Abort();
        network.RunUntil(() => served.Closed == 2);
        Leaks.None(network);
    }

    /// <summary>F9: a close by another piece of the program, while a handler waits until its output has room and then
    /// writes on, sends everything that was written before, though the handler fails afterwards.</summary>
    public static void ClosedWhileFlushing(SimulatedNetwork network)
    {
        bool fails = network.Random.Coin();
        bool reads = network.Random.Coin();
        var handler = new Flusher(Max, fails, reads);
        var options = new ConnectionOptions
        {
            SendBufferBytes = 100,
            OutputHighWaterMark = 500,
            OutputLowWaterMark = 100,
            LingerTimeout = TimeSpan.FromMinutes(10),
            MaxLingerTime = Timeout.InfiniteTimeSpan,
        };
        SimulatedHost server = network.AddHost("server", new ReactorOptions { Logger = NullLogger.Instance });
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), handler, new ListenerOptions { Connection = options });
        var peer = new RawPeer(client, server.EndPoint(7), receiveBufferBytes: 50);
        network.RunUntil(() => handler.Connection is not null);
        network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(100)));
        long accepted = 0;
        server.Reactor.Post(() =>
        {
            accepted = handler.Written;
            handler.Connection!.Close();
        });
        ReceiveUntil(network, peer, () => peer.IsEnded || peer.IsReset);
        Require.That(peer.IsEnded, "the peer sees a good end");
        Require.Equal(peer.Received.Count, (int)accepted);
        Require.That(peer.Received.Select((one, i) => one == Flusher.ByteAt(i)).All(static same => same),
            "the bytes are the ones that were written");
        peer.Close();
        network.RunUntil(() => handler.Connection!.State == ConnectionState.Closed);
        network.RunUntilIdle();
        Require.Equal(handler.Connection!.Completion.Result, new CloseReason { Kind = CloseKind.Local });
        Require.That(handler.IsOver, "the handler's method ends");
        Require.Equal(handler.ReadEnds, 0, "times that the own close looked like the peer's end of stream");
        Leaks.None(network);
    }

    /// <summary>A writer that never waits may write to a connection that somebody has closed: nothing
    /// happens.</summary>
    public static void WritesToAClosingConnection(SimulatedNetwork network)
    {
        byte[] last = network.Random.Bytes(200);
        var served = new Recorder { InputEnded = static _ => { } };
        var calling = new Recorder { InputEnded = static _ => { } };
        var pair = new Pair(network, served, calling);
        Connection connection = served.Connection;
        int failures = 0;
        pair.Server.Reactor.Post(() =>
        {
            connection.Output.Write(last);
            connection.Close();
        });
        for (int i = 0; i < 20; i++)
        {
            network.Schedule(network.Random.UpTo(4 * Bounds.OneWay(network)), () => pair.Server.Reactor.Post(() =>
            {
                try
                {
                    connection.TryWrite("late"u8);
                    connection.Output.Write("late"u8);
                    Require.That(
                        connection.Output.FlushAsync().AsTask() is { IsCompleted: true, Result.IsCompleted: true });
                }
                catch (InvalidOperationException) when (connection.QueuedOutputBytes >= 0)
                {
                    failures++;
                }
            }));
        }

        network.RunUntil(() => calling.BytesReceived >= last.Length);
        network.RunFor(5 * Bounds.OneWay(network));
        Require.Equal(failures, 0, "writes that failed");
        Require.Equal(calling.BytesReceived, last.Length);
        calling.Connection.Close();
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        Leaks.None(network);
    }

    /// <summary>F22: a write that was refused for the limit on output is followed by OnWritable, wherever the
    /// high-water mark lies.</summary>
    public static void RefusedWriteIsAskedForAgain(SimulatedNetwork network)
    {
        int limit = network.Random.Next(100, Max);
        int mark = network.Random.Next(1, 2 * Max);
        int chunk = network.Random.Next(1, limit + 1);
        int written = 0;
        void WriteOn(Connection connection)
        {
            byte[] bytes = new byte[chunk];
            while (written < 3 * Max && connection.TryWrite(bytes))
            {
                written += chunk;
            }
        }

        var served = new Recorder { Connected = WriteOn, Writable = WriteOn };
        var options = new ConnectionOptions
        {
            SendBufferBytes = 100,
            MaxOutputBytes = limit,
            OutputHighWaterMark = mark,
            OutputLowWaterMark = mark / 2,
            WriteProgressTimeout = Timeout.InfiniteTimeSpan,
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), served, new ListenerOptions { Connection = options });
        var peer = new RawPeer(client, server.EndPoint(7), receiveBufferBytes: 50);
        network.RunUntil(() => served.Connections == 1);
        ReceiveUntil(network, peer, () => written >= 3 * Max && peer.Received.Count == written);
        peer.Abort();
        network.RunUntil(() => served.Closed == 1);
        Leaks.None(network);
    }

    private static void ReceiveUntil(SimulatedNetwork network, RawPeer peer, Func<bool> condition) =>
        network.RunUntil(() =>
    {
        peer.Receive(Max);
        return condition();
    });

    /// <summary>Writes and flushes, until its output has ended or it has written enough.</summary>
    private sealed class Flusher(int max, bool fails, bool reads) : AsyncConnectionHandler
    {
        public Connection? Connection { get; private set; }

        public long Written { get; private set; }

        public int ReadEnds { get; private set; }

        public bool IsOver => _underWay == 0;

        private int _underWay;

        public static byte ByteAt(long at) => (byte)((at * 7) + (at >> 8));

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            Connection = connection;
            Task reading = reads ? CountedAsync(ReadAsync(connection)) : Task.CompletedTask;
            await CountedAsync(WriteAsync(connection));
            await reading;
        }

        private async Task CountedAsync(Task task)
        {
            _underWay++;
            try
            {
                await task;
            }
            finally
            {
                _underWay--;
            }
        }

        private async Task ReadAsync(Connection connection)
        {
            ReadResult result = await connection.Input.ReadAsync();
            ReadEnds += result.IsCompleted ? 1 : 0;
        }

        private async Task WriteAsync(Connection connection)
        {
            FlushResult flushed = default;
            while (!flushed.IsCompleted && Written < max)
            {
                Write(connection);
                flushed = await connection.Output.FlushAsync();
            }

            // It has not looked, and goes on.
            for (int i = 0; i < 3; i++)
            {
                Write(connection);
            }

            if (fails)
            {
                throw new NotSupportedException("It notices too late that the connection is closed.");
            }
        }

        private void Write(Connection connection)
        {
            Span<byte> span = connection.Output.GetSpan(150);
            for (int i = 0; i < 150; i++)
            {
                span[i] = ByteAt(Written + i);
            }

            Written += 150;
            connection.Output.Advance(150);
        }
    }
}

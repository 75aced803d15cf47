using System.Buffers;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Resets that nobody is told of, because nobody reads.</summary>
internal static class ResetFaults
{
    private static readonly TimeSpan _probe = TimeSpan.FromSeconds(10);

    /// <summary>F6: a reset while reading is paused is found when reading goes on, or else within ten seconds, and it
    /// costs no turns until then.</summary>
    public static void ResetWhilePaused(SimulatedNetwork network)
    {
        var served = new Recorder { Connected = static connection => connection.PauseReading() };
        var calling = new Recorder();
        var pair = new Pair(network, served, calling);
        network.RunFor(network.Random.UpTo(TimeSpan.FromSeconds(20)));
        if (network.Random.Coin())
        {
            network.Reset(pair.Client, pair.Server);
        }
        else
        {
            calling.Connection.Abort();
        }

        network.RunFor(Bounds.OneWay(network));
        long before = pair.Server.Ticks;
        if (network.Random.Coin())
        {
            network.RunFor(network.Random.UpTo(_probe));
            if (served.Closed == 0)
            {
                served.Connection.ResumeReading();
            }

            network.RunFor(Bounds.Slack);
        }
        else
        {
            network.RunFor(_probe + Bounds.Slack);
        }

        Bounds.RequireFewTicks(pair.Server, before, useful: 5);
        Require.Equal(served.Closed, 1);
        Require.Equal(served.Reason.Kind, CloseKind.PeerReset);
        Require.Equal(calling.Closed, 1);
        Leaks.None(network);
    }

    /// <summary>F6, F7: a reset that a send found, after which the handler reads what came before it and then pauses,
    /// shows at once, unless the system lost the error of the send: then within ten seconds.</summary>
    public static void ResetFoundBySending(SimulatedNetwork network)
    {
        byte[] bytes = network.Random.Bytes(40);
        var received = new List<byte>();
        var served = new Recorder
        {
            Readable = connection =>
            {
                received.AddRange(Recorder.ReadAll(connection));
                connection.PauseReading();
            },
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), served);
        var peer = RawPeer.Connect(network, client, server.EndPoint(7), served);

        // So that the reset and all before it lie in the system when the server writes.
        server.Stall(2 * Bounds.OneWay(network));
        peer.Send(bytes);
        peer.Abort();
        network.RunFor(Bounds.OneWay(network));
        served.Connection.Output.Write("answer"u8);
        bool isLost = network.Options.LostSendErrorChance > 0;
        network.RunFor(Bounds.OneWay(network) + Bounds.Slack + (isLost ? _probe : TimeSpan.Zero));

        Require.That(received.SequenceEqual(bytes.Take((int)server.TakenBytes)), "what came before the reset is read");
        Require.Equal(served.Closed, 1);
        Require.Equal(served.Reason.Kind, CloseKind.PeerReset);
        Require.Equal(served.Reason.UnsentBytes, 6);
        Leaks.None(network);
    }

    /// <summary>F7: a reset frees what was queued, and the reason says how much that was, on both sides.</summary>
    public static void ResetWithOutputQueued(SimulatedNetwork network)
    {
        const int Written = 5000;
        var writing = new Recorder { Connected = static connection => connection.Output.Write(new byte[Written]) };
        var deaf = new Recorder { Connected = static connection => connection.PauseReading() };
        var small = new ConnectionOptions { SendBufferBytes = 100, ReceiveBufferBytes = 50 };
        bool serverWrites = network.Random.Coin();
        Recorder served = serverWrites ? writing : deaf;
        Recorder calling = serverWrites ? deaf : writing;
        var pair = new Pair(network, served, calling, small, small);
        network.RunFor(network.Random.UpTo(TimeSpan.FromSeconds(5)));
        Require.Equal(writing.Connection.QueuedOutputBytes, Written - writing.Connection.Statistics.BytesSent);
        long acknowledged = network.StreamOf(writing.Connection).AcknowledgedBytes;

        network.Reset(pair.Server, pair.Client);
        network.RunFor(_probe + Bounds.Slack);
        foreach (Recorder recorder in (ReadOnlySpan<Recorder>)[writing, deaf])
        {
            Require.Equal(recorder.Closed, 1);
            Require.Equal(recorder.Reason.Kind, CloseKind.PeerReset);
        }

        Require.That(
            writing.Reason.UnsentBytes >= Written - 150, "next to nothing fits into the buffers of the system");
        Require.Equal(writing.Reason.UnsentBytes, Written - acknowledged);
        Require.Equal(deaf.Reason.UnsentBytes, 0);
        Leaks.None(network);
    }

    /// <summary>F1, F17: a peer that cuts the connection at any moment of its life, connecting, asking, reading or
    /// ending, leaves nothing behind, and the one beside it has its answer.</summary>
    public static void ResetAtAnyMoment(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var served = new Recorder { Readable = Recorder.Echo };
        server.Reactor.Listen(server.EndPoint(7), served);
        var calling = new Recorder { Connected = static connection => connection.Output.Write(new byte[30]) };
        client.Reactor.ConnectAsync(server.EndPoint(7), calling);
        RawPeer[] peers = [.. Enumerable.Range(0, 3).Select(_ => new RawPeer(client, server.EndPoint(7)))];
        TimeSpan life = 4 * Bounds.OneWay(network);
        foreach (RawPeer peer in peers)
        {
            network.Schedule(network.Random.UpTo(life), () => peer.Send(network.Random.Bytes(50)));
            network.Schedule(network.Random.UpTo(life), peer.EndOutput);
            network.Schedule(network.Random.UpTo(life), () => peer.Receive());
            network.Schedule(network.Random.UpTo(life), peer.Abort);
        }

        network.RunUntil(() => calling.BytesReceived == 30, 2 * life);
        calling.Connection.Close();
        network.RunFor(2 * life);
        Require.Equal(calling.Closed, 1);
        Require.Equal(served.Closed, served.Connections);
        Leaks.None(network);
    }
    /// <summary>F2: a peer that only ever resets is never said to have closed, whenever this side closes: not while
    /// input is still read bit by bit, and not while a send loses the error.</summary>
    public static void ResetIsNeverAnEnd(SimulatedNetwork network)
    {
        bool writes = network.Random.Coin();
        int callbacks = network.Random.Next(1, 30);
        var served = new Recorder
        {
            Readable = connection =>
            {
                Recorder.Sip(connection);
                if (writes)
                {
                    connection.Output.Write(new byte[50]);
                }

                if (--callbacks == 0)
                {
                    connection.Close();
                }
            },
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), served);
        var peer = RawPeer.Connect(network, client, server.EndPoint(7), served);
        peer.Send(network.Random.Bytes(30));
        network.Schedule(network.Random.UpTo(3 * Bounds.OneWay(network)), peer.Abort);
        network.Schedule(network.Random.UpTo(3 * Bounds.OneWay(network)), () => server.Reactor.Post(() =>
        {
            if (served.Closed == 0 && network.Random.Coin())
            {
                served.Connection.Close();
            }
        }));
        network.RunUntil(() => served.Closed == 1);
        Require.That(
            served.Reason.Kind is CloseKind.PeerReset or CloseKind.Local,
                $"a reset is no end of stream: {served.Reason}");
        Require.Equal(served.InputsEnded, 0);
        Leaks.None(network);
    }

    /// <summary>F7: a peer that resets while a handler waits for room: the handler ends, and the reason is the
    /// reset.</summary>
    public static void ResetDuringAWrite(SimulatedNetwork network)
    {
        var handler = new Writer();
        var options =
            new ConnectionOptions { SendBufferBytes = 100, OutputHighWaterMark = 500, OutputLowWaterMark = 100 };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), handler, new ListenerOptions { Connection = options });
        var peer = new RawPeer(client, server.EndPoint(7), receiveBufferBytes: 50);
        network.RunUntil(() => handler.Connection is not null);
        for (int i = network.Random.Next(20); i > 0; i--)
        {
            network.RunFor(network.Random.UpTo(Bounds.OneWay(network)));
            peer.Receive(network.Random.Next(100));
        }

        peer.Abort();
        network.RunUntil(() => handler.Connection!.State == ConnectionState.Closed);
        Require.Equal(handler.Connection!.Completion.Result.Kind, CloseKind.PeerReset);
        Leaks.None(network);
    }

    /// <summary>Writes for ever, until a flush says that nobody takes it any more.</summary>
    private sealed class Writer : AsyncConnectionHandler
    {
        public Connection? Connection { get; private set; }

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            Connection = connection;
            while (true)
            {
                connection.Output.Write(new byte[150]);
                if ((await connection.Output.FlushAsync()).IsCompleted)
                {
                    return;
                }
            }
        }
    }
}

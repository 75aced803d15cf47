using System.Buffers;
using SelectReactor.Testing;
using SelectReactor.Testing.Network;

namespace SelectReactor.Soak.Faults;

/// <summary>Peers that are too slow, or too fast.</summary>
internal static class SlowPeerFaults
{
    /// <summary>F20: a stream that comes byte by byte, and is answered four at a time, is the same frames as any
    /// other.</summary>
    public static void OneByteAtATime(SimulatedNetwork network)
    {
        byte[][] frames = [.. Enumerable.Range(0, network.Random.Next(1, 6)).Select(_ => network.Random.Bytes(12))];
        var seen = new List<byte[]>();
        var served = new Recorder
        {
            Readable = connection =>
            {
                while (ReadFrame(connection) is { } frame)
                {
                    seen.Add(frame);
                    connection.Output.Write([(byte)frame.Length]);
                    connection.Output.Write(frame);
                }
            },
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var options = new ConnectionOptions { SendBufferBytes = 4 };
        server.Reactor.Listen(server.EndPoint(7), served, new ListenerOptions { Connection = options });
        var peer = RawPeer.Connect(network, client, server.EndPoint(7), served);
        byte[] stream = [.. frames.SelectMany(static frame => (byte[])[(byte)frame.Length, .. frame])];
        for (int i = 0; i < stream.Length; i++)
        {
            Require.Equal(peer.Send(stream.AsSpan(i, 1)), 1);
            network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(100)));
            peer.Receive(max: 1);
        }

        network.RunUntil(() =>
        {
            peer.Receive(max: 1);
            return peer.Received.Count == stream.Length;
        });
        Require.That(peer.Received.SequenceEqual(stream), "the frames come back as they went");
        Require.Equal(seen.Count, frames.Length);
        Require.That(
            seen.Zip(frames).All(static pair => pair.First.SequenceEqual(pair.Second)), "the frames are the same");
        peer.Close();
        network.RunUntil(() => served.Closed == 1);
        Leaks.None(network);
    }

    /// <summary>F21, L3: beside peers that send as much as they can, of which each piece costs the loop a
    /// millisecond, a quiet one waits for one piece of each and no more.</summary>
    public static void Firehose(SimulatedNetwork network)
    {
        const int Hoses = 3;
        var cost = TimeSpan.FromMilliseconds(1);
        SimulatedHost server = null!;
        var flooded = new Recorder
        {
            Readable = connection =>
            {
                Recorder.ReadAll(connection);
                server.Spend(cost);
            },
        };
        var served = new Recorder { Readable = Recorder.Echo };
        var calling = new Recorder();
        var pair = new Pair(network, served, calling);
        server = pair.Server;
        server.Reactor.Listen(server.EndPoint(8), flooded);
        RawPeer[] hoses = [.. Enumerable.Range(0, Hoses).Select(_ => new RawPeer(pair.Client, server.EndPoint(8)))];
        network.RunUntil(() => flooded.Connections == Hoses);

        byte[] water = new byte[Math.Min(3000, 20 * network.Options.MaxSegmentBytes)];
        for (int i = 0; i < 5; i++)
        {
            Array.ForEach(hoses, hose => hose.Send(water));
            network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(3)));
        }

        calling.Connection.TryWrite("x"u8);

        // It may come just after a wait, and then has its turn after all that this wait found and all that the next
        // finds.
        network.RunUntil(() => calling.BytesReceived == 1, (2 * Hoses * cost) + (2 * Bounds.OneWay(network)));
        Array.ForEach(hoses, static hose => hose.Abort());
        calling.Connection.Close();
        network.RunUntil(() => flooded.Closed == Hoses && served.Closed == 1 && calling.Closed == 1);
        Leaks.None(network, listeners: 2);
    }

    /// <summary>F22, L5: a peer that takes nothing, or a byte now and then, brings the output to its high-water mark
    /// and no further, and the connection to its end when the time for progress is over, within twice that
    /// time.</summary>
    public static void PeerNeverReads(SimulatedNetwork network)
    {
        const int HighWater = 1000;
        TimeSpan limit = network.Random.Between(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60));
        int taken = network.Random.Next(3);
        long written = 0;
        (TimeSpan began, TimeSpan ended) = (default, default);
        SimulatedStream stream = null!;
        var served = new Recorder
        {
            Connected = connection =>
            {
                began = network.Clock.Elapsed;
                stream = network.StreamOf(connection);
                while (connection.IsWritable)
                {
                    Require.That(connection.TryWrite(new byte[300]));
                    written += 300;
                }
            },
            Ended = (_, _) => ended = network.Clock.Elapsed,
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var options = new ConnectionOptions
        {
            SendBufferBytes = 100,
            OutputHighWaterMark = HighWater,
            OutputLowWaterMark = 100,
            WriteProgressTimeout = limit,
        };
        server.Reactor.Listen(server.EndPoint(7), served, new ListenerOptions { Connection = options });
        var peer = new RawPeer(client, server.EndPoint(7), receiveBufferBytes: 50);
        network.RunUntil(() => served.Connections == 1);
        while (served.Closed == 0)
        {
            Require.That(served.Connection.QueuedOutputBytes <= HighWater + 300, "the output is bounded");
            Require.That(network.Clock.Elapsed < began + (3 * limit), "the time is bounded");
            peer.Receive(taken);
            network.RunFor(limit / 10);
        }

        Bounds.RequireWithin(ended - began, limit, (2 * limit) + Bounds.Slack, "the end of a peer that takes nothing");
        Bounds.RequireFewTicks(server, 0, useful: 200);
        Require.Equal(served.Reason.Kind, CloseKind.TimedOut);
        Require.Equal(served.Reason.UnsentBytes, written - stream.AcknowledgedBytes);
        peer.Abort();
        Leaks.None(network);
    }

    /// <summary>F22: a handler that writes on regardless is stopped by the limit on output.</summary>
    public static void OutputWithoutBound(SimulatedNetwork network)
    {
        const int Max = 3000;
        var served = new Recorder
        {
            Readable = static connection =>
            {
                Recorder.ReadAll(connection);
                connection.Output.Write(new byte[250]);
            },
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var options = new ConnectionOptions
        {
            SendBufferBytes = 100,
            MaxOutputBytes = Max,
            PauseReadingWhenOutputIsFull = false,
        };
        server.Reactor.Listen(server.EndPoint(7), served, new ListenerOptions { Connection = options });
        var peer = new RawPeer(client, server.EndPoint(7), receiveBufferBytes: 50);
        network.RunUntil(() => served.Connections == 1);
        for (int i = 0; i < 30 && served.Closed == 0; i++)
        {
            Require.That(served.Connection.QueuedOutputBytes <= Max, "the output is bounded");
            peer.Send("x"u8);
            network.RunFor(Bounds.OneWay(network));
        }

        Require.Equal(served.Reason.Kind, CloseKind.LimitExceeded);
        Require.That(served.Reason.UnsentBytes is > Max and <= Max + 250, "what was not sent is told");
        peer.Abort();
        Leaks.None(network);
    }

    /// <summary>F23, F24: a message that trickles in is cut off at its time however often a bit of it comes, whether
    /// it is the first one or comes after others.</summary>
    public static void SlowMessage(SimulatedNetwork network)
    {
        TimeSpan limit = network.Random.Between(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(60));
        int whole = network.Random.Next(3);
        int trickled = 0;
        (TimeSpan began, TimeSpan ended) = (default, default);
        var served = new Recorder
        {
            Readable = connection =>
            {
                while (ReadFrame(connection) is not null)
                {
                    whole--;
                }

                began = trickled++ == 0 && whole == 0 ? network.Clock.Elapsed : began;
            },
            Ended = (_, _) => ended = network.Clock.Elapsed,
        };
        var options = new ConnectionOptions { MessageTimeout = limit };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), served, new ListenerOptions { Connection = options });
        var peer = RawPeer.Connect(network, client, server.EndPoint(7), served);
        for (int i = whole; i > 0; i--)
        {
            peer.Send([3, 1, 2, 3]);
        }

        network.RunUntil(() => whole == 0);
        trickled = 0;
        while (served.Closed == 0)
        {
            peer.Send([200]);
            network.RunFor(limit / 8);
            Require.That(network.Clock.Elapsed < began + (2 * limit) + Bounds.OneWay(network), "the time is limited");
        }

        Bounds.RequireWithin(ended - began, limit, limit + Bounds.Slack, "the end of a message that trickles in");
        Require.Equal(served.Reason.Kind, CloseKind.TimedOut);
        Bounds.RequireFewTicks(server, 0, useful: 50);
        peer.Abort();
        Leaks.None(network);
    }

    private static byte[]? ReadFrame(Connection connection)
    {
        if (!connection.Input.TryRead(out System.IO.Pipelines.ReadResult result))
        {
            return null;
        }

        ReadOnlySequence<byte> buffer = result.Buffer;
        if (buffer.IsEmpty || buffer.Length < 1 + buffer.FirstSpan[0])
        {
            connection.Input.AdvanceTo(buffer.Start, buffer.End);
            return null;
        }

        byte[] frame = buffer.Slice(1, buffer.FirstSpan[0]).ToArray();
        connection.Input.AdvanceTo(buffer.GetPosition(1 + frame.Length));
        return frame;
    }
}

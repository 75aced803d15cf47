using System.Buffers;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>What a peer, or the network between, does to a connection.</summary>
internal static class PeerFaults
{
    /// <summary>F1: a reset in the middle of a message ends that connection, and no other.</summary>
    public static void ResetInTheMiddle(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost victim = network.AddHost("victim");
        SimulatedHost other = network.AddHost("other");
        var served = new Recorder { Readable = Recorder.Hoard };
        server.Reactor.Listen(server.EndPoint(7), served);
        var cut = new Recorder { Connected = static connection => connection.Output.Write(new byte[100]) };
        var whole = new Recorder { Connected = static connection => connection.Output.Write(new byte[100]) };
        victim.Reactor.ConnectAsync(server.EndPoint(7), cut);
        other.Reactor.ConnectAsync(server.EndPoint(7), whole);
        network.RunUntil(() => served.Connections == 2 && cut.Connections + whole.Connections == 2);
        network.RunFor(TimeSpan.FromMilliseconds(network.Random.Next(20)));

        network.Reset(victim, server);
        network.RunUntil(() => served.Closed == 1 && cut.Closed == 1);
        Require.Equal(cut.Reason.Kind, CloseKind.PeerReset);
        Require.Equal(served.Reason.Kind, CloseKind.PeerReset);

        network.RunFor(TimeSpan.FromSeconds(10));
        Require.Equal(whole.Closed, 0);
        Require.Equal(served.Closed, 1);
        whole.Connection.Close();
        network.RunUntil(() => whole.Closed == 1 && served.Closed == 2);
        Leaks.None(network);
    }

    /// <summary>F2: what a peer sent before it cut the connection is read first, whether or not reading was paused
    /// when it came and whether or not an answer fails meanwhile; and the cut never looks like a good end.</summary>
    public static void DataThenReset(SimulatedNetwork network)
    {
        bool pauses = network.Random.Coin();
        bool answers = network.Random.Coin();
        byte[] bytes = network.Random.Bytes(40);
        var received = new List<byte>();
        var served = new Recorder
        {
            Connected = connection =>
            {
                if (pauses)
                {
                    connection.PauseReading();
                }
            },
            Readable = connection =>
            {
                received.AddRange(Recorder.ReadAll(connection));
                if (answers)
                {
                    connection.Output.Write("yes"u8);
                }
            },
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), served);
        var peer = RawPeer.Connect(network, client, server.EndPoint(7), served);

        peer.Send(bytes);
        network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(50)));
        peer.Abort();
        network.RunFor(network.Random.UpTo(TimeSpan.FromSeconds(3)));
        if (pauses)
        {
            served.Connection.ResumeReading();
        }

        network.RunUntil(() => served.Closed == 1, Bounds.OneWay(network));
        Require.Equal(served.Reason.Kind, CloseKind.PeerReset);
        Require.Equal(served.InputsEnded, 0);
        Require.That(
            received.SequenceEqual(bytes.Take((int)server.TakenBytes)), "all that came before the reset is read");
        Leaks.None(network);
    }

    /// <summary>F4: a peer that has ended its output goes on to be served, for as long as it takes, without a
    /// spin.</summary>
    public static void HalfClose(SimulatedNetwork network)
    {
        byte[] question = network.Random.Bytes(100);
        byte[] answer = network.Random.Bytes(100);
        var received = new List<byte>();
        var served = new Recorder { InputEnded = static _ => { } };
        var calling = new Recorder { Readable = connection => received.AddRange(Recorder.ReadAll(connection)) };
        var pair = new Pair(network, served, calling);
        calling.Connection.Output.Write(question);
        calling.Connection.CloseOutput();
        network.RunUntil(() => served.InputsEnded == 1);
        Require.Equal(served.BytesReceived, question.Length);

        // Each acknowledgement of the question gives the client a turn.
        network.RunFor(Bounds.OneWay(network));
        (long serverTicks, long clientTicks) = (pair.Server.Ticks, pair.Client.Ticks);
        network.RunFor(network.Random.UpTo(TimeSpan.FromMinutes(1)));
        Bounds.RequireFewTicks(pair.Server, serverTicks, useful: 20);
        Bounds.RequireFewTicks(pair.Client, clientTicks, useful: 20);
        Require.Equal(served.Closed + calling.Closed, 0);

        served.Connection.Output.Write(answer);
        served.Connection.CloseOutput();
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        Require.That(received.SequenceEqual(answer), "the answer came whole");
        Require.Equal(served.Reason.Kind, CloseKind.PeerClosed);
        Require.Equal(calling.Reason.Kind, CloseKind.PeerClosed);
        Leaks.None(network);
    }

    /// <summary>F8, L7: whoever closes without having read all still delivers what was written, and the peer sees a
    /// good end, even if it sends on.</summary>
    public static void CloseWithUnreadInput(SimulatedNetwork network)
    {
        byte[] answer = network.Random.Bytes(200);
        bool sendsOn = network.Random.Coin();
        var received = new List<byte>();
        var served = new Recorder
        {
            Readable = connection =>
            {
                connection.Output.Write(answer);
                connection.Close();
            },
        };
        var calling = new Recorder
        {
            Readable = connection =>
            {
                received.AddRange(Recorder.ReadAll(connection));
                if (sendsOn)
                {
                    connection.Output.Write("more"u8);
                }
            },
        };
        _ = new Pair(network, served, calling);
        calling.Connection.Output.Write(network.Random.Bytes(200));
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);

        Require.That(received.SequenceEqual(answer), "all that was written before the close came");
        Require.Equal(calling.InputsEnded, 1);
        Require.Equal(calling.Reason.Kind, CloseKind.PeerClosed);
        Require.Equal(served.Reason, new CloseReason { Kind = CloseKind.Local });
        Leaks.None(network);
    }

    /// <summary>F9: a peer that neither ends nor goes away after our close is left when the linger time is over, and
    /// not before; bytes that it trickles in meanwhile do not make it longer. A peer that has everything sees a good
    /// end.</summary>
    public static void LingeringPeer(SimulatedNetwork network)
    {
        TimeSpan linger = network.Random.Between(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(20));
        bool trickles = network.Random.Coin();
        byte[] last = network.Random.Bytes(50);
        (TimeSpan closing, TimeSpan ended) = (default, default);
        var served = new Recorder
        {
            Connected = connection =>
            {
                closing = network.Clock.Elapsed;
                connection.Output.Write(last);
                connection.Close();
            },
            Ended = (_, _) => ended = network.Clock.Elapsed,
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(
            server.EndPoint(7), served,
                new ListenerOptions { Connection = new ConnectionOptions { LingerTimeout = linger } });
        var peer = RawPeer.Connect(network, client, server.EndPoint(7), served);
        for (int i = 0; i < 10; i++)
        {
            peer.Receive();
            if (trickles)
            {
                peer.Send("x"u8);
            }

            network.RunFor(linger / 10);
        }

        network.RunFor(linger + (2 * Bounds.OneWay(network)) + Bounds.Slack);
        Require.Equal(served.Closed, 1);
        Bounds.RequireWithin(ended - closing, linger, (2 * linger) + (2 * Bounds.OneWay(network)) + Bounds.Slack,
            "the end of lingering");
        Require.Equal(served.Reason.Kind, CloseKind.Local);
        Require.Equal(served.Reason.Error is TimeoutException, served.Reason.UnsentBytes > 0,
            "whether an error tells of a loss");
        peer.Receive();
        int delivered = last.Length - (int)served.Reason.UnsentBytes;
        Require.That(peer.Received.Take(delivered).SequenceEqual(last.Take(delivered)), "the last bytes came");
        Require.That(trickles || served.Reason.UnsentBytes > 0 || (peer.IsEnded && !peer.IsReset),
            "a peer that has all sees a good end");
        peer.Abort();
        Leaks.None(network);
    }

    /// <summary>F9: a peer that sends on and on after our close is cut once that was too much.</summary>
    public static void SendsOnAfterTheClose(SimulatedNetwork network)
    {
        int max = network.Random.Next(10, 300);
        var options = new ConnectionOptions { LingerTimeout = TimeSpan.FromMinutes(1), MaxLingerBytes = max };
        var served = new Recorder
        {
            Connected = static connection =>
            {
                connection.TryWrite("bye"u8);
                connection.Close();
            },
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), served, new ListenerOptions { Connection = options });
        var peer = RawPeer.Connect(network, client, server.EndPoint(7), served);
        int sent = 0;
        network.RunUntil(() =>
        {
            sent += sent <= max ? peer.Send(new byte[max + 1 - sent]) : 0;
            return served.Closed == 1;
        });

        Require.Equal(sent, max + 1);
        Require.Equal(served.Connection.Statistics.BytesReceived, max + 1);
        Require.Equal(served.Reason.Kind, CloseKind.Local);
        peer.Abort();
        Leaks.None(network);
    }
}

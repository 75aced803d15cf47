using SelectReactor.Testing;
using SelectReactor.Testing.Network;

namespace SelectReactor.Soak.Faults;

/// <summary>Ends of connections whose peer takes what was written, only slowly. No byte may be lost without being
/// told.</summary>
internal static class LingerFaults
{
    /// <summary>F9, F22: a peer that reads slowly but steadily gets everything that was written before the close, or
    /// before a time-out, however long it takes.</summary>
    public static void SlowReaderGetsEverything(SimulatedNetwork network)
    {
        var run = new SlowReader(network);

        // A time-out ends with a reset, which may take from the peer's program what its system has taken.
        int kind = network.Options.ResetDiscardsInput ? 0 : network.Random.Next(3);
        bool closes = kind == 0;
        var options = new ConnectionOptions
        {
            LingerTimeout = run.Limit,
            MaxLingerTime = Timeout.InfiniteTimeSpan,
            IdleTimeout = kind == 1 ? run.Limit : Timeout.InfiniteTimeSpan,
            ReadIdleTimeout = kind == 2 ? run.Limit : Timeout.InfiniteTimeSpan,

            // It asks for more bytes than this reader takes.
            WriteProgressTimeout = Timeout.InfiniteTimeSpan,
        };
        run.Open(options, closes);
        while (!run.HasAll)
        {
            run.Read();
            Require.Equal(run.Peer.IsReset, false, "the peer was cut while it took bytes");
        }

        Require.That(run.Peer.Received.SequenceEqual(run.Written), "the peer gets what was written");

        // Its system took the last bytes before its program did, so that the time may be over already.
        network.RunFor((3 * run.Limit) + (2 * Bounds.OneWay(network)) + Bounds.Slack);
        Require.Equal(run.Served.Closed, 1);
        Require.Equal(run.Served.Reason.UnsentBytes, 0);
        Require.Equal(run.Served.Reason.Kind, closes ? CloseKind.Local : CloseKind.TimedOut);
        Require.Equal(run.Served.Reason.Error is null, closes, "the reason has no error");
        run.Peer.Receive();
        Require.That(!closes || (run.Peer.IsEnded && !run.Peer.IsReset), "the peer sees a good end");
        run.Peer.Abort();
        Leaks.None(network);
    }

    /// <summary>F9: a peer that stops to read after the close is left within twice the linger time after its system
    /// took the last byte, and the reason says to the byte how much its system did not take. It is cut only if some of
    /// that is still queued.</summary>
    public static void ReaderThatStops(SimulatedNetwork network)
    {
        var run = new SlowReader(network);
        var options = new ConnectionOptions
        {
            LingerTimeout = run.Limit,
            MaxLingerTime = Timeout.InfiniteTimeSpan,
            WriteProgressTimeout = Timeout.InfiniteTimeSpan,
        };
        run.Open(options, closes: true);
        for (int i = network.Random.Next(5); i > 0; i--)
        {
            run.Read();
        }

        network.RunFor((3 * run.Limit) + (4 * Bounds.OneWay(network)) + Bounds.Slack);
        run.VerifyEnd();
    }

    /// <summary>F9: however steadily the peer reads, a close ends at its cap, and the reason tells what is
    /// lost.</summary>
    public static void CloseEndsAtItsCap(SimulatedNetwork network)
    {
        var run = new SlowReader(network);
        TimeSpan cap = run.Limit * (2 + network.Random.Next(3));
        var options = new ConnectionOptions
        {
            LingerTimeout = run.Limit,
            MaxLingerTime = cap,
            WriteProgressTimeout = Timeout.InfiniteTimeSpan,
        };
        run.Open(options, closes: true);
        TimeSpan began = network.Clock.Elapsed;
        while (run.Served.Closed == 0)
        {
            Require.That(network.Clock.Elapsed - began <= cap + run.Limit + Bounds.Slack, "the close is bounded");
            run.Read();
        }

        run.VerifyEnd();
    }

    /// <summary>A server that writes more than a peer takes at once.</summary>
    private sealed class SlowReader
    {
        private readonly SimulatedNetwork _network;
        private readonly int _window;
        private readonly int _chunk;
        private SimulatedStream _stream = null!;
        private SimulatedHost _server = null!;

        public SlowReader(SimulatedNetwork network)
        {
            _network = network;

            // In packets of a few bytes, much takes too many events.
            bool isNarrow = Math.Min(network.Options.MaxSegmentBytes, network.Options.SendBufferBytes) < 1000;
            _window = network.Random.Next(50, isNarrow ? 200 : 10_000);
            Written = new byte[_window + (network.Random.Next(2, 12) * _window)];
            network.Random.NextBytes(Written);
            _chunk = 1 + (_window / network.Random.Next(1, 5));
            Limit = (8 * Bounds.OneWay(network)) + network.Random.Between(
                TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        }

        public byte[] Written { get; }

        /// <summary>A peer that takes something within this time is not late.</summary>
        public TimeSpan Limit { get; }

        public Recorder Served { get; private set; } = null!;

        public RawPeer Peer { get; private set; } = null!;

        public bool HasAll => Peer.Received.Count == Written.Length;

        public void Open(ConnectionOptions options, bool closes)
        {
            Served = new Recorder
            {
                Connected = connection =>
                {
                    _stream = _network.StreamOf(connection);
                    Require.That(connection.TryWrite(Written));
                    if (closes)
                    {
                        connection.Close();
                    }
                },
            };
            _server = _network.AddHost("server");
            SimulatedHost client = _network.AddHost("client");
            _server.Reactor.Listen(_server.EndPoint(7), Served, new ListenerOptions { Connection = options });
            Peer = new RawPeer(client, _server.EndPoint(7), _window);
            _network.RunUntil(() => Served.Connections == 1);
        }

        /// <summary>Waits for less than the limit, and reads a little.</summary>
        public void Read()
        {
            _network.RunFor(_network.Random.UpTo(Limit / 4));
            Peer.Receive(Math.Min(_chunk, Written.Length - Peer.Received.Count));
        }

        /// <summary>The connection was cut if output was queued: the peer can read all that its system took, and the
        /// rest is told. Otherwise it was closed in good order, and its system goes on to send the rest.</summary>
        public void VerifyEnd()
        {
            Require.Equal(Served.Closed, 1);
            Require.Equal(_server.OpenDescriptors, 2, "descriptors of the server, all of its listener,");
            if (Served.Reason.UnsentBytes > 0)
            {
                Require.Equal(Served.Reason.Kind, CloseKind.Local);
                Require.That(Served.Reason.Error is TimeoutException, $"the reason says why: {Served.Reason}");
            }

            if (Served.Connection.Statistics.BytesSent == Written.Length)
            {
                VerifyGoodEnd();
            }
            else
            {
                VerifyCut();
            }

            Peer.Abort();
            Leaks.None(_network);
        }

        private void VerifyGoodEnd()
        {
            Require.That(
                Served.Reason.UnsentBytes >= Written.Length - _stream.AcknowledgedBytes, "no loss is kept secret");
            while (!Peer.IsEnded)
            {
                _network.RunFor(Limit);
                Peer.Receive(_chunk + 1);
                Require.Equal(Peer.IsReset, false, "the peer was cut though its output was with the system");
            }

            Require.That(Peer.Received.SequenceEqual(Written), "the peer gets what was written");
        }

        private void VerifyCut()
        {
            Require.Equal(Served.Reason.UnsentBytes, Written.Length - _stream.AcknowledgedBytes);
            _network.RunFor(Bounds.OneWay(_network));
            Peer.Receive(Written.Length);
            Require.That(Written.AsSpan().StartsWith(Peer.Received.ToArray()), "the peer gets no other bytes");
            Require.That(
                Peer.Received.Count >= Written.Length - Served.Reason.UnsentBytes
                    || _network.Options.ResetDiscardsInput,
                "the peer's system has what is not told to be lost");
        }
    }
}

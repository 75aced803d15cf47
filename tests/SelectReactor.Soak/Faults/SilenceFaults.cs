using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Peers that send nothing, or nothing more.</summary>
internal static class SilenceFaults
{
    /// <summary>F23: a peer that says nothing, or nothing more, is closed at the time-out that was set for that, and
    /// after the last thing that happened; the time while reading is paused does not count.</summary>
    public static void SilentPeer(SimulatedNetwork network)
    {
        TimeSpan limit = network.Random.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        int kind = network.Random.Next(3);
        bool pauses = network.Random.Coin();
        (TimeSpan last, TimeSpan ended) = (default, default);
        var served = new Recorder
        {
            Connected = _ => last = network.Clock.Elapsed,
            Readable = connection =>
            {
                Recorder.ReadAll(connection);
                last = network.Clock.Elapsed;
            },
            Ended = (_, _) => ended = network.Clock.Elapsed,
        };
        var options = new ConnectionOptions
        {
            FirstByteTimeout = kind == 0 ? limit : Timeout.InfiniteTimeSpan,
            ReadIdleTimeout = kind == 1 ? limit : Timeout.InfiniteTimeSpan,
            IdleTimeout = kind == 2 ? limit : Timeout.InfiniteTimeSpan,
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), served, new ListenerOptions { Connection = options });
        var peer = RawPeer.Connect(network, client, server.EndPoint(7), served);
        if (kind != 0)
        {
            // Whatever the way, it comes before the time is over.
            peer.Send(limit > Bounds.OneWay(network) ? "x"u8 : default);
        }

        network.RunFor(network.Random.UpTo(limit / 2));
        if (pauses)
        {
            served.Connection.PauseReading();
            network.RunFor(network.Random.UpTo(2 * limit));
            server.Reactor.Post(() =>
            {
                served.Connection.ResumeReading();
                last = network.Clock.Elapsed;
            });
        }

        network.RunFor((2 * limit) + Bounds.Slack);
        Require.Equal(served.Closed, 1);
        Bounds.RequireWithin(ended - last, limit, limit + Bounds.Slack, "the end of a silent peer");
        Require.Equal(served.Reason.Kind, CloseKind.TimedOut);
        Bounds.RequireFewTicks(server, 0, useful: 30);
        peer.Abort();
        Leaks.None(network);
    }
}

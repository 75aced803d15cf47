namespace Dashboard;

/// <summary>What the page shows once a second.</summary>
internal sealed record Snapshot
{
    public required DateTimeOffset Time { get; init; }

    public required long Connections { get; init; }

    public required long Opened { get; init; }

    public required double ReceivedPerSecond { get; init; }

    public required double SentPerSecond { get; init; }

    /// <summary>The longest tick since the last snapshot, or the one under way if that is longer.</summary>
    public required double LagMilliseconds { get; init; }

    public required long Memory { get; init; }

    /// <summary>The busiest connections.</summary>
    public required IReadOnlyList<Row> Rows { get; init; }
}

/// <summary>One connection.</summary>
internal sealed record Row(
    int Reactor, long Id, string Peer, string State, double Seconds, long Received, long Sent, long Queued);

namespace SelectReactor;

/// <summary>What a <see cref="ConnectionPool"/> has at the moment, and what it did so far.</summary>
public readonly record struct ConnectionPoolStatistics
{
    /// <summary>Connections that are rented.</summary>
    public int Rented { get; init; }

    /// <summary>Connections that wait to be rented.</summary>
    public int Idle { get; init; }

    /// <summary>Connections that are being made or prepared.</summary>
    public int Connecting { get; init; }

    /// <summary>Callers that wait for a connection.</summary>
    public int Waiting { get; init; }

    /// <summary>Connections made since the beginning.</summary>
    public long Connected { get; init; }

    /// <summary>Connections, idle or returned, that the pool has let go because they were broken or not returned in
    /// good order, since the beginning.</summary>
    public long Discarded { get; init; }
}

namespace SelectReactor.LoadTest.Load;

/// <summary>What one load generator measured: the line that it prints as JSON.</summary>
internal sealed record LoadResult
{
    /// <summary>The measured interval.</summary>
    public double Seconds { get; init; }

    /// <summary>Messages there and back; in accept mode, whole lives of a connection.</summary>
    public long Messages { get; init; }

    /// <summary>Bytes each way.</summary>
    public long Bytes { get; init; }

    /// <summary>Processor time of both sides during the interval.</summary>
    public double? ServerCpuSeconds { get; init; }

    public double LoadCpuSeconds { get; init; }

    /// <summary>Bytes that the generator's own loop allocated: none, or it disturbs what it measures. The TLS clients
    /// allocate.</summary>
    public long LoadAllocatedBytes { get; init; }

    /// <summary>Microseconds; of a batch when there are several messages in flight, of a whole life in accept
    /// mode.</summary>
    public Latency? Latency { get; init; }

    /// <summary>The server's resident memory before and after the idle connections were opened.</summary>
    public long? ResidentBefore { get; init; }

    public long? ResidentAfter { get; init; }

    /// <summary>The idle connections that make the difference.</summary>
    public int IdleConnections { get; init; }

    /// <summary>In storm mode, what only a storm has; then the interval ends when each client is served, the messages
    /// are the clients, and the latency is that of the talkers during the storm.</summary>
    public StormResult? Storm { get; init; }
}

/// <summary>How a server took clients that came all at once.</summary>
internal sealed record StormResult
{
    /// <summary>The talkers before the storm; null for a server that has just started.</summary>
    public Latency? Quiet { get; init; }

    /// <summary>Seconds from a client's connect until its message came back.</summary>
    public double MedianClientSeconds { get; init; }

    public double LastClientSeconds { get; init; }

    /// <summary>How often the queue of a listener was full, and how many SYNs were dropped for it and other
    /// reasons.</summary>
    public long ListenOverflows { get; init; }

    public long ListenDrops { get; init; }
}

/// <summary>Percentiles, in microseconds.</summary>
internal sealed record Latency(double P50, double P90, double P99, double P999, double Max);

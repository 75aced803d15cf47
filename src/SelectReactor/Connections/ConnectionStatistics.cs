namespace SelectReactor;

/// <summary>The bytes that a connection has received and sent so far.</summary>
public readonly record struct ConnectionStatistics
{
    /// <summary>Bytes received from the peer, including those discarded while closing.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Bytes handed to the system to send.</summary>
    public long BytesSent { get; init; }
}

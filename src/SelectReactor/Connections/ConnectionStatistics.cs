namespace SelectReactor;

/// <summary>The bytes that a connection has received and sent so far.</summary>
/// <param name="BytesReceived">Bytes received from the peer, including those discarded while closing.</param>
/// <param name="BytesSent">Bytes handed to the system to send.</param>
public readonly record struct ConnectionStatistics(long BytesReceived, long BytesSent);

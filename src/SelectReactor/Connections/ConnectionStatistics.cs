namespace SelectReactor;

/// <summary>What went through a connection so far.</summary>
/// <param name="BytesReceived">Bytes received from the peer, those discarded while closing included.</param>
/// <param name="BytesSent">Bytes handed to the system to send.</param>
public readonly record struct ConnectionStatistics(long BytesReceived, long BytesSent);

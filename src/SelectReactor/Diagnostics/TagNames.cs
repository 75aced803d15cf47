namespace SelectReactor.Diagnostics;

/// <summary>The names of tags. Those without a prefix of their own are of OpenTelemetry's semantic
/// conventions.</summary>
internal static class TagNames
{
    public const string Role = "selectreactor.role";
    public const string CloseReason = "selectreactor.close_reason";
    public const string PauseReason = "selectreactor.pause_reason";
    public const string MemoryState = "selectreactor.memory_state";
    public const string BytesReceived = "selectreactor.bytes_received";
    public const string BytesSent = "selectreactor.bytes_sent";
    public const string UnsentBytes = "selectreactor.unsent_bytes";
    public const string Transport = "network.transport";
    public const string Direction = "network.io.direction";
    public const string Address = "server.address";
    public const string Port = "server.port";
    public const string PeerAddress = "network.peer.address";
    public const string PeerPort = "network.peer.port";
    public const string ErrorType = "error.type";
    public const string TlsVersion = "tls.protocol.version";
    public const string Receive = "receive";
    public const string Transmit = "transmit";
}

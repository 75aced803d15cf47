namespace SelectReactor.Tls;

/// <summary>What a handshake leaves to the stream behind it.</summary>
internal struct HandshakeRest
{
    /// <summary>Received bytes that the engine has not taken.</summary>
    public CiphertextBuffer Input;

    /// <summary>Bytes of the engine that were not sent.</summary>
    public CiphertextBuffer Output;

    /// <summary>What the engine has taken.</summary>
    public RecordBoundary Records;

    /// <summary>The bytes that the transport has sent.</summary>
    public long BytesSent;
}

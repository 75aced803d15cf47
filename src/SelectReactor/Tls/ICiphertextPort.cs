namespace SelectReactor.Tls;

/// <summary>Where a TLS engine gets the peer's encrypted bytes from, and leaves its own.</summary>
internal interface ICiphertextPort
{
    /// <summary>Whether the bytes that were received are whole records.</summary>
    bool IsBetweenRecords { get; }

    /// <summary>Whether a <see cref="Receive"/> brings bytes or the end now. Throws if the connection is
    /// cut.</summary>
    bool HasInput();

    /// <summary>Moves bytes that are there.</summary>
    /// <returns>Their number; 0 at the end of the stream; negative if nothing is there now.</returns>
    int Receive(Span<byte> buffer);

    /// <summary>Takes all of the bytes. Throws if the connection is cut.</summary>
    void Send(ReadOnlySpan<byte> bytes);

    /// <summary>The engine waits until there is input.</summary>
    void Wait();
}

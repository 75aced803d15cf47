namespace SelectReactor;

/// <summary>What a datagram socket has received and sent so far.</summary>
public readonly record struct DatagramStatistics
{
    /// <summary>Datagrams given to <see cref="IDatagramHandler.OnReceived"/>.</summary>
    public long Received { get; init; }

    /// <summary>The bytes of these datagrams.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Datagrams that the system has taken to send.</summary>
    public long Sent { get; init; }

    /// <summary>The bytes of these datagrams.</summary>
    public long BytesSent { get; init; }

    /// <summary>Received datagrams that were dropped because they are longer than
    /// <see cref="DatagramOptions.MaxDatagramBytes"/>.</summary>
    public long DroppedTooLong { get; init; }

    /// <summary>Datagrams that could not be sent, without those that found no room for the moment.</summary>
    public long SendErrors { get; init; }

    /// <summary>Errors that the network reported (<see cref="IDatagramHandler.OnError"/>), without those of
    /// <see cref="DroppedTooLong"/>.</summary>
    public long NetworkErrors { get; init; }

    /// <summary>Exceptions of the handler.</summary>
    public long HandlerFaults { get; init; }
}

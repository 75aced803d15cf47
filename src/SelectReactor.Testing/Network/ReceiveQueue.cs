namespace SelectReactor.Testing.Network;

/// <summary>The receive buffer of one end: the bytes that its system has taken and acknowledged, until the program
/// receives them. What the program leaves here makes the peer's window smaller.</summary>
internal sealed class ReceiveQueue(int capacity)
{
    private readonly ByteQueue _bytes = new();
    private long _receivedBytes;

    /// <summary>SO_RCVBUF.</summary>
    public int Capacity { get; set; } = capacity;

    /// <summary>How many bytes wait for the program.</summary>
    public int Count => _bytes.Count;

    /// <summary>How many bytes the system has taken and acknowledged since the beginning.</summary>
    public long TakenBytes { get; private set; }

    /// <summary>Whether the peer's FIN has come.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>The sequence number that the next acknowledgement carries: FIN counts as one byte.</summary>
    public long Next => TakenBytes + (IsEnded ? 1 : 0);

    /// <summary>The sequence number up to which the peer may send.</summary>
    public long WindowEnd => _receivedBytes + Capacity;

    public void Take(ReadOnlySpan<byte> bytes)
    {
        _bytes.Enqueue(bytes);
        TakenBytes += bytes.Length;
    }

    public void TakeFin() => IsEnded = true;

    /// <summary>Hands bytes to the program.</summary>
    /// <returns>How many.</returns>
    public int Receive(Span<byte> target)
    {
        int count = _bytes.Dequeue(target);
        _receivedBytes += count;
        return count;
    }

    /// <summary>Forgets the bytes that the program has not received, and a FIN behind them.</summary>
    public void Discard()
    {
        if (Count > 0)
        {
            _bytes.Clear();
            IsEnded = false;
        }
    }
}

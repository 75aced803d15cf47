namespace SelectReactor.Testing.Network;

/// <summary>
/// The send buffer of one end: the bytes that the program has handed to its system, until the peer's system
/// acknowledges them. Bytes have sequence numbers: the first is 0, and FIN has the number after the last byte.
/// </summary>
internal sealed class SendQueue(int capacity)
{
    private readonly ByteQueue _unsent = new();
    private long _end;
    private long _next;
    private long _acknowledged;
    private long _windowEnd;

    /// <summary>SO_SNDBUF.</summary>
    public int Capacity { get; set; } = capacity;

    /// <summary>How many bytes the peer's system has taken, as far as this end knows.</summary>
    public long AcknowledgedBytes => Math.Min(_acknowledged, _end);

    public int Room => (int)Math.Max(0, Capacity - (_end - AcknowledgedBytes));

    public bool IsEmpty => _unsent.Count == 0;

    /// <summary>Whether something was sent that the peer has not acknowledged.</summary>
    public bool IsInFlight => _next > _acknowledged;

    public bool IsFinSent => _next > _end;

    public bool IsFinAcknowledged => _acknowledged > _end;

    /// <summary>How many bytes can go out: those not sent yet, as far as the peer has room.</summary>
    public int Sendable => (int)Math.Min(_unsent.Count, Math.Max(0, _windowEnd - _next));

    public void Write(ReadOnlySpan<byte> bytes)
    {
        _unsent.Enqueue(bytes);
        _end += bytes.Length;
    }

    /// <summary>Takes the next bytes to send.</summary>
    public byte[] TakeSegment(int count)
    {
        byte[] segment = new byte[count];
        _unsent.Dequeue(segment);
        _next += count;
        return segment;
    }

    public void TakeFin() => _next = _end + 1;

    /// <summary>The peer's system has taken everything before <paramref name="number"/>, and has room for bytes before
    /// <paramref name="windowEnd"/>. A window never shrinks.</summary>
    public void Acknowledge(long number, long windowEnd)
    {
        _acknowledged = Math.Max(_acknowledged, number);
        OpenWindow(windowEnd);
    }

    public void OpenWindow(long windowEnd) => _windowEnd = Math.Max(_windowEnd, windowEnd);

    /// <summary>The connection was cut: the bytes that the peer has not acknowledged are gone.</summary>
    public void Discard()
    {
        _unsent.Clear();
        _next = _acknowledged;
    }
}

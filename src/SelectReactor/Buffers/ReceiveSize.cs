namespace SelectReactor.Buffers;

/// <summary>How much to offer to the next receive: one of the pool's three sizes, which follows what the peer
/// sends.</summary>
internal struct ReceiveSize()
{
    private bool _lastWasLittle;

    public int Bytes { get; private set; } = BufferPool.SmallSize;

    /// <summary>Takes note of a receive that brought <paramref name="received"/> of <paramref name="offered"/>
    /// bytes.</summary>
    public void Adapt(int received, int offered)
    {
        if (received == offered)
        {
            // One size at a time: memory is given only to a peer that has sent much, since it may never send more.
            Bytes = BufferPool.Larger(Bytes);
            _lastWasLittle = false;
            return;
        }

        // Shrink after two small receives: a single one may be the end of a long message, and the next may be as long.
        bool isLittle = BufferPool.SizeFor(2L * received) < Bytes;
        bool shrinks = isLittle && _lastWasLittle;
        Bytes = shrinks ? BufferPool.Smaller(Bytes) : Bytes;
        _lastWasLittle = isLittle && !shrinks;
    }
}

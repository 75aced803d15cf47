namespace SelectReactor.Testing.Network;

/// <summary>Bytes, first in, first out.</summary>
internal sealed class ByteQueue
{
    private byte[] _ring = new byte[256];
    private int _head;

    public int Count { get; private set; }

    public void Enqueue(ReadOnlySpan<byte> bytes)
    {
        if (Count + bytes.Length > _ring.Length)
        {
            Grow(Count + bytes.Length);
        }

        int tail = (_head + Count) % _ring.Length;
        int first = Math.Min(bytes.Length, _ring.Length - tail);
        bytes[..first].CopyTo(_ring.AsSpan(tail));
        bytes[first..].CopyTo(_ring);
        Count += bytes.Length;
    }

    /// <returns>The number of bytes that were taken.</returns>
    public int Dequeue(Span<byte> target)
    {
        int count = Math.Min(target.Length, Count);
        int first = Math.Min(count, _ring.Length - _head);
        _ring.AsSpan(_head, first).CopyTo(target);
        _ring.AsSpan(0, count - first).CopyTo(target[first..]);
        _head = (_head + count) % _ring.Length;
        Count -= count;
        return count;
    }

    public void Clear() => _head = Count = 0;

    private void Grow(int needed)
    {
        byte[] larger = new byte[Math.Max(needed, _ring.Length * 2)];
        int count = Dequeue(larger);
        _ring = larger;
        _head = 0;
        Count = count;
    }
}

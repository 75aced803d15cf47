namespace KeyValueServer;

/// <summary>A value together with its key and the end of its life.</summary>
internal abstract class Entry(byte[] key)
{
    public byte[] Key { get; } = key;

    /// <summary>In milliseconds of the store's clock; null when it lives until it is removed.</summary>
    public long? ExpiresAt { get; set; }

    /// <summary>Where the store lists it among those that expire.</summary>
    public int MortalIndex { get; set; }
}

internal sealed class StringEntry(byte[] key, byte[] value) : Entry(key)
{
    public byte[] Value { get; private set; } = value;

    /// <summary>A value of the same length as before costs no allocation.</summary>
    public void Set(ReadOnlySpan<byte> value)
    {
        if (value.Length == Value.Length)
        {
            value.CopyTo(Value);
        }
        else
        {
            Value = value.ToArray();
        }
    }
}

/// <summary>A list in a ring, so that both of its ends are cheap.</summary>
internal sealed class ListEntry(byte[] key) : Entry(key)
{
    private const int LeastCapacity = 4;
    private byte[][] _ring = new byte[LeastCapacity][];
    private int _first;

    public int Count { get; private set; }

    public ReadOnlySpan<byte> this[int index] => _ring[Place(index)];

    public void PushLeft(ReadOnlySpan<byte> value)
    {
        Reserve();
        _first = Place(_ring.Length - 1);
        _ring[_first] = value.ToArray();
        Count++;
    }

    public void PushRight(ReadOnlySpan<byte> value)
    {
        Reserve();
        _ring[Place(Count)] = value.ToArray();
        Count++;
    }

    public byte[] PopLeft()
    {
        byte[] value = Take(_first);
        _first = Place(1);
        Count--;
        Shrink();
        return value;
    }

    public byte[] PopRight()
    {
        byte[] value = Take(Place(Count - 1));
        Count--;
        Shrink();
        return value;
    }

    // The capacity is a power of two.
    private int Place(int index) => (_first + index) & (_ring.Length - 1);

    private byte[] Take(int place)
    {
        byte[] value = _ring[place];
        _ring[place] = null!;
        return value;
    }

    private void Reserve()
    {
        if (Count == _ring.Length)
        {
            Move(2 * Count);
        }
    }

    private void Shrink()
    {
        if (_ring.Length > LeastCapacity && Count <= _ring.Length / 4)
        {
            Move(_ring.Length / 2);
        }
    }

    private void Move(int capacity)
    {
        byte[][] ring = new byte[capacity][];
        for (int i = 0; i < Count; i++)
        {
            ring[i] = _ring[Place(i)];
        }

        _ring = ring;
        _first = 0;
    }
}

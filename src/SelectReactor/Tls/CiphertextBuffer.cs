using System.Buffers;

namespace SelectReactor.Tls;

/// <summary>Encrypted bytes in order, in rented memory. It holds none while it is empty.</summary>
internal struct CiphertextBuffer
{
    private byte[]? _array;
    private int _start;
    private int _end;

    public readonly bool IsEmpty => _start == _end;

    public readonly int Length => _end - _start;

    public readonly ReadOnlySpan<byte> Unread => _array.AsSpan(_start, _end - _start);

    /// <summary>Memory behind the bytes. <see cref="Commit"/> must follow.</summary>
    public Span<byte> Reserve(int size)
    {
        if (_array is null || _array.Length - _end < size)
        {
            Move(size);
        }

        return _array.AsSpan(_end);
    }

    /// <summary>Adds the first bytes of the reserved memory; zero is allowed.</summary>
    public void Commit(int count)
    {
        _end += count;
        ReleaseIfEmpty();
    }

    /// <summary>Adds a copy.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty)
        {
            bytes.CopyTo(Reserve(bytes.Length));
            Commit(bytes.Length);
        }
    }

    /// <summary>Moves as many bytes as fit to <paramref name="target"/>.</summary>
    public int Take(Span<byte> target)
    {
        int count = Math.Min(Length, target.Length);
        Unread[..count].CopyTo(target);
        Consume(count);
        return count;
    }

    public void Consume(int count)
    {
        _start += count;
        ReleaseIfEmpty();
    }

    public void Release()
    {
        if (_array is { } array)
        {
            _array = null;
            ArrayPool<byte>.Shared.Return(array);
        }

        _start = _end = 0;
    }

    private void ReleaseIfEmpty()
    {
        if (_start == _end)
        {
            Release();
        }
    }

    private void Move(int room)
    {
        int length = Length;
        byte[] larger = ArrayPool<byte>.Shared.Rent(length + room);
        Unread.CopyTo(larger);
        Release();
        _array = larger;
        _end = length;
    }
}

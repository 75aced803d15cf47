namespace KeyValueServer;

/// <summary>A command as it lies in the input: its arguments, the name first, are slices of it and not
/// copies.</summary>
internal readonly ref struct Request(ReadOnlySpan<byte> bytes, ReadOnlySpan<Argument> arguments)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly ReadOnlySpan<Argument> _arguments = arguments;

    public int Count => _arguments.Length;

    public ReadOnlySpan<byte> this[int index] => _bytes.Slice(_arguments[index].Start, _arguments[index].Length);
}

/// <summary>Where an argument lies.</summary>
internal readonly record struct Argument(int Start, int Length);

/// <summary>The arguments of one command after the other, in memory that is used again.</summary>
internal struct ArgumentList
{
    private const int LeastCapacity = 16;
    private const int MostKept = 1024;
    private Argument[]? _items;
    private int _count;

    public readonly ReadOnlySpan<Argument> Items => _items.AsSpan(0, _count);

    public void Clear()
    {
        _count = 0;
        if (_items?.Length > MostKept)
        {
            _items = null;
        }
    }

    public void Add(int start, int length)
    {
        if (_items is null || _count == _items.Length)
        {
            Array.Resize(ref _items, Math.Max(2 * _count, LeastCapacity));
        }

        _items[_count++] = new Argument(start, length);
    }
}

namespace SelectReactor.Testing.Network;

/// <summary>The numbers of open descriptors. A new descriptor gets the lowest free number, as POSIX demands, so
/// numbers are reused at once.</summary>
internal sealed class DescriptorTable(int capacity)
{
    private readonly SortedSet<int> _free = [];
    private int _next;

    public int Capacity { get; set; } = capacity;

    public int Open => _next - _free.Count;

    public bool IsFull => Open >= Capacity;

    public int Take()
    {
        if (_free.Count == 0)
        {
            return _next++;
        }

        int lowest = _free.Min;
        _free.Remove(lowest);
        return lowest;
    }

    public void Free(int descriptor) => _free.Add(descriptor);
}

namespace SelectReactor.Testing.Network;

/// <summary>The numbers of open descriptors: as POSIX says, a new one gets the lowest that is free, so that a number
/// is used again at once.</summary>
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

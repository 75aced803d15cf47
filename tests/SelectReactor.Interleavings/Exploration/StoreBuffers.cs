namespace SelectReactor.Interleavings.Exploration;

/// <summary>
/// What a thread wrote and the others do not see yet, as on a processor with store buffers (x86, and weaker ones): a
/// volatile write may be overtaken by the thread's later reads, but not by its interlocked accesses, locks and
/// barriers. A location is told by its name, since a reference to it can't be kept; a scenario has one object of each
/// kind.
/// </summary>
internal sealed class StoreBuffers
{
    [ThreadStatic]
    private static StoreBuffers? _observed;

    private readonly List<Store> _stores = [];

    /// <summary>The buffers of the scenario whose outcome the current thread checks; null while it checks
    /// none.</summary>
    public static StoreBuffers? Observed
    {
        get => _observed;
        set => _observed = value;
    }

    public void Clear() => _stores.Clear();

    public bool Holds(Worker worker) => _stores.Exists(store => store.Writer == worker);

    public void Write(Worker writer, string location, int value) => _stores.Add(new Store(writer, location, value));

    /// <summary>Lets everybody see the oldest store of a thread.</summary>
    public void Drain(Worker writer)
    {
        int oldest = _stores.FindIndex(store => store.Writer == writer);
        _stores[oldest] = _stores[oldest] with { Writer = null };
    }

    public void DrainAll(Worker writer)
    {
        while (Holds(writer))
        {
            Drain(writer);
        }
    }

    /// <summary>Brings what is to be seen by now into the location itself.</summary>
    public void Settle(string location, ref int value)
    {
        for (int i = 0; i < _stores.Count;)
        {
            if (_stores[i].Writer is null && _stores[i].Location == location)
            {
                value = _stores[i].Value;
                _stores.RemoveAt(i);
            }
            else
            {
                i++;
            }
        }
    }

    /// <summary>What a thread reads: its own last store first.</summary>
    public int Read(Worker reader, string location, ref int value)
    {
        Settle(location, ref value);
        int own = _stores.FindLastIndex(store => store.Writer == reader && store.Location == location);
        return own < 0 ? value : _stores[own].Value;
    }

    private readonly record struct Store(Worker? Writer, string Location, int Value);
}

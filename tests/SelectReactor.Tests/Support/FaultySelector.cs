namespace SelectReactor.Tests.Support;

/// <summary>A selector that refuses or withholds what a test tells it to, in front of a real one.</summary>
public sealed class FaultySelector(ISelector inner) : ISelector
{
    /// <summary>The entries that can't be added, as if the system were out of a resource.</summary>
    public Func<SelectorEntry, bool> RefusesToAdd { get; set; } = static _ => false;

    /// <summary>The entries whose interest can't be changed.</summary>
    public Func<SelectorEntry, bool> RefusesToUpdate { get; set; } = static _ => false;

    /// <summary>The entries that can't be removed.</summary>
    public Func<SelectorEntry, bool> RefusesToRemove { get; set; } = static _ => false;

    /// <summary>The entries that are never reported, as if the loop had not come to them yet.</summary>
    public Func<SelectorEntry, bool> Withholds { get; set; } = static _ => false;

    /// <summary>What the waits throw from now on. Null if they do not fail.</summary>
    public Exception? Fault { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    public void Add(SelectorEntry entry)
    {
        ThrowIf(RefusesToAdd(entry));
        inner.Add(entry);
    }

    public void Update(SelectorEntry entry, Interest previous)
    {
        ThrowIf(RefusesToUpdate(entry));
        inner.Update(entry, previous);
    }

    public void Remove(SelectorEntry entry)
    {
        inner.Remove(entry);
        ThrowIf(RefusesToRemove(entry));
    }

    public void Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        inner.Select(wait, ready);
        if (Fault is not null)
        {
            throw Fault;
        }

        foreach (SelectorEntry entry in ready.FindAll(entry => Withholds(entry)))
        {
            // As the loop leaves it: a selector adds no entry that is said to be ready already.
            entry.Ready = Interest.None;
            ready.Remove(entry);
        }
    }

    public void Wake() => inner.Wake();

    public void Dispose() => inner.Dispose();

    private static void ThrowIf(bool refuses)
    {
        if (refuses)
        {
            throw new IOException("No space left on device.");
        }
    }
}

namespace KeyValueServer;

/// <summary>
/// The keys and their values. A key that has expired is gone as soon as somebody looks for it; <see cref="Sweep"/>
/// takes out those for which nobody looks. One thread, so no lock.
/// </summary>
internal sealed class KeyValueStore
{
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Dictionary<byte[], Entry> _entries = new(KeyComparer.Instance);
    private readonly Dictionary<byte[], Entry>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private readonly List<Entry> _mortals = [];
    private int _nextToSweep;

    public KeyValueStore(TimeProvider time)
    {
        _time = time;
        _start = time.GetTimestamp();
        _lookup = _entries.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Keys, also those that have expired and were not taken out yet.</summary>
    public int Count => _entries.Count;

    /// <summary>How many of the keys have a time to live.</summary>
    public int MortalCount => _mortals.Count;

    /// <summary>How many have expired and been taken out.</summary>
    public long ExpiredCount { get; private set; }

    /// <summary>The clock of expiry, in milliseconds. It runs evenly, whatever happens to the time of day.</summary>
    public long Now => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    public Entry? Find(ReadOnlySpan<byte> key)
    {
        if (!_lookup.TryGetValue(key, out Entry? entry))
        {
            return null;
        }

        if (entry.ExpiresAt is { } end && end <= Now)
        {
            ExpiredCount++;
            Remove(entry);
            return null;
        }

        return entry;
    }

    /// <summary>Gives a key a string as its value, whatever it had, and a life without end.</summary>
    public StringEntry SetString(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (_lookup.TryGetValue(key, out Entry? entry))
        {
            if (entry is StringEntry existing)
            {
                existing.Set(value);
                Persist(existing);
                return existing;
            }

            Remove(entry);
        }

        var added = new StringEntry(key.ToArray(), value.ToArray());
        _entries.Add(added.Key, added);
        return added;
    }

    /// <summary>Adds an empty list under a key that is not there.</summary>
    public ListEntry AddList(ReadOnlySpan<byte> key)
    {
        var added = new ListEntry(key.ToArray());
        _entries.Add(added.Key, added);
        return added;
    }

    public void Remove(Entry entry)
    {
        Persist(entry);
        _entries.Remove(entry.Key);
    }

    public void ExpireAt(Entry entry, long end)
    {
        if (entry.ExpiresAt is null)
        {
            entry.MortalIndex = _mortals.Count;
            _mortals.Add(entry);
        }

        entry.ExpiresAt = end;
    }

    public void Clear()
    {
        _entries.Clear();
        _mortals.Clear();
        _nextToSweep = 0;
    }

    /// <summary>Looks at some of the keys that expire, and goes on with the others at the next call.</summary>
    public void Sweep(int most)
    {
        long now = Now;
        for (int left = Math.Min(most, _mortals.Count); left > 0; left--)
        {
            _nextToSweep = _nextToSweep < _mortals.Count ? _nextToSweep : 0;
            Entry entry = _mortals[_nextToSweep];
            if (entry.ExpiresAt <= now)
            {
                // Another entry takes its place in the list, and is the next to be looked at.
                ExpiredCount++;
                Remove(entry);
            }
            else
            {
                _nextToSweep++;
            }
        }
    }

    private void Persist(Entry entry)
    {
        if (entry.ExpiresAt is not null)
        {
            Entry last = _mortals[^1];
            _mortals[entry.MortalIndex] = last;
            last.MortalIndex = entry.MortalIndex;
            _mortals.RemoveAt(_mortals.Count - 1);
            entry.ExpiresAt = null;
        }
    }
}

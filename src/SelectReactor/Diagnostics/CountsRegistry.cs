namespace SelectReactor.Diagnostics;

/// <summary>The numbers of several reactors, with those of reactors that have ended. Any thread.</summary>
internal sealed class CountsRegistry
{
    /// <summary>So many listening addresses have numbers of their own. Those of further ones are counted together, so
    /// that a program that listens on one port after the other does not collect them for ever.</summary>
    private const int MaxAddresses = 100;

    // Held for a moment, and never while anything else is called that may wait.
    private readonly object _gate = new();
    private readonly HashSet<ReactorCounts> _live = [];
    private readonly HashSet<EndpointTags> _addresses = [];
    private readonly ReactorCounts _ended = new();

    public void Add(ReactorCounts counts)
    {
        lock (_gate)
        {
            // Reactors that were never disposed.
            foreach (ReactorCounts lost in _live.Where(static live => live.Gauges is null).ToArray())
            {
                End(lost);
            }

            _live.Add(counts);
        }
    }

    /// <summary>The reactor has ended: its numbers are kept, and it has no state any more. Idempotent.</summary>
    public void End(ReactorCounts counts)
    {
        lock (_gate)
        {
            if (_live.Remove(counts))
            {
                _ended.Add(counts);
            }
        }
    }

    /// <summary>The tags to count by: these, or without the address if there are too many.</summary>
    public EndpointTags Limit(EndpointTags tags)
    {
        if (tags.Address is null)
        {
            return tags;
        }

        lock (_gate)
        {
            bool isOne = _addresses.Contains(tags) || (_addresses.Count < MaxAddresses && _addresses.Add(tags));
            return isOne ? tags : tags.WithoutAddress();
        }
    }

    /// <summary>Reads the numbers of the connections, each of which counts once.</summary>
    public T ReadConnections<T>(Func<IEnumerable<ConnectionCounts>, T> read)
    {
        lock (_gate)
        {
            return read(_live.Append(_ended).SelectMany(static counts => counts.Connections));
        }
    }

    /// <summary>Reads the numbers of the datagram sockets, each of which counts once.</summary>
    public T ReadDatagrams<T>(Func<IEnumerable<DatagramCounts>, T> read)
    {
        lock (_gate)
        {
            return read(_live.Append(_ended).SelectMany(static counts => counts.Datagrams));
        }
    }

    /// <summary>The state of the reactors that are left.</summary>
    public ILoopGauges[] Gauges()
    {
        lock (_gate)
        {
            return [.. _live.Select(static counts => counts.Gauges).OfType<ILoopGauges>()];
        }
    }
}

namespace SelectReactor.Testing.Network;

/// <summary>
/// The selector of a simulated loop. When the network runs the loop's reactor, a wait returns at once and notes until
/// when it would have waited; the network runs the reactor again then. When a test runs the reactor itself, the wait
/// runs the network.
/// </summary>
internal sealed class SimulatedSelector(SimulatedLoop loop) : ISelector
{
    private static readonly TimeSpan _minWait = TimeSpan.FromMilliseconds(1);
    private readonly List<SelectorEntry> _entries = [];
    private volatile bool _isWoken;

    public IReadOnlyList<SelectorEntry> Entries => _entries;

    public int Evicted { get; private set; }

    /// <summary>How many of the next updates fail, as epoll_ctl(2) does without memory.</summary>
    public int UpdatesToFail { get; set; }

    /// <summary>What the next wait throws. Null if it does not fail.</summary>
    public Exception? Fault { get; set; }

    public long SleepsUntil { get; private set; }

    public bool IsWoken => _isWoken;

    public bool IsDisposed { get; private set; }

    private SimulatedHost Host => loop.Host;

    public void Add(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Handle is not SimulatedHandle handle || handle.Host != Host)
        {
            throw new ArgumentException(
                $"{Host.Name} watches its own simulated handles, not a {entry.Handle.GetType().Name}.", nameof(entry));
        }

        if (handle.IsClosed)
        {
            throw new ArgumentException($"{handle} is closed and can't be watched.", nameof(entry));
        }

        entry.State = new Position { Index = _entries.Count };
        _entries.Add(entry);
        loop.Touch();
    }

    public void Update(SelectorEntry entry, Interest previous)
    {
        if (UpdatesToFail > 0)
        {
            UpdatesToFail--;
            Host.Note("the selector refuses a new interest");
            throw new IOException("The system is out of memory.");
        }

        loop.Touch();
    }

    public void Remove(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        SelectorEntry last = _entries[^1];
        int index = PositionOf(entry).Index;
        _entries[index] = last;
        PositionOf(last).Index = index;
        _entries.RemoveAt(_entries.Count - 1);
    }

    public void Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        if (Fault is not null)
        {
            throw Fault;
        }

        SimulatedNetwork network = Host.Network;
        long deadline = wait < TimeSpan.Zero ? long.MaxValue : network.After(wait);
        if (network.Clock.Stands && wait > TimeSpan.Zero)
        {
            // poll(2) counts in milliseconds, so a loop does not spin just before a timer while the clock stands.
            deadline = Math.Max(deadline, network.After(_minWait));
        }

        if (!network.IsRunning)
        {
            RunNetwork(wait, deadline);
        }

        loop.BeginWait();
        Collect(ready);
        network.InternalRandom.Shuffle(ready);
        bool returns = _isWoken || ready.Count > 0;
        _isWoken = false;
        SleepsUntil = returns ? network.Now : deadline;
    }

    public void Wake() => _isWoken = true;

    public void Dispose() => IsDisposed = true;

    private static Position PositionOf(SelectorEntry entry) => (Position)entry.State!;

    private static bool IsReady(SelectorEntry entry) =>
        IsLost(entry) || (((SimulatedHandle)entry.Handle).Readiness & entry.Interest) != Interest.None;

    // Select looks only at those of which it is to tell something.
    private static bool IsLost(SelectorEntry entry) => entry.Handle.IsClosed && entry.Interest != Interest.None;

    private void RunNetwork(TimeSpan wait, long deadline)
    {
        // Every wait takes at least the time of a tick, so that time passes for a loop that never sleeps.
        SimulatedNetwork network = Host.Network;
        loop.Wait(static () => false, network.After(network.Conditions.TickTime));
        long turns = network.UserTurns;
        if (wait != TimeSpan.Zero
            && !loop.Wait(() => _isWoken || _entries.Exists(IsReady) || network.UserTurns != turns, deadline)
            && deadline == long.MaxValue)
        {
            throw new SimulationException(
                $"Seed {network.Seed}: {Host.Name} waits for ever: nothing is left that could happen. "
                    + SimulatedNetwork.RealTimeHint);
        }
    }

    private void Collect(List<SelectorEntry> ready)
    {
        // One draw for the wait: with one for each handle, a host with many of them would never sleep.
        bool isSpurious = Host.Network.InternalRandom.Hits(Host.Network.Conditions.SpuriousReadinessChance);
        for (int i = _entries.Count - 1; i >= 0; i--)
        {
            SelectorEntry entry = _entries[i];
            if (IsLost(entry))
            {
                Evict(entry, ready);
                continue;
            }

            entry.Ready = ((SimulatedHandle)entry.Handle).Readiness & entry.Interest;

            // Not for a connect: no system reports its end too early.
            Interest watched = entry.Interest & (Interest.Read | Interest.Write);
            if (isSpurious && watched != Interest.None && Host.Network.InternalRandom.Below(2) == 0)
            {
                entry.Ready |= watched;
            }

            if (entry.Ready != Interest.None)
            {
                ready.Add(entry);
            }
        }
    }

    private void Evict(SelectorEntry entry, List<SelectorEntry> ready)
    {
        Host.Note("a handle was closed while it was registered");
        Evicted++;
        Remove(entry);
        entry.Evict();
        ready.Add(entry);
    }

    private sealed class Position
    {
        public int Index { get; set; }
    }
}

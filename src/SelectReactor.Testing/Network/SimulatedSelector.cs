namespace SelectReactor.Testing.Network;

/// <summary>
/// The selector of a simulated host. When the network runs the host's reactor, a wait returns at once and leaves a note of
/// how long it would have been: the network comes back then. When a test steps the reactor itself, the wait runs the
/// network.
/// </summary>
internal sealed class SimulatedSelector(SimulatedHost host) : ISelector
{
    private static readonly TimeSpan _shortestWait = TimeSpan.FromMilliseconds(1);
    private readonly List<SelectionKey> _keys = [];
    private volatile bool _isWoken;

    public int Keys => _keys.Count;

    public int Evicted { get; private set; }

    public long SleepsUntil { get; private set; }

    public bool IsWoken => _isWoken;

    public bool IsDisposed { get; private set; }

    public void Add(SelectionKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Handle is not SimulatedHandle handle || handle.Host != host)
        {
            throw new ArgumentException($"{host.Name} watches its own simulated handles, not a {key.Handle.GetType().Name}.", nameof(key));
        }

        key.Slot = _keys.Count;
        _keys.Add(key);
        host.Touch();
    }

    public void Update(SelectionKey key, Interest previous) => host.Touch();

    public void Remove(SelectionKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        SelectionKey last = _keys[^1];
        _keys[key.Slot] = last;
        last.Slot = key.Slot;
        _keys.RemoveAt(_keys.Count - 1);
    }

    public void Select(TimeSpan wait, List<SelectionKey> ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        foreach (SelectionKey key in ready)
        {
            key.Ready = Interest.None;
        }

        ready.Clear();
        SimulatedNetwork network = host.Network;
        long deadline = wait < TimeSpan.Zero ? long.MaxValue : network.After(wait);
        if (network.Clock.Stands && wait > TimeSpan.Zero)
        {
            // As poll(2), which counts in milliseconds: a moment before a timer that does not come nearer is no busy loop.
            deadline = Math.Max(deadline, network.After(_shortestWait));
        }

        if (!network.IsRunning)
        {
            RunNetwork(wait, deadline);
        }

        host.BeginWait();
        Collect(ready);
        network.Dice.Shuffle(ready);
        bool returns = _isWoken || ready.Count > 0;
        _isWoken = false;
        SleepsUntil = returns ? network.Now : deadline;
    }

    public void Wake() => _isWoken = true;

    public void Dispose() => IsDisposed = true;

    private static bool IsReady(SelectionKey key) =>
        IsLost(key) || (((SimulatedHandle)key.Handle).Readiness & key.Interest) != Interest.None;

    // Select looks only at those of which it is to tell something.
    private static bool IsLost(SelectionKey key) => key.Handle.IsClosed && key.Interest != Interest.None;

    private void RunNetwork(TimeSpan wait, long deadline)
    {
        // However short a wait, it takes the time of a tick, so that a loop that never sleeps gets on as well.
        SimulatedNetwork network = host.Network;
        host.Wait(static () => false, network.After(network.Options.TickTime));
        long turns = network.UserTurns;
        if (wait != TimeSpan.Zero
            && !host.Wait(() => _isWoken || _keys.Exists(IsReady) || network.UserTurns != turns, deadline)
            && deadline == long.MaxValue)
        {
            throw new SimulationException(
                $"Seed {network.Seed}: {host.Name} waits for ever: nothing is left that could happen.");
        }
    }

    private void Collect(List<SelectionKey> ready)
    {
        // One draw for the wait: with one for each handle, a host with many of them would never sleep.
        bool isSpurious = host.Network.Dice.Hits(host.Network.Options.SpuriousReadinessChance);
        for (int i = _keys.Count - 1; i >= 0; i--)
        {
            SelectionKey key = _keys[i];
            if (IsLost(key))
            {
                Evict(key, ready);
                continue;
            }

            key.Ready = ((SimulatedHandle)key.Handle).Readiness & key.Interest;

            // Not for a connect, whose end no system reports before it has come.
            Interest watched = key.Interest & (Interest.Read | Interest.Write);
            if (isSpurious && watched != Interest.None && host.Network.Dice.Below(2) == 0)
            {
                key.Ready |= watched;
            }

            if (key.Ready != Interest.None)
            {
                ready.Add(key);
            }
        }
    }

    private void Evict(SelectionKey key, List<SelectionKey> ready)
    {
        host.Note("a handle was closed while it was registered");
        Evicted++;
        Remove(key);
        key.Evict();
        ready.Add(key);
    }
}

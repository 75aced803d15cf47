using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Dispatch;

/// <summary>
/// The connections of a reactor and whatever else takes part in its end, with the lists of those that have work to do
/// in the tick. An exception out of one of them is that one's failure and nobody else's. For the reactor's thread
/// only.
/// </summary>
internal sealed partial class ClientRegistry(
    int capacity, Places? shared, ResumeQueue resumed, CallbackGuard guard, ILogger logger)
{
    private readonly List<IReactorClient> _clients = [];
    private readonly HashSet<IStoppable> _starters = [];
    private readonly List<Action> _waitingForRoom = [];
    private readonly List<IReactorClient> _dirty = [];
    private List<IReactorClient> _closing = [];
    private List<IReactorClient> _finishing = [];
    private int _opening;

    public IReadOnlyList<IReactorClient> All => _clients;

    /// <summary>Whether there are as many as allowed, with those that will become connections.</summary>
    public bool IsFull => Count >= capacity || (shared is not null && shared.IsFullAt(Count));

    /// <summary>The limit that <see cref="IsFull"/> speaks of; null if there is room.</summary>
    public ReachedLimit? ReachedLimit => Count >= capacity
        ? new ReachedLimit("ReactorOptions.MaxConnections", capacity)
        : shared is not null && IsFull ? new ReachedLimit("ReactorGroupOptions.MaxConnections", shared.Capacity)
        : null;

    /// <summary>The number of connections, with those that will become one. Any thread; on another one it may be a
    /// moment old.</summary>
    public int Count => _clients.Count + Volatile.Read(ref _opening);

    /// <summary>Whether neither a connection is left nor anything that may start one.</summary>
    public bool IsEmpty => _clients.Count == 0 && _starters.Count == 0;

    /// <summary>Whether something is left to settle or to close.</summary>
    public bool HasWork => _dirty.Count > 0 || _closing.Count > 0;

    public bool HasCloses => _closing.Count > 0;

    /// <summary>After <see cref="TryReservePlace"/> in the same tick.</summary>
    public void Add(IReactorClient client)
    {
        client.ClientIndex = _clients.Count;
        _clients.Add(client);
        Debug.Assert(shared is null || shared.Cover(Count), "the place was not reserved");
        if (TellsOfTheEnd)
        {
            client.BeginStop(StopPhase.Drain);
        }
    }

    public void Remove(IReactorClient client)
    {
        IReactorClient last = _clients[^1];
        _clients[client.ClientIndex] = last;
        last.ClientIndex = client.ClientIndex;
        _clients.RemoveAt(_clients.Count - 1);
        TellOfRoom();
    }

    /// <summary>Something will become a connection, and takes the place of one until
    /// <see cref="EndOpening"/>. After <see cref="TryReservePlace"/> in the same tick.</summary>
    public void BeginOpening()
    {
        _opening++;
        Debug.Assert(shared is null || shared.Cover(Count), "the place was not reserved");
    }

    public void EndOpening()
    {
        _opening--;
        TellOfRoom();
    }

    /// <summary>Calls back once, in a later phase of the loop, when <see cref="IsFull"/> no longer holds.</summary>
    public void WaitForRoom(Action callback) => _waitingForRoom.Add(callback);

    /// <summary>Whether the limit is one for several reactors.</summary>
    public bool SharesLimit => shared is not null;

    /// <summary>Reserves a place for one more connection, until the end of the tick.</summary>
    /// <returns>False if there is none.</returns>
    public bool TryReservePlace() => Count < capacity && (shared?.TryReserve(Count) ?? true);

    /// <summary>Gives back what was reserved and not used.</summary>
    public void GiveBackPlaces() => shared?.KeepOnly(Count);

    /// <summary>Gives the reserved place to another reactor.</summary>
    public void PassPlace() => shared?.Pass();

    /// <summary>Takes over the reserved place of another reactor.</summary>
    public void GrantPlace() => shared?.Grant();

    /// <summary>A copy of the parts that may start a connection.</summary>
    public IStoppable[] Starters() => [.. _starters];

    public void AddStarter(IStoppable starter) => _starters.Add(starter);

    public void RemoveStarter(IStoppable starter) => _starters.Remove(starter);

    public void MarkDirty(IReactorClient client) => _dirty.Add(client);

    public void FinishLater(IReactorClient client) => _closing.Add(client);

    public void SettleDirty()
    {
        guard.Rest();

        // By index, since one that settles may mark another.
        for (int i = 0; i < _dirty.Count; i++)
        {
            IReactorClient client = _dirty[i];
            try
            {
                client.Settle();
            }
            catch (Exception exception)
            {
                Fail(client, exception);
            }
        }

        _dirty.Clear();
    }

    public void FinishCloses()
    {
        // A connection that an OnClosed closes has its turn in the next tick, which does not wait.
        (_closing, _finishing) = (_finishing, _closing);
        foreach (IReactorClient client in _finishing)
        {
            try
            {
                client.FinishClose();
            }
            catch (Exception exception)
            {
                ReactorLog.ClientFault(logger, exception);
                Forget(client);
            }

            guard.EndCallback();
        }

        _finishing.Clear();
        GiveBackPlaces();
        if (_waitingForDrain.Count > 0)
        {
            ContinueDrain();
        }
    }

    /// <summary>A call of the loop threw: the part that was called gives up.</summary>
    public void Fail(IFallible part, Exception error)
    {
        ReactorLog.ClientFault(logger, error);
        try
        {
            part.Fail(error);
        }
        catch (Exception exception)
        {
            ReactorLog.ClientFault(logger, exception);
        }
    }

    /// <summary>Calls those who wait for room if there is some.</summary>
    public void TellOfRoom()
    {
        if (_waitingForRoom.Count > 0 && !IsFull)
        {
            foreach (Action callback in _waitingForRoom)
            {
                resumed.Add(new WorkItem(static callback => ((Action)callback!)(), callback));
            }

            _waitingForRoom.Clear();
        }
    }

    // One that failed halfway through its close must not hold up the end.
    private void Forget(IReactorClient client)
    {
        if (client.ClientIndex < _clients.Count && _clients[client.ClientIndex] == client)
        {
            Remove(client);
        }
    }
}

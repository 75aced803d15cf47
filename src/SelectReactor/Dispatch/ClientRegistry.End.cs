namespace SelectReactor.Dispatch;

/// <content>The end of the connections: of all with the reactor, and of those in a drain.</content>
internal sealed partial class ClientRegistry
{
    private readonly List<Action> _waitingForDrain = [];
    private volatile DrainState _drain;

    /// <summary>How far a drain has come. Any thread.</summary>
    public DrainState Drain => _drain;

    /// <summary>Whether the connections were told of the end, and those that open now are told.</summary>
    public bool TellsOfTheEnd => _drain != DrainState.None;

    /// <summary>Lets all stop.</summary>
    public void BeginStop(StopPhase phase)
    {
        foreach (IStoppable starter in _starters.ToArray())
        {
            BeginStop(starter, phase);
        }

        if (phase == StopPhase.Drain)
        {
            BeginDrain();
        }
        else
        {
            StopConnections(phase);
        }
    }

    /// <summary>Tells the connections of the end, once, and those that open later. Listeners, and what becomes a
    /// connection, go on.</summary>
    public void BeginDrain()
    {
        bool wereTold = TellsOfTheEnd;
        if (_drain is DrainState.None or DrainState.Over)
        {
            _drain = DrainState.Telling;
        }

        if (!wereTold)
        {
            StopConnections(StopPhase.Drain);
        }
    }

    /// <summary>After <see cref="BeginDrain"/>: closes the connections, and ends what becomes one. Listeners go
    /// on.</summary>
    public void EndDrain()
    {
        _drain = DrainState.Closing;
        StopConnections(StopPhase.Close);
        foreach (IOpening opening in _starters.OfType<IOpening>().ToArray())
        {
            BeginStop(opening, StopPhase.Close);
        }
    }

    /// <summary>Calls back once, at the end of a tick, when neither a connection is left nor what becomes one, which
    /// ends the drain. The callback must not call the user.</summary>
    public void WaitForDrain(Action callback) => _waitingForDrain.Add(callback);

    /// <summary>The reactor has ended: gives back all places, and calls those who wait for a drain.</summary>
    public void End()
    {
        shared?.KeepOnly(0);
        CompleteDrain();
    }

    private void StopConnections(StopPhase phase)
    {
        foreach (IReactorClient client in _clients.ToArray())
        {
            BeginStop(client, phase);
        }
    }

    private void ContinueDrain()
    {
        if (Count == 0 && !_starters.Any(static starter => starter is IOpening))
        {
            CompleteDrain();
        }
        else if (_drain == DrainState.Closing)
        {
            // Handlers still connect to others.
            EndDrain();
        }
    }

    private void CompleteDrain()
    {
        _drain = DrainState.Over;
        _waitingForDrain.ForEach(static callback => callback());
        _waitingForDrain.Clear();
    }

    /// <summary>Lets one part stop.</summary>
    public void BeginStop(IStoppable part, StopPhase phase)
    {
        try
        {
            part.BeginStop(phase);
        }
        catch (Exception exception)
        {
            // A listener or an attempt that could not stop must not hold up the end.
            _starters.Remove(part);
            if (part is IFallible fallible)
            {
                Fail(fallible, exception);
            }
            else
            {
                ReactorLog.ClientFault(logger, exception);
            }
        }

        guard.EndCallback();
    }
}

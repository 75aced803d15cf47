namespace SelectReactor.Connections;

/// <summary>Lets the writes of a connection's streams follow each other in the order of their calls. For the reactor's
/// thread only.</summary>
internal sealed class WriteTurns(Reactor reactor)
{
    private readonly LinkedList<WriteTurn> _waiting = new();

    /// <summary>Whether a write is under way.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>Takes the turn, at once or after the writes that came before.</summary>
    /// <returns>True: <see cref="Leave"/> must follow. False if the output has ended meanwhile: the caller does not
    /// have the turn.</returns>
    public ValueTask<bool> EnterAsync(CancellationToken cancellationToken)
    {
        if (!IsTaken)
        {
            IsTaken = true;
            return ValueTask.FromResult(true);
        }

        return new ValueTask<bool>(new WriteTurn(reactor, _waiting, cancellationToken).Task);
    }

    /// <summary>Passes the turn on. The next write continues in a later phase of the loop. If the output has ended,
    /// all that wait continue in one phase, since the number of phases at the reactor's end is limited.</summary>
    public void Leave(bool hasOutput)
    {
        IsTaken = hasOutput && _waiting.Count > 0;
        if (IsTaken)
        {
            _waiting.First!.Value.End(isGiven: true);
            return;
        }

        while (_waiting.First is { } next)
        {
            next.Value.End(isGiven: false);
        }
    }
}

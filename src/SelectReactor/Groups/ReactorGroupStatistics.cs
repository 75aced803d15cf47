namespace SelectReactor;

/// <summary>Numbers of a <see cref="ReactorGroup"/> at one moment. They may be a moment apart.</summary>
public sealed class ReactorGroupStatistics
{
    /// <summary>The number of open connections of each reactor, accepted and outgoing, with those that are on their
    /// way to it, in the order of <see cref="ReactorGroup.Reactors"/>.</summary>
    public IReadOnlyList<int> ConnectionsOfReactors { get; init; } = [];

    /// <summary>What each reactor is doing, in the same order.</summary>
    public IReadOnlyList<ReactorState> StatesOfReactors { get; init; } = [];

    /// <summary>The number of open connections of all reactors.</summary>
    public int Connections => ConnectionsOfReactors.Sum();

    /// <summary>The number of clients that the group's listeners have accepted and given to a handler, with those of
    /// listeners that are closed.</summary>
    public long Accepted { get; init; }

    /// <summary>The number of clients that the group's listeners have refused, with those of listeners that are
    /// closed.</summary>
    public long Refused { get; init; }

    /// <summary>The numbers in one line, with the states of the reactors that do not serve as usual.</summary>
    public override string ToString() =>
        $"{Connections} connections ({string.Join(", ", ConnectionsOfReactors.Select(Describe))}), "
        + $"{Accepted} accepted, {Refused} refused";

    private string Describe(int connections, int index) =>
        StatesOfReactors.ElementAtOrDefault(index) is not (ReactorState.Running or ReactorState.NotRunning)
            ? $"{connections} {StatesOfReactors[index].ToString().ToLowerInvariant()}"
            : $"{connections}";
}

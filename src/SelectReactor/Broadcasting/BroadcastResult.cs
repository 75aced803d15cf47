namespace SelectReactor;

/// <summary>How many members of a <see cref="ConnectionGroup"/> a message was for. Members that are closing, or whose
/// output was completed, are not counted.</summary>
public readonly record struct BroadcastResult
{
    /// <summary>Members in whose queues the message is.</summary>
    public int Sent { get; init; }

    /// <summary>Slow members that did not get it.</summary>
    public int Skipped { get; init; }

    /// <summary>Slow members that were cut.</summary>
    public int Aborted { get; init; }
}

namespace SelectReactor;

/// <summary>What a <see cref="ConnectionGroup"/> does with a member that does not read fast enough.</summary>
public enum WhenSlow
{
    /// <summary>The member does not get this message. It gets later ones when its queue is shorter.</summary>
    Skip,

    /// <summary>The member is cut (RST) with <see cref="CloseKind.LimitExceeded"/>, and its queue is
    /// discarded.</summary>
    Abort,
}

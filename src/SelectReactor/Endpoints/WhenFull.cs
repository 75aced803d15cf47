namespace SelectReactor;

/// <summary>What a listener does when there are as many connections as may be.</summary>
public enum WhenFull
{
    /// <summary>It accepts nobody until one closes; clients wait in the backlog, as long as that has room.</summary>
    Pause,

    /// <summary>It accepts and cuts (RST), so that clients learn at once that they are not served.</summary>
    Refuse,
}

namespace SelectReactor;

/// <summary>What a <see cref="ReconnectingClient"/> is doing.</summary>
public enum ReconnectState
{
    /// <summary>It was not started.</summary>
    Idle,

    /// <summary>An attempt to connect is under way.</summary>
    Connecting,

    /// <summary>It has a connection.</summary>
    Connected,

    /// <summary>It waits before the next attempt.</summary>
    Waiting,

    /// <summary>It was told to stop, and its connection or attempt is ending.</summary>
    Stopping,

    /// <summary>It has ended for good.</summary>
    Stopped,
}

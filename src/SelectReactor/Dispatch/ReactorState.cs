namespace SelectReactor;

/// <summary>What a <see cref="Reactor"/> is doing.</summary>
public enum ReactorState
{
    /// <summary>No thread runs the loop at the moment.</summary>
    NotRunning,

    /// <summary>The loop runs.</summary>
    Running,

    /// <summary>Its connections end, and it goes on (<see cref="ReactorGroup.DrainAsync"/>).</summary>
    Draining,

    /// <summary>Its connections have ended, and it goes on (<see cref="ReactorGroup.DrainAsync"/>).</summary>
    Drained,

    /// <summary>A shutdown has begun, or it is disposed and closes what is left.</summary>
    Stopping,

    /// <summary>It is disposed, and everything is closed.</summary>
    Ended,

    /// <summary>An exception has ended the loop, and everything is closed. <see cref="Reactor.ToString"/> names the
    /// exception.</summary>
    Failed,
}

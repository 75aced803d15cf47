namespace SelectReactor.Soak.Workloads;

/// <summary>How a player ends its connection.</summary>
internal enum EndKind
{
    /// <summary>Waits for the peer's end of stream, and closes when it has sent its own.</summary>
    Wait,

    /// <summary>Closes when it has sent all, whatever the peer still has to say.</summary>
    Close,

    /// <summary>Ends its output when it has sent all, and reads on.</summary>
    CloseOutput,

    /// <summary>Aborts in the middle.</summary>
    Abort,

    /// <summary>Throws in the middle.</summary>
    Throw,
}

/// <summary>How a player reads.</summary>
internal enum ReadKind
{
    /// <summary>All that there is.</summary>
    All,

    /// <summary>A few bytes a callback.</summary>
    Sip,

    /// <summary>Nothing until a frame is whole.</summary>
    Frames,

    /// <summary>All, and pauses for a while after each.</summary>
    Pause,

    /// <summary>A few bytes, and pauses for a long while after each: the system has much more than the
    /// program.</summary>
    Slow,
}

/// <summary>How a player writes.</summary>
internal enum WriteKind
{
    /// <summary>As much as it may, and on when it may again.</summary>
    UntilFull,

    /// <summary>All at once, whatever the marks say.</summary>
    AllAtOnce,

    /// <summary>A chunk now and then.</summary>
    Trickle,

    /// <summary>Holds the memory for a chunk for a while, and writes something else in between.</summary>
    Held,

    /// <summary>As much as is not refused, and on when it may again.</summary>
    Try,
}

internal enum FaultKind
{
    Reset,
    Partition,
    Stall,
    Leap,
    StepWallClock,
    Freeze,
    Exhaust,
    FailAccepts,
    Spend,
    Shutdown,
}

/// <summary>What one side of a connection does. Sizes are in bytes. <paramref name="ClosedAfterMs"/> is when another
/// piece of the program closes the connection; 0 is never.</summary>
internal sealed record PlayerPlan(
    bool IsAsync,
    int Bytes,
    int Chunk,
    WriteKind Write,
    ReadKind Read,
    EndKind End,
    int BreakAfter,
    int PauseMs,
    int ClosedAfterMs);

/// <summary>How much memory a connection may take, and how long its close waits. Some limits are below the number of
/// bytes that are sent: then they end the connection.</summary>
internal sealed record LimitPlan(
    int HighWaterMark, int PauseThreshold, int MaxInputBytes, int MaxOutputBytes, int LingerSeconds)
{
    /// <summary>A close that waits for so long outlasts every peer that means well.</summary>
    public const int LongLinger = 600;
}

/// <summary>One connection: when it is made, what its sides do, and how narrow their limits are.</summary>
internal sealed record ConnectionPlan(
    int Client, int StartMs, bool ByName, LimitPlan Limits, PlayerPlan Caller, PlayerPlan Callee)
{
    /// <summary>Whether both sides mean to end in good order.</summary>
    public bool IsOrderly => IsPolite(Caller) && IsPolite(Callee);

    private static bool IsPolite(PlayerPlan plan) => plan.End is not (EndKind.Abort or EndKind.Throw);
}

/// <summary>A timer, and what is done to it on the way: it is changed or cancelled after so many milliseconds, if
/// any.</summary>
internal sealed record TimerPlan(int StartMs, int DueMicroseconds, int PeriodMs, int ChangeAfterMs, int CancelAfterMs);

internal sealed record FaultPlan(int AtMs, FaultKind Kind, int Host, int DurationMs);

/// <summary>A run: everything that chance decides is in it, so that it can be made smaller, piece by piece.</summary>
internal sealed record Workload(int Seed, ConnectionPlan[] Connections, TimerPlan[] Timers, FaultPlan[] Faults)
{
    /// <summary>Whether nothing keeps the connections from an orderly end.</summary>
    public bool IsCalm => Faults.Length == 0;

    /// <summary>Whether nothing keeps a timer from its turn.</summary>
    public bool IsPunctual => !Array.Exists(
        Faults, static fault =>
            fault.Kind is FaultKind.Stall or FaultKind.Leap or FaultKind.Freeze or FaultKind.Spend);

    public override string ToString() => string.Join(
        '\n', [$"Seed = {Seed}", .. Connections.Select(Line), .. Timers.Select(Line), .. Faults.Select(Line)]);

    private static string Line<T>(T plan) => $"  {plan}";
}

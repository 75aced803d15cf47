namespace SelectReactor.Connections;

/// <summary>How far a connection is in its life; it only ever goes forward.</summary>
internal enum ConnectionPhase : byte
{
    Opening,
    Open,

    /// <summary>Closed by this side, or ended in both directions: the rest of the output is on its way, input is
    /// dropped.</summary>
    Closing,

    /// <summary>Over: OnClosed follows at the end of the tick.</summary>
    Finishing,
    Closed,
}

/// <summary>How far the stream from the peer has come.</summary>
internal enum InputState : byte
{
    Open,

    /// <summary>The peer's end of stream or an error has arrived; the handler still has input to look at
    /// first.</summary>
    EndSeen,

    /// <summary>The handler knows.</summary>
    Ended,
}

/// <summary>How far the stream to the peer has come.</summary>
internal enum OutputState : byte
{
    Open,

    /// <summary>Nothing more is written; the queue is still sent.</summary>
    Draining,

    /// <summary>FIN is sent, or nothing can be sent any more.</summary>
    Ended,
}

/// <summary>Why nothing is received at the moment.</summary>
[Flags]
internal enum PauseReason : byte
{
    None = 0,

    /// <summary>The user paused it.</summary>
    User = 1,

    /// <summary>The handler has left too much input unexamined.</summary>
    InputFull = 2,

    /// <summary>The output is above its high-water mark.</summary>
    OutputFull = 4,
}

/// <summary>Work of a connection that waits for the phase of the tick in which users may be called.</summary>
[Flags]
internal enum DeferredWork : byte
{
    None = 0,
    FlushResult = 1,
    Writable = 2,
    ReadResult = 4,
    Readable = 8,
    Attached = 16,
    Stopping = 32,

    /// <summary>To receive what the handle holds: the selector does not tell of it.</summary>
    Receive = 64,
}

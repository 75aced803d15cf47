namespace SelectReactor;

/// <summary>The kinds of readiness that a <see cref="SelectionKey"/> watches for, and those that a wait
/// found.</summary>
[Flags]
public enum Interest : byte
{
    /// <summary>Nothing: the handle stays registered and is not watched.</summary>
    None = 0,

    /// <summary>Bytes, the peer's end of stream, an error, or on a listening handle a connection to accept.</summary>
    Read = 1,

    /// <summary>Room in the send buffer. An idle socket always has room, so ask only while output is
    /// waiting.</summary>
    Write = 2,

    /// <summary>The end of a connection attempt, with success or without: <see cref="Handle.TakeError"/>
    /// tells.</summary>
    Connect = 4,
}

using System.Net;

namespace SelectReactor;

/// <summary>An attempt of a <see cref="ReconnectingClient"/> that failed.</summary>
public readonly record struct FailedAttempt
{
    /// <summary>The end point that was tried.</summary>
    public required EndPoint EndPoint { get; init; }

    /// <summary>Why it failed.</summary>
    public required Exception Error { get; init; }

    /// <summary>How many attempts, and connections that were lost too early, have failed in a row: from 1
    /// on.</summary>
    public required int Failures { get; init; }

    /// <summary>The time until the next attempt. Null if there is none: the client has given up.</summary>
    public required TimeSpan? NextAttemptIn { get; init; }
}

/// <summary>A connection of a <see cref="ReconnectingClient"/> that has ended.</summary>
public readonly record struct LostConnection
{
    /// <summary>The connection, which is closed.</summary>
    public required Connection Connection { get; init; }

    /// <summary>Why it ended.</summary>
    public required CloseReason Reason { get; init; }

    /// <summary>How long it was open.</summary>
    public required TimeSpan OpenFor { get; init; }

    /// <summary>The time until the next attempt. Null if there is none: the client has ended.</summary>
    public required TimeSpan? NextAttemptIn { get; init; }
}

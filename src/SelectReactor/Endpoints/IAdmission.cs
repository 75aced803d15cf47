using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>Where the clients go that an <see cref="Acceptor"/> accepts.</summary>
internal interface IAdmission
{
    /// <summary>Whether a limit on connections is reached.</summary>
    bool IsFull { get; }

    /// <summary>The limit that is reached; null if there is room.</summary>
    ReachedLimit? ReachedLimit { get; }

    /// <summary>What tells the log of pauses at a limit.</summary>
    LimitNotice LimitNotice { get; }

    /// <summary>Where clients are to wait when the limit is reached, reserves a place for one that is about to be
    /// accepted: other reactors may take the last one meanwhile. Nobody else can have it until <see cref="Admit"/> or
    /// <see cref="EndAccept"/>.</summary>
    /// <returns>False if there is none and clients are to wait.</returns>
    bool TryReserve();

    /// <summary>No more clients are accepted now: gives back a reserved place.</summary>
    void EndAccept();

    /// <summary>Opens a connection for an accepted client, or refuses it.</summary>
    void Admit(Handle handle);

    /// <summary>Resets a client and counts it as refused.</summary>
    void Refuse(Handle handle, Refusal refusal);

    /// <summary>Ends connections that only linger, so that there are descriptors after the tick.</summary>
    /// <returns>False if there is none on this reactor.</returns>
    bool TryFreeDescriptors();

    /// <summary>Accepting has failed: counts it for the tag <c>error.type</c>.</summary>
    void CountAcceptError(string errorType);

    /// <summary>Accepting pauses or goes on.</summary>
    /// <param name="reason">The place in <see cref="Diagnostics.AcceptPauseReasons"/>.</param>
    /// <param name="change">1 at the begin of the pause, -1 at its end.</param>
    void CountPaused(int reason, int change);
}

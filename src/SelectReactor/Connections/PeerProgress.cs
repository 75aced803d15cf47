namespace SelectReactor.Connections;

/// <summary>How a peer takes the output, and since when its end is awaited: the part of <see cref="Deadlines"/> that
/// most connections do not need.</summary>
internal sealed class PeerProgress
{
    private long _taken;
    private long _windowTaken;
    private bool _wasOnItsWay;

    /// <summary>Whether the system has not taken everything since <see cref="Block"/>.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>When the peer was last seen to have taken something.</summary>
    public long TakenAt { get; private set; }

    /// <summary>When the period began in which it must take <see cref="Deadlines.MinProgress"/> bytes.</summary>
    public long WindowAt { get; private set; }

    /// <summary>When only the end was left to await; null before.</summary>
    public long? EndAt { get; set; }

    public void Block(long now)
    {
        IsBlocked = true;
        WindowAt = now;
        _windowTaken = _taken;
    }

    public void Unblock() => IsBlocked = false;

    /// <inheritdoc cref="Deadlines.Progress"/>
    public void Note(long taken, bool isOnItsWay, long now)
    {
        // What was taken long before an earlier look is no progress; only output that was on its way then, or is now,
        // tells.
        if (taken > _taken && (isOnItsWay || _wasOnItsWay))
        {
            TakenAt = now;
        }

        if (taken - _windowTaken >= Deadlines.MinProgress)
        {
            WindowAt = now;
            _windowTaken = taken;
        }

        _taken = taken;
        _wasOnItsWay = isOnItsWay;
    }
}

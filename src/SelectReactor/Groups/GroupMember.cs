namespace SelectReactor.Groups;

/// <summary>One reactor of a group, as the listeners of the group see it. Any thread.</summary>
internal sealed class GroupMember(Reactor reactor)
{
    private volatile bool _isDraining;
    private int _onTheWay;

    public Reactor Reactor => reactor;

    /// <summary>Whether its loop goes on.</summary>
    public bool IsRunning => !reactor.Stopping.IsCancellationRequested && !reactor.IsDisposed;

    /// <summary>Whether new connections may be given to it.</summary>
    public bool TakesClients => !_isDraining && IsRunning;

    /// <summary>The number of its connections, with those that are given to it and not open yet.</summary>
    public int Load => reactor.ConnectionCount + Volatile.Read(ref _onTheWay);

    public void StopTaking() => _isDraining = true;

    /// <summary>Calls back on the reactor's thread with a client that counts in <see cref="Load"/> at once.</summary>
    /// <returns>False if the reactor is disposed.</returns>
    public bool TryGive(Action<object?> receive, object client)
    {
        Interlocked.Increment(ref _onTheWay);
        bool isPosted = reactor.TryPost(receive, client);
        if (!isPosted)
        {
            NoteArrival();
        }

        return isPosted;
    }

    public void NoteArrival() => Interlocked.Decrement(ref _onTheWay);
}

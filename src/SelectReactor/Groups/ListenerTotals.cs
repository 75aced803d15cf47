namespace SelectReactor.Groups;

/// <summary>The listeners of a group, and what those that are gone have counted. Any thread.</summary>
internal sealed class ListenerTotals
{
    private readonly Lock _gate = new();
    private readonly List<GroupAccept> _open = [];
    private long _accepted;
    private long _refused;

    public void Add(GroupAccept listener)
    {
        lock (_gate)
        {
            _open.Add(listener);
        }

        // Not ContinueWith, which would keep the caller's execution context alive for as long as the listener.
        listener.Drained.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(() => Remove(listener));
    }

    public (long Accepted, long Refused) Read()
    {
        lock (_gate)
        {
            return (_accepted + _open.Sum(static listener => listener.Accepted),
                _refused + _open.Sum(static listener => listener.Refused));
        }
    }

    private void Remove(GroupAccept listener)
    {
        lock (_gate)
        {
            _open.Remove(listener);
            _accepted += listener.Accepted;
            _refused += listener.Refused;
        }
    }
}

namespace SelectReactor.Connections;

/// <summary>The timers of one connection. None of them calls back once the connection closes.</summary>
internal struct ConnectionTimers
{
    private const int FirstSweep = 8;
    private List<ReactorTimer>? _timers;

    public void Add(ReactorTimer timer)
    {
        _timers ??= [];
        if (_timers.Count == _timers.Capacity)
        {
            // Those that have fired are let go; each sweep is paid for by as many timers as it looks at.
            _timers.RemoveAll(static timer => !timer.IsActive);
            _timers.EnsureCapacity(Math.Max(2 * _timers.Count, FirstSweep));
        }

        _timers.Add(timer);
    }

    public void Cancel()
    {
        _timers?.ForEach(static timer => timer.Cancel());
        _timers = null;
    }
}

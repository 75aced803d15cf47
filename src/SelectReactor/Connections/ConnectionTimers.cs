namespace SelectReactor.Connections;

/// <summary>The timers of one connection. None of them calls back once the connection closes.</summary>
internal struct ConnectionTimers
{
    private const int FirstSweep = 8;
    private List<ReactorTimer>? _timers;
    private int _nextSweep;

    public void Add(ReactorTimer timer)
    {
        _timers ??= [];
        if (_timers.Count >= Math.Max(_nextSweep, FirstSweep))
        {
            // Those that have fired are let go; each sweep is paid for by as many timers as it looks at.
            _timers.RemoveAll(static timer => !timer.IsActive);
            _nextSweep = 2 * _timers.Count;
        }

        _timers.Add(timer);
    }

    public void Cancel()
    {
        _timers?.ForEach(static timer => timer.Cancel());
        _timers = null;
    }
}

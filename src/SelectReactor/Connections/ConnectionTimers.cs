namespace SelectReactor.Connections;

/// <summary>The timers of one connection. None of them calls back once the connection closes.</summary>
internal struct ConnectionTimers
{
    private const int FirstSweep = 8;
    private List<ReactorTimer>? _timers;
    private int _nextSweep;

    /// <summary>What a timer of a connection calls.</summary>
    public static void CallUnlessClosing(Connection connection, Action callback)
    {
        if (connection.State > ConnectionState.Open)
        {
            return;
        }

        try
        {
            callback();
        }
        catch (Exception exception)
        {
            connection.Fault(exception, nameof(Connection.Schedule));
        }
    }

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

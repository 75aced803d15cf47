using SelectReactor.Dispatch;

namespace SelectReactor.Groups;

/// <summary>Ends the connections of one reactor, which goes on. For the reactor's thread only.</summary>
internal sealed class ReactorDrain(Reactor reactor)
{
    private bool _isOver;

    public async Task RunAsync(TimeSpan deadline)
    {
        reactor.StopConnections(StopPhase.Drain);
        ReactorTimer? timer = deadline == Timeout.InfiniteTimeSpan ? null : reactor.Schedule(deadline, Close);
        while (reactor.Connections.Count > 0)
        {
            if (_isOver)
            {
                // Handlers still connect to others.
                Close();
            }

            await Task.WhenAll(reactor.Connections.Select(static connection => connection.Completion));
        }

        timer?.Cancel();
    }

    private void Close()
    {
        _isOver = true;
        reactor.StopConnections(StopPhase.Close);
    }
}

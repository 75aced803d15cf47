using SelectReactor.Connections;
using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <content>The end of the connections of one listener, while the reactor goes on.</content>
internal sealed partial class Admission
{
    private readonly HashSet<OpeningSequence> _openings = [];
    private ReactorTimer? _deadline;

    /// <summary>Null until the listener drains.</summary>
    private StopPhase? _stop;

    /// <summary>Tells the connections of the end, and those that open later, and closes those that are left at the
    /// deadline. A further call sets a new one.</summary>
    public void Drain(TimeSpan deadline)
    {
        _deadline?.Cancel();
        _deadline = deadline == Timeout.InfiniteTimeSpan
            ? null
            : _reactor.Schedule(deadline, static self => ((Admission)self!).Stop(StopPhase.Close), this);
        Stop(StopPhase.Drain);
    }

    private void Stop(StopPhase phase)
    {
        if (_stop >= phase)
        {
            return;
        }

        _stop = phase;
        foreach (StreamConnection connection in _reactor.Registry.All.OfType<StreamConnection>()
            .Where(connection => connection.EndsTo(_onFinished)).ToArray())
        {
            _reactor.Registry.BeginStop(connection, phase);
        }

        // A client in its handshake may still become a connection, which is told.
        foreach (OpeningSequence opening in phase == StopPhase.Close ? _openings.ToArray() : [])
        {
            _reactor.Registry.BeginStop(opening, phase);
        }
    }
}

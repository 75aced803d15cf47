namespace SelectReactor.Dispatch;

/// <summary>
/// The end in good order: from the first call of <see cref="Reactor.ShutdownAsync"/> until the last connection is
/// closed and the code that waited for its end has run. For the reactor's thread only, except <see cref="Task"/> and
/// <see cref="Stopping"/>.
/// </summary>
internal sealed class GracefulShutdown
{
    /// <summary>At the end, so many rounds are left to the callbacks and awaits that are still under way. More come
    /// only from callbacks that post for ever.</summary>
    public const int MaxEndRounds = 1000;

    private readonly Reactor _reactor;
    private readonly ClientRegistry _clients;
    private readonly ReactorCompletion<bool> _completion;
    private readonly Action _cancel;
    private ReactorTimer? _deadline;
    private Phase _phase;
    private int _rounds;

    public GracefulShutdown(Reactor reactor, ClientRegistry clients)
    {
        _reactor = reactor;
        _clients = clients;
        _completion = new ReactorCompletion<bool>(reactor);

        // Without a timer or a wait handle a source has nothing to dispose of.
        var source = new CancellationTokenSource();
        _cancel = source.Cancel;
        Stopping = source.Token;
    }

    private enum Phase
    {
        None,
        Draining,
        Over,
    }

    /// <summary>Completes with the shutdown, or when the reactor is disposed. Any thread.</summary>
    public Task Task => _completion.Task;

    /// <summary>Cancelled when the shutdown begins, or when the reactor closes without one. Any thread.</summary>
    public CancellationToken Stopping { get; }

    public bool HasBegun => _phase != Phase.None;

    /// <summary>Whether nothing is left that <see cref="Reactor.Run()"/> should go on for.</summary>
    public bool IsOver => _phase == Phase.Over;

    /// <summary>Whether the deadline is still to come: code that awaited the end may go on until then.</summary>
    public bool HasTimeLeft => _deadline is null or { IsActive: true };

    private bool IsQuiet => !_reactor.HasWork || _rounds > MaxEndRounds;

    public void Begin(TimeSpan deadline)
    {
        if (_completion.IsCompleted)
        {
            return;
        }

        _deadline?.Cancel();
        _deadline = deadline == Timeout.InfiniteTimeSpan
            ? null
            : _reactor.Schedule(
                deadline, static clients => ((ClientRegistry)clients!).BeginStop(StopPhase.Close), _clients);
        if (_phase == Phase.None)
        {
            _phase = Phase.Draining;
            Announce();
            _clients.BeginStop(StopPhase.Drain);
        }
    }

    /// <summary>Cancels <see cref="Stopping"/>. An exception of a callback on it is logged. Only in a phase of the
    /// loop.</summary>
    public void Announce()
    {
        _reactor.BeginCallback("a callback on Reactor.Stopping");
        try
        {
            _cancel();
        }
        catch (AggregateException exception)
        {
            foreach (Exception fault in exception.InnerExceptions)
            {
                ReactorLog.StoppingTokenFault(_reactor.Logger, fault);
            }
        }

        _reactor.EndCallback();
    }

    /// <summary>Looks at the end of a tick whether the end has come.</summary>
    public void EndTick()
    {
        if (_phase != Phase.Draining || !_clients.IsEmpty)
        {
            return;
        }

        _rounds++;
        if (IsQuiet)
        {
            // The code that awaits the shutdown on this thread goes on at once, and may have more to do.
            Complete();
            _phase = IsQuiet ? Phase.Over : Phase.Draining;
        }
    }

    public void Complete() => _completion.CompleteNow(System.Threading.Tasks.Task.FromResult(true));
}

namespace SelectReactor.Dispatch;

/// <summary>
/// The end in good order: from the first call of <see cref="Reactor.ShutdownAsync"/> until the last connection is
/// closed and the code that waited for its end has run. For the reactor's thread only, except <see cref="Task"/>.
/// </summary>
internal sealed class GracefulShutdown(Reactor reactor, ClientRegistry clients)
{
    /// <summary>At the end, so many rounds are left to the callbacks and awaits that are still under way. More come
    /// only from callbacks that post for ever.</summary>
    public const int MaxEndRounds = 1000;

    private readonly ReactorCompletion<bool> _completion = new(reactor);
    private ReactorTimer? _deadline;
    private int _rounds;

    /// <summary>Completes with the shutdown, or when the reactor is disposed. Any thread.</summary>
    public Task Task => _completion.Task;

    public bool HasBegun => _deadline is not null;

    /// <summary>Whether nothing is left that <see cref="Reactor.Run(CancellationToken)"/> should go on for.</summary>
    public bool IsOver { get; private set; }

    private bool IsQuiet => !reactor.HasWork || _rounds > MaxEndRounds;

    public void Begin(TimeSpan deadline)
    {
        if (_deadline is null)
        {
            _deadline = reactor.Schedule(
                deadline, static clients => ((ClientRegistry)clients!).BeginStop(StopPhase.Close), clients);
            clients.BeginStop(StopPhase.Drain);
        }
        else if (!_completion.IsCompleted)
        {
            _deadline.Change(deadline);
        }
    }

    /// <summary>Looks at the end of a tick whether the end has come.</summary>
    public void EndTick()
    {
        if (!HasBegun || IsOver || !clients.IsEmpty)
        {
            return;
        }

        _rounds++;
        if (IsQuiet)
        {
            // The code that awaits the shutdown on this thread goes on at once, and may have more to do.
            Complete();
            IsOver = IsQuiet;
        }
    }

    public void Complete()
    {
        _deadline?.Cancel();
        _completion.CompleteNow(System.Threading.Tasks.Task.FromResult(true));
    }
}

using System.Runtime.ExceptionServices;
using SelectReactor.Testing.Network;
using SelectReactor.Testing.Time;

namespace SelectReactor.Testing;

/// <content>The run: one event, or one tick of one reactor, after the other, each at its moment.</content>
public sealed partial class SimulatedNetwork
{
    /// <summary>The usual mistake of a program that waits in vain.</summary>
    internal const string RealTimeHint =
        "The simulation does not wait for real time: does the program use Task.Delay or a timer without the "
        + "TimeProvider of the reactor?";

    private static readonly TimeSpan _maxRunTime = TimeSpan.FromHours(1);
    private readonly EventQueue _events = new();
    private int _depth;

    /// <summary>The first failure. It is kept until the outermost run ends: thrown inside a callback, it would only
    /// end a connection.</summary>
    private ExceptionDispatchInfo? _failure;

    /// <summary>The time since the network was made, in ticks of 100 nanoseconds. The clock may show another
    /// time.</summary>
    internal long Now { get; private set; }

    /// <summary>How often code of the user's has run.</summary>
    internal long UserTurns { get; private set; }

    /// <summary>Whether the network is running. A reactor's wait then returns to it, and does not run it
    /// again.</summary>
    internal bool IsRunning => _depth > 0;

    /// <summary>Whether no packet is on its way and no reactor has work to do now.</summary>
    internal bool IsIdle => _events.Pending == 0 && _loops.TrueForAll(static loop => loop.IsAsleep);

    /// <summary>Runs until a condition is true, for at most an hour of the network's time.</summary>
    /// <inheritdoc cref="RunUntil(Func{bool}, TimeSpan)"/>
    public void RunUntil(Func<bool> condition) => RunUntil(condition, _maxRunTime);

    /// <summary>Runs until a condition is true. Call it outside the reactors' callbacks, like all members that run
    /// the network.</summary>
    /// <param name="condition">Called after each event and each tick. It must not change anything.</param>
    /// <param name="limit">The longest time to run, in the network's time.</param>
    /// <exception cref="ArgumentNullException"><paramref name="condition"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="limit"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="SimulationException">The condition was not true in time, or nothing is left that could
    /// happen, or the program seems to spin.</exception>
    public void RunUntil(Func<bool> condition, TimeSpan limit)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, TimeSpan.Zero);
        VerifyNotRunning();
        if (!Drive(condition, After(limit)))
        {
            _hasFailed = true;
            throw new SimulationException(IsOver
                ? $"Seed {Seed}: the condition did not come true, and nothing is left that could happen. "
                    + RealTimeHint
                : $"Seed {Seed}: the condition did not come true within {limit} of the network's time.");
        }
    }

    /// <summary>Runs until no packet is on its way and no reactor has work to do now; only timers may be left. Runs
    /// for at most an hour of the network's time.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="SimulationException">It was not idle in time, or the program seems to spin.</exception>
    public void RunUntilIdle() => RunUntil(() => IsIdle);

    /// <summary>Runs for this long, in the network's time.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="SimulationException">The program seems to spin.</exception>
    public void RunFor(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        VerifyNotRunning();
        Drive(static () => false, After(time));
    }

    /// <summary>Schedules an action, such as a fault, for a later moment of the run.</summary>
    /// <param name="due">The time from now, in the network's time.</param>
    /// <param name="action">May use the reactors and their connections.</param>
    /// <exception cref="ArgumentNullException"><paramref name="action"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="due"/> is negative.</exception>
    public void Schedule(TimeSpan due, Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentOutOfRangeException.ThrowIfLessThan(due, TimeSpan.Zero);
        ScheduleEvent(due, () => CallUser(action));
    }

    internal EventQueue.ScheduledEvent ScheduleEvent(TimeSpan due, Action action) =>
        _events.Add(After(due), action, isTimer: false);

    internal EventQueue.ScheduledEvent ScheduleEventAt(long at, Action action) =>
        _events.Add(at, action, isTimer: false);

    internal EventQueue.ScheduledEvent ScheduleTimer(TimeSpan due, Action action) =>
        _events.Add(After(due), action, isTimer: true);

    /// <summary>Runs the user's code outside the reactors. No synchronization context is current meanwhile, also when
    /// a reactor's callback runs the network: a task that completes here would otherwise send its continuations to
    /// the thread pool.</summary>
    internal void CallUser(Action action)
    {
        SynchronizationContext? outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            action();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }

        // The code may have given any reactor something to do.
        _loops.ForEach(static loop => loop.Touch());
        NoteUserCode();
    }

    /// <summary>Notes that a reactor which the test itself runs may have new work.</summary>
    internal void NoteUserCode() => UserTurns++;

    internal long After(TimeSpan span) => span.Ticks > long.MaxValue - Now ? long.MaxValue : Now + span.Ticks;

    /// <summary>Runs until the condition is true. Returns false if the deadline comes first.</summary>
    internal bool Drive(Func<bool> isDone, long deadline)
    {
        // Whoever calls may have given any reactor something to do.
        _loops.ForEach(static loop => loop.Touch());
        _depth++;
        try
        {
            for (long steps = 0; !isDone(); steps++)
            {
                if (steps == Conditions.MaxSteps)
                {
                    throw new SimulationException(
                        $"Seed {Seed}: no end after {steps} events and ticks: does something spin?");
                }

                bool stepped = Step(deadline);
                _failure?.Throw();
                if (!stepped)
                {
                    return false;
                }
            }

            return true;
        }
        catch (Exception exception)
        {
            _hasFailed = true;
            _failure ??= ExceptionDispatchInfo.Capture(exception);
            throw;
        }
        finally
        {
            _depth--;
            _failure = _depth == 0 ? null : _failure;
        }
    }

    private void VerifyNotRunning()
    {
        if (IsRunning)
        {
            throw new InvalidOperationException(
                "The network runs already: inside a callback use Schedule, or SimulatedHost.Spend.");
        }
    }

    /// <summary>Whether neither an event nor a tick is left.</summary>
    private bool IsOver =>
        _events.NextAt == long.MaxValue && _loops.TrueForAll(static loop => loop.WakeAt == long.MaxValue);

    private bool Step(long deadline)
    {
        SimulatedLoop? loop = NextLoop();
        long loopAt = loop?.WakeAt ?? long.MaxValue;
        long eventAt = _events.NextAt;
        long at = Math.Min(loopAt, eventAt);
        if (at > deadline || at == long.MaxValue)
        {
            Now = deadline == long.MaxValue ? Now : Math.Max(Now, deadline);
            return false;
        }

        Now = Math.Max(Now, at);
        if (eventAt <= loopAt)
        {
            _events.RunNext();
        }
        else
        {
            loop!.Tick();
        }

        return true;
    }

    // Of those that are due together, chance decides who is first.
    private SimulatedLoop? NextLoop()
    {
        SimulatedLoop? next = null;
        int first = _loops.Count > 1 ? InternalRandom.Below(_loops.Count) : 0;
        for (int i = 0; i < _loops.Count; i++)
        {
            SimulatedLoop loop = _loops[(first + i) % _loops.Count];
            if (!loop.IsBusy && (next is null || loop.WakeAt < next.WakeAt))
            {
                next = loop;
            }
        }

        return next;
    }
}

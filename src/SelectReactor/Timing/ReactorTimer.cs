using System.Diagnostics;
using SelectReactor.Timing;

namespace SelectReactor;

/// <summary>
/// A one-shot or periodic timer of a reactor, made by <see cref="Reactor.Schedule(TimeSpan, Action)"/> or
/// <see cref="Reactor.SchedulePeriodic"/>. Use it on the reactor's thread only. It never fires early. It fires late
/// while the loop is busy.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class ReactorTimer
{
    private readonly TimerQueue _queue;

    internal ReactorTimer(TimerQueue queue, Action<object?> callback, object? state, TimeSpan period)
    {
        _queue = queue;
        Callback = callback;
        State = state;
        Period = period;
    }

    internal enum Phase : byte
    {
        Idle,
        Waiting,
        Due,
    }

    /// <summary>Whether the timer will call back. False once the reactor is disposed.</summary>
    public bool IsActive => Current != Phase.Idle;

    internal Action<object?> Callback { get; }

    internal object? State { get; }

    /// <summary>Zero for a one-shot timer.</summary>
    internal TimeSpan Period { get; private set; }

    internal Phase Current { get; set; }

    internal long DueAt { get; set; }

    internal long Sequence { get; set; }

    internal int HeapIndex { get; set; }

    /// <summary>Sets the time of the next call. Starts a timer again that has fired or was cancelled. A periodic timer
    /// keeps its period.</summary>
    /// <param name="due">From now; zero means in the next tick.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="due"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public void Change(TimeSpan due) => _queue.Schedule(this, due);

    /// <summary>Sets the time of the next call and a new period.</summary>
    /// <param name="due">From now; zero means in the next tick.</param>
    /// <param name="period">The time between two calls from then on; more than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="due"/> is negative or <paramref name="period"/>
    /// is not above zero.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public void Change(TimeSpan due, TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        _queue.Schedule(this, due);
        Period = period;
    }

    /// <summary>Stops the timer. Its callback is not called again, even if it is already due. Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public void Cancel() => _queue.Cancel(this);

    /// <summary>Whether it is active, and its period. Any thread.</summary>
    public override string ToString() =>
        $"Timer: {(IsActive ? "active" : "idle")}{(Period > TimeSpan.Zero ? $", each {Period}" : "")}";
}

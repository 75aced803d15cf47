using SelectReactor.Testing;

namespace SelectReactor.Soak.Workloads;

/// <summary>What the timers of one reactor have in common.</summary>
/// <param name="IsPunctual">Whether nothing keeps them from their turn.</param>
internal sealed record TimerOrder(bool IsPunctual)
{
    /// <summary>When the timer was due that fired last.</summary>
    public long LastDueAt { get; set; }
}

/// <summary>A timer that knows when it is due: never early, never lost, late only where something holds up the
/// reactor, and in its order among the others.</summary>
internal sealed class TimerCheck(
    SimulatedNetwork network, Reactor reactor, TimerPlan plan, TimerOrder order, Judge judge)
{
    private const int MaxBeats = 5;
    private static readonly TimeSpan _mostLate = TimeSpan.FromMilliseconds(2);
    private ReactorTimer? _timer;
    private long _dueAt;
    private int _beats;
    private bool _isCancelled;

    public bool IsDone { get; private set; }

    public void Start()
    {
        var due = TimeSpan.FromMicroseconds(plan.DueMicroseconds);
        _dueAt = network.Clock.GetTimestamp() + due.Ticks;
        _timer = plan.PeriodMs == 0
            ? reactor.Schedule(due, OnDue)
            : reactor.SchedulePeriodic(due, TimeSpan.FromMilliseconds(plan.PeriodMs), OnDue);
        if (plan.ChangeAfterMs > 0)
        {
            network.Schedule(TimeSpan.FromMilliseconds(plan.ChangeAfterMs), Change);
        }

        if (plan.CancelAfterMs > 0)
        {
            network.Schedule(TimeSpan.FromMilliseconds(plan.CancelAfterMs), Cancel);
        }
    }

    private void OnDue()
    {
        long now = network.Clock.GetTimestamp();
        judge.Expect(!_isCancelled, "a cancelled timer does not fire");
        judge.Expect(!IsDone, "a timer that is done does not fire");
        judge.Expect(now >= _dueAt, $"a timer is not early ({now - _dueAt})");
        judge.Expect(!order.IsPunctual || now <= _dueAt + _mostLate.Ticks, $"a timer is not late ({now - _dueAt})");
        judge.Expect(_dueAt >= order.LastDueAt, "timers fire in the order in which they are due");
        order.LastDueAt = _dueAt;
        _beats++;
        if (plan.PeriodMs == 0)
        {
            IsDone = true;
            return;
        }

        long period = TimeSpan.FromMilliseconds(plan.PeriodMs).Ticks;
        _dueAt += period * (((now - _dueAt) / period) + 1);
        if (_beats == MaxBeats)
        {
            Cancel();
        }
    }

    private void Change()
    {
        if (IsDone || _isCancelled)
        {
            return;
        }

        _dueAt = network.Clock.GetTimestamp() + TimeSpan.TicksPerMillisecond;
        _timer!.Change(TimeSpan.FromMilliseconds(1));
    }

    private void Cancel()
    {
        _timer!.Cancel();
        _isCancelled = true;
        IsDone = true;
    }
}

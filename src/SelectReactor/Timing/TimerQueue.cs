using SelectReactor.Threading;

namespace SelectReactor.Timing;

/// <summary>
/// The timers of one reactor: a binary heap ordered by due time, then by the order of scheduling. Due timers move to a
/// list first and are taken from it one by one, because each callback may cancel or move any other timer.
/// </summary>
internal sealed class TimerQueue(MonotonicClock clock, ThreadAffinity affinity)
{
    private readonly Queue<ReactorTimer> _due = new();
    private ReactorTimer[] _heap = new ReactorTimer[16];
    private int _count;
    private long _sequence;
    private bool _hasEnded;

    public int Count => _count;

    public ReactorTimer Add(TimeSpan due, TimeSpan period, Action<object?> callback, object? state)
    {
        var timer = new ReactorTimer(this, callback, state, period);
        Schedule(timer, due);
        return timer;
    }

    public void Schedule(ReactorTimer timer, TimeSpan due)
    {
        affinity.Verify();
        ArgumentOutOfRangeException.ThrowIfLessThan(due, TimeSpan.Zero);

        if (!_hasEnded)
        {
            // Read the clock itself: after a long callback the time of the tick would make the timer early.
            Schedule(timer, clock.After(clock.Now, due));
        }
    }

    public void Cancel(ReactorTimer timer)
    {
        affinity.Verify();
        if (timer.Current == ReactorTimer.Phase.Waiting)
        {
            Take(timer.HeapIndex);
        }

        timer.Current = ReactorTimer.Phase.Idle;
    }

    /// <summary>Stops all timers, and those that are scheduled later.</summary>
    public void End()
    {
        _hasEnded = true;
        foreach (ReactorTimer timer in _due.Concat(_heap.Take(_count)))
        {
            timer.Current = ReactorTimer.Phase.Idle;
        }

        _due.Clear();
        Array.Clear(_heap);
        _count = 0;
    }

    /// <summary>The time until the next timer is due; null if there is no timer.</summary>
    public TimeSpan? UntilNext()
    {
        if (_due.Count > 0)
        {
            return TimeSpan.Zero;
        }

        return _count == 0 ? null : clock.Until(_heap[0].DueAt, clock.Now);
    }

    /// <summary>Moves the due timers to the list. Timers that callbacks schedule from now on wait for the next
    /// call.</summary>
    public void CollectDue(long now)
    {
        while (_count > 0 && _heap[0].DueAt <= now)
        {
            ReactorTimer timer = _heap[0];
            Take(0);
            timer.Current = ReactorTimer.Phase.Due;
            _due.Enqueue(timer);
        }
    }

    /// <summary>Takes the next due timer that was neither cancelled nor moved since; null after the last one. A
    /// periodic timer is scheduled again before it is returned, so that its callback can cancel it.</summary>
    public ReactorTimer? TakeDue(long now)
    {
        while (_due.TryDequeue(out ReactorTimer? timer))
        {
            if (timer.Current != ReactorTimer.Phase.Due)
            {
                continue;
            }

            timer.Current = ReactorTimer.Phase.Idle;
            if (timer.Period > TimeSpan.Zero)
            {
                Schedule(timer, NextPeriod(timer, now));
            }

            return timer;
        }

        return null;
    }

    // A late loop skips the periods that it missed and keeps the rhythm.
    private long NextPeriod(ReactorTimer timer, long now)
    {
        long period = clock.After(0, timer.Period);
        long missed = (now - timer.DueAt) / period;
        return (long)Int128.Min(timer.DueAt + ((Int128)period * (missed + 1)), long.MaxValue);
    }

    private void Schedule(ReactorTimer timer, long dueAt)
    {
        if (timer.Current == ReactorTimer.Phase.Waiting)
        {
            Take(timer.HeapIndex);
        }

        timer.Current = ReactorTimer.Phase.Waiting;
        timer.DueAt = dueAt;
        timer.Sequence = _sequence++;
        if (_count == _heap.Length)
        {
            Array.Resize(ref _heap, _count * 2);
        }

        SiftUp(timer, _count++);
    }

    private void Take(int index)
    {
        ReactorTimer last = _heap[--_count];
        _heap[_count] = null!;
        if (index == _count)
        {
            return;
        }

        if (index > 0 && IsBefore(last, _heap[(index - 1) / 2]))
        {
            SiftUp(last, index);
        }
        else
        {
            SiftDown(last, index);
        }
    }

    private void SiftUp(ReactorTimer timer, int index)
    {
        while (index > 0)
        {
            int parent = (index - 1) / 2;
            if (!IsBefore(timer, _heap[parent]))
            {
                break;
            }

            Put(_heap[parent], index);
            index = parent;
        }

        Put(timer, index);
    }

    private void SiftDown(ReactorTimer timer, int index)
    {
        for (int child = (2 * index) + 1; child < _count; child = (2 * index) + 1)
        {
            if (child + 1 < _count && IsBefore(_heap[child + 1], _heap[child]))
            {
                child++;
            }

            if (!IsBefore(_heap[child], timer))
            {
                break;
            }

            Put(_heap[child], index);
            index = child;
        }

        Put(timer, index);
    }

    private void Put(ReactorTimer timer, int index)
    {
        _heap[index] = timer;
        timer.HeapIndex = index;
    }

    private static bool IsBefore(ReactorTimer a, ReactorTimer b) =>
        a.DueAt != b.DueAt ? a.DueAt < b.DueAt : a.Sequence < b.Sequence;
}

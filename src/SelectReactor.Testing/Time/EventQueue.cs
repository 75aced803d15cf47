namespace SelectReactor.Testing.Time;

/// <summary>
/// The events that are still to happen on the network, ordered by their moment; events of the same moment keep the
/// order in which they were scheduled. They run on the network's thread. Any thread may schedule and cancel: a timer
/// is disposed by whatever thread ends a wait.
/// </summary>
internal sealed class EventQueue
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<ScheduledEvent, (long At, long Sequence)> _queue = new();
    private long _sequence;
    private int _pending;

    /// <summary>How many events are still to come, timers not counted: the network is idle when there is
    /// none.</summary>
    public int Pending
    {
        get
        {
            lock (_gate)
            {
                return _pending;
            }
        }
    }

    /// <summary>When the next event is due; <see cref="long.MaxValue"/> if there is none.</summary>
    public long NextAt
    {
        get
        {
            lock (_gate)
            {
                while (_queue.TryPeek(out ScheduledEvent? next, out (long At, long Sequence) key))
                {
                    if (!next.IsTaken)
                    {
                        return key.At;
                    }

                    _queue.Dequeue();
                }

                return long.MaxValue;
            }
        }
    }

    public ScheduledEvent Add(long at, Action action, bool isTimer)
    {
        var scheduled = new ScheduledEvent(this, action, isTimer);
        lock (_gate)
        {
            _queue.Enqueue(scheduled, (at, _sequence++));
            _pending += isTimer ? 0 : 1;
        }

        return scheduled;
    }

    /// <summary>Runs the event that <see cref="NextAt"/> found, unless another thread has cancelled it
    /// since.</summary>
    public void RunNext()
    {
        ScheduledEvent? next;
        lock (_gate)
        {
            _queue.TryDequeue(out next, out _);
        }

        next?.Take()?.Invoke();
    }

    internal sealed class ScheduledEvent(EventQueue queue, Action action, bool isTimer)
    {
        private Action? _action = action;

        public bool IsTaken => _action is null;

        public void Cancel() => Take();

        /// <summary>Returns the action the first time, and null after that or once it is cancelled.</summary>
        public Action? Take()
        {
            lock (queue._gate)
            {
                Action? action = _action;
                _action = null;
                queue._pending -= action is null || isTimer ? 0 : 1;
                return action;
            }
        }
    }
}

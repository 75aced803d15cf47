namespace SelectReactor.Testing.Time;

/// <summary>What is still to happen on the network, by the moment at which it does; ties in the order of scheduling.</summary>
internal sealed class EventQueue
{
    private readonly PriorityQueue<ScheduledEvent, (long At, long Sequence)> _queue = new();
    private long _sequence;

    /// <summary>How many are still to come, timers left out: the network is idle when there is none.</summary>
    public int Pending { get; private set; }

    /// <summary>When the next one is due; <see cref="long.MaxValue"/> when there is none.</summary>
    public long NextAt
    {
        get
        {
            while (_queue.TryPeek(out ScheduledEvent? next, out (long At, long Sequence) key))
            {
                if (!next.IsCancelled)
                {
                    return key.At;
                }

                _queue.Dequeue();
            }

            return long.MaxValue;
        }
    }

    public ScheduledEvent Add(long at, Action action, bool isTimer)
    {
        var scheduled = new ScheduledEvent(this, action, isTimer);
        _queue.Enqueue(scheduled, (at, _sequence++));
        Pending += isTimer ? 0 : 1;
        return scheduled;
    }

    public void RunNext() => _queue.Dequeue().Run();

    internal sealed class ScheduledEvent(EventQueue queue, Action action, bool isTimer)
    {
        private Action? _action = action;

        public bool IsCancelled => _action is null;

        public void Cancel() => Take();

        public void Run() => Take()?.Invoke();

        private Action? Take()
        {
            Action? action = _action;
            _action = null;
            queue.Pending -= action is null || isTimer ? 0 : 1;
            return action;
        }
    }
}

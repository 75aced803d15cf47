using SelectReactor.Threading;
using SelectReactor.Timing;

namespace SelectReactor.Tests.Timing;

/// <summary>The timer queue against a plain list that is sorted each time, with random changes in and between
/// callbacks.</summary>
public sealed class TimerQueueModelTests
{
    private ManualTime _time = null!;
    private TimerQueue _queue = null!;
    private List<Entry> _model = null!;
    private Random _random = null!;
    private long _sequence;

    [Test]
    public void ARandomRun_FiresWhatAPlainListWould([Range(1, 25)] int seed)
    {
        _random = new Random(seed);
        _time = new ManualTime(TimeSpan.TicksPerSecond);
        _queue = new TimerQueue(new MonotonicClock(_time), new ThreadAffinity());
        _model = [];
        int fired = 0;
        for (int round = 0; round < 400; round++)
        {
            string message = $"seed {seed}, round {round}";
            Change(_random.Next(4));
            Entry[] waiting = [.. InOrder(_model.Where(static entry => entry.IsActive))];
            Assert.That(_queue.Count, Is.EqualTo(waiting.Length), message);
            Assert.That(_queue.UntilNext()?.Ticks, Is.EqualTo(
                waiting.Length == 0 ? null : Math.Max(0, waiting[0].DueAt - _time.Timestamp)), message);

            _time.Timestamp += _random.Next(30);
            long now = _time.Timestamp;
            _queue.CollectDue(now);
            foreach (Entry entry in _model.Where(entry => entry.IsActive && entry.DueAt <= now))
            {
                entry.IsInBatch = true;
            }

            for (Entry? next; (next = TakeFromModel(now)) is not null;)
            {
                Assert.That(_queue.TakeDue(now), Is.SameAs(next.Timer), message);
                fired++;
                _time.Timestamp += _random.Next(3);
                Change(_random.Next(3));
            }

            Assert.That(_queue.TakeDue(now), Is.Null, message);
            foreach (Entry entry in _model)
            {
                Assert.That(entry.Timer.IsActive, Is.EqualTo(entry.IsActive), message);
            }
        }

        Assert.That(fired, Is.GreaterThan(100), $"seed {seed}");
    }

    private static IOrderedEnumerable<Entry> InOrder(IEnumerable<Entry> entries) =>
        entries.OrderBy(static entry => entry.DueAt).ThenBy(static entry => entry.Sequence);

    private Entry? TakeFromModel(long now)
    {
        Entry? next = InOrder(_model.Where(static entry => entry.IsInBatch)).FirstOrDefault();
        if (next is null)
        {
            return null;
        }

        next.IsInBatch = false;
        next.IsActive = false;
        if (next.Period > 0)
        {
            long due = next.DueAt;
            while (due <= now)
            {
                due += next.Period;
            }

            Start(next, due);
        }

        return next;
    }

    private void Change(int changes)
    {
        for (; changes > 0; changes--)
        {
            Entry? entry = _model.Count == 0 ? null : _model[_random.Next(_model.Count)];
            int due = _random.Next(3) == 0 ? 0 : _random.Next(50);
            int period = _random.Next(1, 20);
            switch (_random.Next(5))
            {
                case 0 when entry is not null:
                    entry.Timer.Cancel();
                    entry.IsActive = entry.IsInBatch = false;
                    break;
                case 1 when entry is not null:
                    entry.Timer.Change(TimeSpan.FromTicks(due));
                    Start(entry, _time.Timestamp + due);
                    break;
                case 2 when entry is not null:
                    entry.Timer.Change(TimeSpan.FromTicks(due), TimeSpan.FromTicks(period));
                    entry.Period = period;
                    Start(entry, _time.Timestamp + due);
                    break;
                default:
                    Add(due, _random.Next(4) == 0 ? period : 0);
                    break;
            }
        }
    }

    private void Add(int due, int period)
    {
        ReactorTimer timer = _queue.Add(TimeSpan.FromTicks(due), TimeSpan.FromTicks(period), static _ => { }, null);
        var entry = new Entry(timer) { Period = period };
        _model.Add(entry);
        Start(entry, _time.Timestamp + due);
        if (_model.Count > 40)
        {
            _model[0].Timer.Cancel();
            _model.RemoveAt(0);
        }
    }

    private void Start(Entry entry, long dueAt)
    {
        entry.DueAt = dueAt;
        entry.Sequence = _sequence++;
        entry.IsActive = true;
        entry.IsInBatch = false;
    }

    private sealed class Entry(ReactorTimer timer)
    {
        public ReactorTimer Timer => timer;

        public long DueAt { get; set; }

        public long Sequence { get; set; }

        public long Period { get; set; }

        public bool IsActive { get; set; }

        public bool IsInBatch { get; set; }
    }
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>One tick at a time, over a selector that reports what a test tells it to.</summary>
public sealed class TickTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ListLogger _logger = new();
    private readonly List<TimeSpan> _waits = [];
    private readonly List<string> _log = [];
    private readonly Queue<Action<List<SelectorEntry>>> _batches = new();
    private Reactor _reactor = null!;

    [SetUp]
    public void Create()
    {
        _waits.Clear();
        _log.Clear();
        _batches.Clear();
        _logger.Entries.Clear();
        _reactor = CreateReactor(propagate: false);
    }

    [TearDown]
    public void Stop() => _reactor.Dispose();

    [Test]
    public void Phases_ComeInOrder()
    {
        SelectionKey key = Register(_ => _log.Add("key"));
        _reactor.Schedule(TimeSpan.Zero, () => _log.Add("timer"));
        _reactor.Post(() => _log.Add("post"));
        _batches.Enqueue(ready => ready.Add(key.Entry));

        Assert.That(_reactor.RunOnce(Timeout.InfiniteTimeSpan), Is.EqualTo(3));
        Assert.That(_log, Is.EqualTo(new[] { "key", "timer", "post" }));
    }

    [Test]
    public void Wait_IsTheCallers_OrUntilTheNextTimer_OrNone()
    {
        _reactor.RunOnce(Timeout.InfiniteTimeSpan);
        _reactor.RunOnce(TimeSpan.FromSeconds(5));
        ReactorTimer timer = _reactor.Schedule(TimeSpan.FromMilliseconds(0.5), static () => { });
        _reactor.RunOnce(Timeout.InfiniteTimeSpan);
        _reactor.RunOnce(TimeSpan.FromSeconds(5));
        _reactor.RunOnce(TimeSpan.FromMilliseconds(0.1));
        timer.Cancel();
        _reactor.Post(static () => { });
        _reactor.RunOnce(TimeSpan.FromSeconds(5));
        _reactor.Stop();
        _reactor.RunOnce(TimeSpan.FromSeconds(5));

        Assert.That(_waits, Is.EqualTo(new[]
        {
            Timeout.InfiniteTimeSpan,
            TimeSpan.FromSeconds(5),
            TimeSpan.FromMilliseconds(0.5),
            TimeSpan.FromMilliseconds(0.5),
            TimeSpan.FromMilliseconds(0.1),
            TimeSpan.Zero,
            TimeSpan.Zero,
        }));
    }

    [Test]
    public void CancelledInTheSameBatch_IsNotDispatched()
    {
        SelectionKey second = null!;
        SelectionKey first = Register(_ =>
        {
            _log.Add("first");
            second.Cancel();
        });
        second = Register(_ => _log.Add("second"));
        _batches.Enqueue(ready => ready.AddRange([first.Entry, second.Entry]));
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_log, Is.EqualTo(new[] { "first" }));
    }

    [Test]
    public void HandlerThatThrows_LosesItsKeyOnly()
    {
        SelectionKey first = Register(static _ => throw new InvalidDataException("x"));
        SelectionKey second = Register(_ => _log.Add("second"));
        _batches.Enqueue(ready => ready.AddRange([first.Entry, second.Entry]));
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That((first.IsValid, second.IsValid), Is.EqualTo((false, true)));
        Assert.That(_log, Is.EqualTo(new[] { "second" }));
        Assert.That(_logger.Entries.Select(static e => (e.Level, e.Id)), Is.EqualTo(new[] { (LogLevel.Error, 3) }));
    }

    [Test]
    public void EvictedKey_IsLogged_DispatchedOnce_AndCancelled()
    {
        SelectionKey key = Register(_ => _log.Add("told"));
        _batches.Enqueue(ready =>
        {
            key.Entry.Evict();
            ready.Add(key.Entry);
        });
        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_log, Is.EqualTo(new[] { "told" }));
        Assert.That(key.IsValid, Is.False);
        Assert.That(_logger.Entries.Select(static e => (e.Level, e.Id)), Is.EqualTo(new[] { (LogLevel.Warning, 4) }));
    }

    [Test]
    public void Exceptions_AreLogged_AndTheLoopGoesOn()
    {
        _reactor.Schedule(TimeSpan.Zero, static () => throw new InvalidDataException("timer"));
        int beats = 0;
        _reactor.SchedulePeriodic(TimeSpan.Zero, TimeSpan.FromSeconds(1), () =>
        {
            beats++;
            throw new InvalidDataException("beat");
        });
        _reactor.Post(static () => throw new InvalidDataException("post"));
        _reactor.Post(() => _log.Add("later post"));
        _reactor.RunOnce(TimeSpan.Zero);
        _time.Advance(TimeSpan.FromSeconds(1));
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_log, Is.EqualTo(new[] { "later post" }));
        Assert.That(beats, Is.EqualTo(2));
        Assert.That(_logger.Entries.Select(static e => (e.Level, e.Id)), Is.EqualTo(new[]
        {
            (LogLevel.Error, 2), (LogLevel.Error, 2), (LogLevel.Error, 1), (LogLevel.Error, 2),
        }));
    }

    [Test]
    public void PropagatedException_LosesNothingElse()
    {
        using Reactor reactor = CreateReactor(propagate: true);
        reactor.Schedule(TimeSpan.Zero, static () => throw new InvalidDataException("timer"));
        reactor.Schedule(TimeSpan.Zero, () => _log.Add("timer"));
        reactor.Post(static () => throw new InvalidDataException("post"));
        reactor.Post(() => _log.Add("post"));

        Assert.That(() => reactor.RunOnce(TimeSpan.Zero), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => reactor.RunOnce(TimeSpan.Zero), Throws.TypeOf<InvalidDataException>());
        reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_log, Is.EqualTo(new[] { "timer", "post" }));
    }

    [Test]
    public void TimerAddedByATimer_AndPostAddedByAPost_RunInTheNextTick()
    {
        _reactor.Schedule(TimeSpan.Zero, () => _reactor.Schedule(TimeSpan.Zero, () => _log.Add("timer")));
        _reactor.Post(() => _reactor.Post(() => _log.Add("post")));
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_log, Is.Empty);

        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_log, Is.EqualTo(new[] { "timer", "post" }));
    }

    private Reactor CreateReactor(bool propagate)
    {
        var selector = new Mock<ISelector>();
        selector.Setup(static s => s.Select(It.IsAny<TimeSpan>(), It.IsAny<List<SelectorEntry>>()))
            .Callback<TimeSpan, List<SelectorEntry>>((wait, ready) =>
            {
                _waits.Add(wait);
                if (_batches.TryDequeue(out Action<List<SelectorEntry>>? fill))
                {
                    fill(ready);
                    ready.ForEach(static entry => entry.Ready = entry.Interest);
                }
            });
        return new Reactor(new ReactorOptions
        {
            SelectorFactory = () => selector.Object,
            TimeProvider = _time,
            Logger = _logger,
            PropagateExceptions = propagate,
        });
    }

    private SelectionKey Register(Action<SelectionKey> onReady)
    {
        var handler = new Mock<IEventHandler>();
        handler.Setup(static h => h.OnReady(It.IsAny<SelectionKey>())).Callback(onReady);
        return _reactor.Register(new Mock<Handle>().Object, Interest.Read, handler.Object);
    }
}

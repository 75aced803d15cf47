using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>Timers in the loop: what their callbacks may do to each other, to the loop and to the clock.</summary>
public sealed class ReactorTimersTests(SelectorKind selector) : ReactorFixture(selector)
{
    private const int TimerFault = 2;
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private readonly List<string> _fired = [];
    private FakeTimeProvider _time = null!;
    private ListLogger _logger = null!;
    private Reactor _reactor = null!;

    [SetUp]
    public void Create()
    {
        _fired.Clear();
        _time = new FakeTimeProvider();
        _logger = new ListLogger();
        _reactor = new Reactor(Options(_time, _logger));
    }

    [TearDown]
    public void Dispose() => _reactor.Dispose();

    [Test]
    public void ATimerThatThrows_IsLogged_AndGoesOn_AndSoDoTheOthers()
    {
        _reactor.SchedulePeriodic(_second, _second, () =>
        {
            _fired.Add("bad");
            throw new InvalidDataException();
        });
        _reactor.SchedulePeriodic(_second, _second, () => _fired.Add("good"));

        Assert.That(StepAfter(_second), Is.EqualTo(2), "served");
        Assert.That(StepAfter(_second), Is.EqualTo(2), "served");
        Assert.That(_fired, Is.EqualTo(new[] { "bad", "good", "bad", "good" }));
        Assert.That(
            _logger.Entries.Select(static entry => (entry.Level, entry.Id)),
            Is.EqualTo(new[] { (LogLevel.Error, TimerFault), (LogLevel.Error, TimerFault) }));
        Assert.That(_logger.Entries[0].Exception, Is.TypeOf<InvalidDataException>());
    }

    [Test]
    public void ATimer_MayCancelOneOfItsBatch_AndAddOneForTheNextTick()
    {
        ReactorTimer? victim = null;
        _reactor.Schedule(_second, () =>
        {
            _fired.Add("first");
            victim!.Cancel();
            _reactor.Schedule(TimeSpan.Zero, () => _fired.Add("added"));
        });
        victim = _reactor.Schedule(_second, () => _fired.Add("victim"));
        _reactor.Schedule(_second, () => _fired.Add("last"));

        Assert.That(StepAfter(_second), Is.EqualTo(2), "served");
        Assert.That(_fired, Is.EqualTo(new[] { "first", "last" }));
        Assert.That(StepAfter(TimeSpan.Zero), Is.EqualTo(1), "served");
        Assert.That(_fired[^1], Is.EqualTo("added"));
        Assert.That(victim.IsActive, Is.False);
    }

    [Test]
    public void ATimerThatStartsItselfAgainAtOnce_LetsThePostsOfTheTickRun()
    {
        ReactorTimer? self = null;
        self = _reactor.Schedule(TimeSpan.Zero, () =>
        {
            _fired.Add("timer");
            self!.Change(TimeSpan.Zero);
        });
        _reactor.Post(() => _fired.Add("post"));

        Assert.That(StepAfter(TimeSpan.Zero), Is.EqualTo(2), "served");
        Assert.That(StepAfter(TimeSpan.Zero), Is.EqualTo(1), "served");
        Assert.That(_fired, Is.EqualTo(new[] { "timer", "post", "timer" }));
    }

    [Test]
    public void StopInATimer_FinishesTheTickFirst_AndTheTimersOutliveTheRun()
    {
        _reactor.SchedulePeriodic(_second, _second, () =>
        {
            _fired.Add("stop");
            _reactor.Stop();
        });
        _reactor.SchedulePeriodic(_second, _second, () => _fired.Add("beat"));
        _reactor.Post(() => _time.Advance(_second));
        _reactor.Run();
        Assert.That(_fired, Is.EqualTo(new[] { "stop", "beat" }));

        _reactor.Post(() => _time.Advance(_second));
        _reactor.Run();
        Assert.That(_fired, Is.EqualTo(new[] { "stop", "beat", "stop", "beat" }));
    }

    [Test]
    public void DisposeInATimer_FinishesTheTick_AndNoTimerFiresLater()
    {
        _reactor.Schedule(_second, _reactor.Dispose);
        _reactor.Schedule(_second, () => _fired.Add("same batch"));
        _reactor.SchedulePeriodic(2 * _second, _second, () => _fired.Add("later"));
        _reactor.Post(() => _time.Advance(_second));
        _reactor.Run();
        _time.Advance(10 * _second);

        Assert.That(_fired, Is.EqualTo(new[] { "same batch" }));
        Assert.That(() => _reactor.RunOnce(TimeSpan.Zero), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void ATimerMadeAfterALongCallback_CountsFromThenOn()
    {
        _reactor.Post(() =>
        {
            _time.Advance(5 * _second);
            _reactor.Schedule(_second, () => _fired.Add("timer"));
        });
        StepAfter(TimeSpan.Zero);

        StepAfter(_second - TimeSpan.FromTicks(1));
        Assert.That(_fired, Is.Empty, "early by what the tick took");
        StepAfter(TimeSpan.FromTicks(1));
        Assert.That(_fired, Is.EqualTo(new[] { "timer" }));
    }

    [Test]
    public void ATimerThatComesDueThroughAnothersCallback_WaitsForTheNextTick()
    {
        _reactor.Schedule(_second, () =>
        {
            _fired.Add("long");
            _time.Advance(5 * _second);
        });
        _reactor.Schedule(2 * _second, () => _fired.Add("overtaken"));

        StepAfter(_second);
        Assert.That(_fired, Is.EqualTo(new[] { "long" }));
        StepAfter(TimeSpan.Zero);
        Assert.That(_fired, Is.EqualTo(new[] { "long", "overtaken" }));
    }

    [Test]
    public void AnotherThread_CanNeitherMakeNorMoveNorCancelATimer()
    {
        ReactorTimer timer = _reactor.Schedule(_second, () => _fired.Add("timer"));
        StepAfter(TimeSpan.Zero);

        AssertRefused(() => _reactor.Schedule(_second, () => _fired.Add("foreign")));
        AssertRefused(() => _reactor.SchedulePeriodic(_second, _second, () => _fired.Add("foreign")));
        AssertRefused(() => timer.Change(10 * _second));
        AssertRefused(timer.Cancel);
        StepAfter(_second);
        Assert.That(_fired, Is.EqualTo(new[] { "timer" }));

        static void AssertRefused(Action action) => Assert.That(
            () => Task.Run(action).GetAwaiter().GetResult(),
            Throws.TypeOf<InvalidOperationException>().With.Message.Contains("reactor's thread"));
    }

    private int StepAfter(TimeSpan span)
    {
        _time.Advance(span);
        return _reactor.RunOnce(TimeSpan.Zero);
    }
}

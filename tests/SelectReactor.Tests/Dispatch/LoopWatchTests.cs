using Microsoft.Extensions.Time.Testing;
using SelectReactor.Dispatch;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>The watch alone, with a clock that the test moves: two samples in 100 ms.</summary>
public sealed class LoopWatchTests
{
    private static readonly TimeSpan _sample = TimeSpan.FromMilliseconds(50);
    private readonly CountingTime _time = new();
    private readonly ListLogger _log = new();
    private readonly LoopProgress _progress = new();
    private LoopWatch _watch = null!;

    [SetUp]
    public void Create()
    {
        _log.Entries.Clear();
        _time.Calls = 0;
        _progress.Rest();
        _progress.Enter();
        _watch = new LoopWatch(_progress, _log, TimeSpan.FromMilliseconds(100), _time);
    }

    [TearDown]
    public void Dispose() => _watch.Dispose();

    [Test]
    public void ACallbackThatGoesOn_IsReportedOnce_WithItsTime()
    {
        Begin("the callback");
        Advance(2);
        Assert.That(_log.Entries, Is.Empty, "it may have begun just before the first sample");
        Advance(1);

        Assert.That(_log.Entries.Single().Message, Does.StartWith("the callback").And.Contain("100 ms"));
        Advance(100);
        Assert.That(_log.Entries, Has.Count.EqualTo(1));
    }

    [Test]
    public void ManyShortCallbacks_AreNotReported()
    {
        for (int i = 0; i < 100; i++)
        {
            Begin("one of many");
            Advance(2);
            _progress.End();
        }

        Assert.That(_log.Entries, Is.Empty);
    }

    // The selector may wait for as long as it likes.
    [Test]
    public void AnIdleLoop_IsNotReported_AndTheTimerStops()
    {
        Begin("the last callback");
        _progress.End();
        _progress.Rest();
        Advance(1000);

        Assert.That(_log.Entries, Is.Empty);
        Assert.That(_time.Calls, Is.GreaterThan(1).And.LessThan(20), "the timer has stopped");
        Begin("after the pause");
        Advance(4);
        Assert.That(_log.Entries.Single().Message, Does.Contain("after the pause"));
    }

    [Test]
    public void ALoopThatGoesOnJustAsTheTimerStops_IsWatched([Range(8, 14)] int samples)
    {
        Begin("the last callback");
        _progress.End();
        _progress.Rest();
        Advance(samples);
        Begin("after the pause");
        Advance(4);

        Assert.That(_log.Entries.Single().Message, Does.Contain("after the pause"));
    }

    // A debugger stops all threads; the time that passes meanwhile is not the callback's.
    [Test]
    public void APauseOfTheProcess_IsOneSample()
    {
        Begin("the callback");
        Advance(1);
        _time.Advance(TimeSpan.FromHours(1));
        _progress.End();
        _progress.Rest();
        Advance(5);

        Assert.That(_log.Entries, Is.Empty);
    }

    [Test]
    public void AWait_IsReportedByItself_AndNotByTheTimer()
    {
        Begin("the callback");
        Advance(1);
        Assert.That(_watch.TryBeginWait());
        Assert.That(_watch.TryBeginWait(), Is.False, "a wait of the report itself");
        Advance(3);
        Assert.That(_log.Entries, Is.Empty);
        _watch.ReportWait();
        Advance(20);
        _watch.EndWait();
        Advance(20);

        Assert.That(
            SpinWait.SpinUntil(() => Count() == 1, TimeSpan.FromSeconds(20)), "written by the thread pool");
        Assert.That(_log.Entries.Single().Id, Is.EqualTo(52));
    }

    // Each is too short for a message of its own.
    [Test]
    public void ACallbackOfManyShortWaits_IsReportedByTheTimer()
    {
        Begin("the callback");
        for (int i = 0; i < 6; i++)
        {
            _watch.TryBeginWait();
            Advance(1);
            _watch.EndWait();
        }

        Assert.That(_log.Entries.Single().Id, Is.EqualTo(53));
    }

    [Test]
    public void OutsideACallback_AndOnOtherThreads_AWaitIsNobodysFault()
    {
        Assert.That(_watch.TryBeginWait(), Is.False);
        Begin("the callback");
        Assert.That(OnAnotherThread(_watch.TryBeginWait), Is.False);
        _progress.Leave();
        _progress.Begin("nobody's", null);
        Assert.That(_watch.TryBeginWait(), Is.False);
    }

    [Test]
    public void OneMessageInTenSeconds_AndTheNextTellsHowManyWereLeftOut()
    {
        for (int i = 0; i < 5; i++)
        {
            Begin($"callback {i}");
            Advance(4);
            _progress.End();
        }

        Assert.That(_log.Entries.Single().Message, Does.Contain("callback 0").And.EndWith("another thread."));
        _progress.Rest();
        Advance(200);
        Begin("callback 5");
        Advance(4);

        Assert.That(_log.Entries[^1].Message, Does.Contain("callback 5").And.EndWith("since the last one: 4."));
        Assert.That(_log.Entries, Has.Count.EqualTo(2));
    }

    [Test]
    public void AfterDispose_NothingIsReported()
    {
        Begin("the callback");
        _watch.Dispose();
        Advance(10);
        Begin("another");
        Advance(10);

        Assert.That(_log.Entries, Is.Empty);
    }

    [TestCase(0.001, 1)]
    [TestCase(0.5, 1)]
    [TestCase(100, 100)]
    [TestCase(1e9, 1_000_000_000)]
    public void AnyThreshold_Works(double milliseconds, int expected)
    {
        var options = new ReactorOptions { SlowCallbackThreshold = TimeSpan.FromMilliseconds(milliseconds) };
        using var reactor = new Reactor(options);
        reactor.RunOnce(TimeSpan.Zero);

        Assert.That(reactor.Watch?.ThresholdMilliseconds, Is.EqualTo(expected));
    }

    [Test]
    public void AThresholdBeyondTheTimers_SwitchesItOff()
    {
        using var reactor = new Reactor(new ReactorOptions { SlowCallbackThreshold = TimeSpan.MaxValue });

        Assert.That(reactor.Watch, Is.Null);
    }

    private void Begin(string callback)
    {
        _watch.Awake();
        _progress.Begin(callback, null);
    }

    private void Advance(int samples)
    {
        for (int i = 0; i < samples; i++)
        {
            _time.Advance(_sample);
        }
    }

    private static bool OnAnotherThread(Func<bool> function)
    {
        bool result = false;
        var thread = new Thread(() => result = function());
        thread.Start();
        thread.Join();
        return result;
    }

    private int Count()
    {
        lock (_log.Entries)
        {
            return _log.Entries.Count;
        }
    }

    /// <summary>Counts the calls of its timers.</summary>
    private sealed class CountingTime : FakeTimeProvider
    {
        public int Calls { get; set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(
                state =>
                {
                    Calls++;
                    callback(state);
                },
                state,
                dueTime,
                period);
    }
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Dispatch;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>The watch alone, with a clock that the test moves: two samples in 100 ms.</summary>
public sealed class LoopWatchTests
{
    private static readonly TimeSpan _sample = TimeSpan.FromMilliseconds(50);
    private readonly FakeTimeProvider _time = new();
    private readonly ListLogger _log = new();
    private readonly LoopProgress _progress = new();
    private LoopWatch _watch = null!;
    private TimeSpan _next;
    private int _visits;

    [SetUp]
    public void Create()
    {
        _log.Entries.Clear();
        (_next, _visits) = (Timeout.InfiniteTimeSpan, 0);
        _progress.Rest();
        _progress.Enter();
        _watch = new LoopWatch(_progress, _log, TimeSpan.FromMilliseconds(100), _time, Visit);
    }

    [TearDown]
    public void Dispose() => _watch.Dispose();

    [Test]
    public void ACallbackThatGoesOn_IsReported_WithItsTime()
    {
        Begin("the callback");
        Advance(2);
        Assert.That(_log.Entries, Is.Empty, "it may have begun just before the first sample");
        Advance(1);

        Assert.That(_log.Entries.Single().Message, Does.StartWith("the callback").And.Contain("100 ms"));
        Advance(10);
        Assert.That(_log.Entries, Has.Count.EqualTo(1));
    }

    [Test]
    public void ACallbackThatHangs_IsReportedAgain_AndAtItsEnd()
    {
        Begin("the callback");
        Advance(20 * 60 * 25);
        Assert.That(
            _log.Entries.Select(static entry => entry.Message.Split(',')[0]),
            Is.EqualTo(new[]
            {
                "the callback has run for 100 ms so far",
                "the callback has run for 1 s so far",
                "the callback has run for 10 s so far",
                "the callback has run for 60 s so far",
                "the callback has run for 10 min so far",
                "the callback has run for 20 min so far",
            }));
        _progress.End();
        Begin("another");
        Advance(1);

        Assert.That(_log.Entries[^1].Message, Does.StartWith("the callback has ended.").And.EndWith("about 25 min."));
        Assert.That(_log.Entries[^1].Level, Is.EqualTo(LogLevel.Warning));
    }

    [Test]
    public void ACallbackThatWasALittleSlow_EndsWithoutAWarning()
    {
        Begin("the callback");
        Advance(4);
        _progress.End();
        _progress.Rest();
        Advance(1);

        Assert.That(_log.Entries[^1].Message, Does.StartWith("the callback has ended."));
        Assert.That(_log.Entries[^1].Level, Is.EqualTo(LogLevel.Information));
    }

    // It may have gone on to another connection meanwhile.
    [Test]
    public void TheConnectionOfACallback_IsReadWithIt()
    {
        var logger = new Mock<ILogger>();
        logger.Setup(static logger => logger.IsEnabled(It.IsAny<LogLevel>())).Callback(_progress.Rest).Returns(true);
        using var watch = new LoopWatch(
            _progress, logger.Object, TimeSpan.FromMilliseconds(100), _time, static () => { });
        watch.Awake();
        _progress.Begin("the callback", new Named());
        for (int i = 0; i < 4; i++)
        {
            watch.Visit();
            _time.Advance(_sample);
        }

        watch.Visit();
        Assert.That(
            logger.Invocations.Select(static call => $"{call.Arguments.ElementAtOrDefault(2)}"),
            Has.Some.StartsWith("the callback (connection 7) has run"));
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
    public void AnIdleLoop_IsNotReported_AndTheSamplesStop()
    {
        Begin("the last callback");
        _progress.End();
        _progress.Rest();
        Advance(1000);

        Assert.That(_log.Entries, Is.Empty);
        Assert.That(_visits, Is.GreaterThan(1).And.LessThan(20), "the samples have stopped");
        Begin("after the pause");
        Advance(4);
        Assert.That(_log.Entries.Single().Message, Does.Contain("after the pause"));
    }

    [Test]
    public void ALoopThatGoesOnJustAsTheSamplesStop_IsWatched([Range(8, 14)] int samples)
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
    public void AWait_IsReportedByItself_AndNotByASample()
    {
        Begin("the callback");
        Advance(1);
        Assert.That(_watch.TryBeginWait());
        Assert.That(_watch.TryBeginWait(), Is.False, "a wait of the report itself");
        Advance(3);
        Assert.That(_log.Entries, Is.Empty);
        _watch.ReportWait();
        Advance(5);
        _watch.EndWait();
        Advance(5);

        Assert.That(_log.Entries.Single().Id, Is.EqualTo(52));
    }

    // Each is too short for a message of its own.
    [Test]
    public void ACallbackOfManyShortWaits_IsReportedByASample()
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

        Assert.That(_log.Entries[0].Message, Does.Contain("callback 0").And.EndWith("another thread."));
        Assert.That(_log.Entries[1].Message, Does.StartWith("callback 0 has ended"));
        Assert.That(_log.Entries, Has.Count.EqualTo(2));
        _progress.Rest();
        Advance(200);
        Begin("callback 5");
        Advance(4);

        Assert.That(_log.Entries[^1].Message, Does.Contain("callback 5").And.EndWith("since the last one: 4."));
        Assert.That(_log.Entries, Has.Count.EqualTo(3));
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

    [Test]
    public void ALoopThatGoesOnUnseenByTheLastSample_IsWatched()
    {
        Begin("the last callback");
        _progress.End();
        _progress.Rest();
        Advance(11);
        _progress.Begin("without a call of Awake", null);
        Advance(4);

        Assert.That(_log.Entries.Single().Message, Does.Contain("without a call of Awake"));
    }

    // Its lock may be the one that the callback waits for.
    [Test]
    public void TheLogger_IsNotCalled_InsideTheWait()
    {
        var logger = new CountingLogger();
        using var watch = new LoopWatch(
            _progress, logger, TimeSpan.FromMilliseconds(100), _time, static () => { });
        _progress.Begin("the callback", null);
        watch.TryBeginWait();
        watch.ReportWait();
        Assert.That(logger.Calls, Is.Zero);
        watch.Visit();

        Assert.That(logger.Calls, Is.GreaterThan(0));
    }

    [Test]
    public void AWaitThatIsReportedJustBeforeTheEnd_IsWritten()
    {
        using var watch = new LoopWatch(
            _progress, _log, TimeSpan.FromMilliseconds(100), _time, static () => { });
        _progress.Begin("the callback", null);
        watch.TryBeginWait();
        watch.ReportWait();
        watch.Dispose();
        Assert.That(watch.HasEnded, Is.False);
        watch.Visit();

        Assert.That(_log.Entries.Single().Id, Is.EqualTo(52));
        Assert.That(watch.HasEnded);
    }

    private sealed class Named : IStoppable
    {
        public void BeginStop(StopPhase phase)
        {
        }

        public override string ToString() => "connection 7";
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
            if (_next != Timeout.InfiniteTimeSpan)
            {
                Visit();
            }
        }
    }

    private void Visit()
    {
        _visits++;
        _next = _watch.Visit();
    }

    private static bool OnAnotherThread(Func<bool> function)
    {
        bool result = false;
        var thread = new Thread(() => result = function());
        thread.Start();
        thread.Join();
        return result;
    }

    private sealed class CountingLogger : ILogger
    {
        public int Calls { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel)
        {
            Calls++;
            return true;
        }

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) => Calls++;
    }
}

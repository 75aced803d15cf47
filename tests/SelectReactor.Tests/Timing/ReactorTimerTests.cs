using Microsoft.Extensions.Time.Testing;
using SelectReactor.Threading;
using SelectReactor.Timing;

namespace SelectReactor.Tests.Timing;

/// <summary>Timers as their callbacks see them, on a clock that only the test moves.</summary>
public sealed class ReactorTimerTests
{
    private readonly List<string> _fired = [];
    private FakeTimeProvider _time = null!;
    private ThreadAffinity _affinity = null!;
    private TimerQueue _queue = null!;

    [SetUp]
    public void Create()
    {
        _fired.Clear();
        _time = new FakeTimeProvider();
        _affinity = new ThreadAffinity();
        _queue = new TimerQueue(new MonotonicClock(_time), _affinity);
    }

    [Test]
    public void ATimer_FiresOnceAndNotEarly()
    {
        ReactorTimer timer = Add("a", 10);
        Advance(9);
        Assert.That(_fired, Is.Empty);
        Assert.That(timer.IsActive, Is.True);
        _time.Advance(TimeSpan.FromMilliseconds(1) - TimeSpan.FromTicks(1));
        RunDue();
        Assert.That(_fired, Is.Empty);

        _time.Advance(TimeSpan.FromTicks(1));
        RunDue();
        Advance(100);

        Assert.That(_fired, Is.EqualTo(new[] { "a" }));
        Assert.That(timer.IsActive, Is.False);
    }

    [Test]
    public void Ties_FireInTheOrderOfCreation()
    {
        for (int i = 0; i < 100; i++)
        {
            Add($"{i}", 5);
        }

        Advance(5);

        Assert.That(_fired, Is.EqualTo(Enumerable.Range(0, 100).Select(static i => $"{i}")));
    }

    [Test]
    public void ATimerAddedInACallback_WithDueZero_FiresInTheNextBatch()
    {
        Add("a", 1, () => Add("b", 0));
        Advance(1);
        Assert.That(_fired, Is.EqualTo(new[] { "a" }));
        Assert.That(_queue.UntilNext(), Is.EqualTo(TimeSpan.Zero));

        RunDue();

        Assert.That(_fired, Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public void ATimerCancelledByAnotherOfTheSameBatch_DoesNotFire()
    {
        ReactorTimer victim = null!;
        Add("a", 1, () => victim.Cancel());
        victim = Add("b", 1);
        Add("c", 1);

        Advance(1);

        Assert.That(_fired, Is.EqualTo(new[] { "a", "c" }));
        Assert.That(victim.IsActive, Is.False);
    }

    [Test]
    public void ATimerMovedByAnotherOfTheSameBatch_FiresAtItsNewTime([Values(0, 5)] int due)
    {
        ReactorTimer moved = null!;
        Add("a", 1, () => moved.Change(TimeSpan.FromMilliseconds(due)));
        moved = Add("b", 1);
        Advance(1);
        Assert.That(_fired, Is.EqualTo(new[] { "a" }));
        Assert.That(moved.IsActive, Is.True);

        Advance(due);

        Assert.That(_fired, Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public void ATimerCancelledAndStartedAgainInItsBatch_FiresOnceInTheNext()
    {
        ReactorTimer other = null!;
        Add("a", 1, () =>
        {
            other.Cancel();
            other.Change(TimeSpan.Zero);
        });
        other = Add("b", 1);
        Advance(1);
        Assert.That(_fired, Is.EqualTo(new[] { "a" }));

        RunDue();
        RunDue();

        Assert.That(_fired, Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public void AOneShotTimer_CanStartItselfAgain()
    {
        ReactorTimer timer = null!;
        timer = Add("a", 1, () =>
        {
            Assert.That(timer.IsActive, Is.False);
            timer.Change(TimeSpan.FromMilliseconds(2));
        });
        Advance(1);
        Advance(1);
        Assert.That(_fired, Has.Count.EqualTo(1));
        Advance(1);
        Assert.That(_fired, Has.Count.EqualTo(2));
    }

    [Test]
    public void Cancel_OfATimerThatIsNotActive_IsNothing()
    {
        ReactorTimer timer = Add("a", 1);
        timer.Cancel();
        timer.Cancel();
        Advance(1);
        timer.Cancel();

        Assert.That(_fired, Is.Empty);
        Assert.That(_queue.UntilNext(), Is.Null);
    }

    [Test]
    public void NegativeTimes_AreRefused_AndChangeNothing()
    {
        ReactorTimer timer = Periodic("a", 5, 5);
        Assert.Multiple(() =>
        {
            Assert.That(() => Add("b", -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => timer.Change(TimeSpan.FromTicks(-1)), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => timer.Change(TimeSpan.FromTicks(-1), TimeSpan.FromTicks(1)),
                Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => timer.Change(TimeSpan.Zero, TimeSpan.Zero), Throws.InstanceOf<ArgumentOutOfRangeException>());
        });
        Advance(5);
        Advance(5);
        Assert.That(_fired, Has.Count.EqualTo(2));
    }

    [Test]
    public void AnotherThread_IsRefused()
    {
        ReactorTimer timer = Add("a", 5);
        _affinity.Bind();
        Action[] calls =
        [
            () => Add("b", 1),
            () => timer.Change(TimeSpan.Zero),
            () => timer.Change(TimeSpan.Zero, TimeSpan.FromTicks(1)),
            timer.Cancel,
        ];
        var outcomes = new List<Exception?>();
        var thread = new Thread(() => outcomes.AddRange(calls.Select(static call => Assert.Catch(() => call()))));
        thread.Start();
        thread.Join();

        Assert.That(outcomes, Has.Count.EqualTo(4).And.All.InstanceOf<InvalidOperationException>());
        Advance(5);
        Assert.That(_fired, Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public void TheFarthestFuture_IsLaterThanAllElse()
    {
        _queue.Add(TimeSpan.MaxValue, TimeSpan.Zero, _ => _fired.Add("never"), null);
        _queue.Add(TimeSpan.MaxValue, TimeSpan.MaxValue, _ => _fired.Add("never"), null);
        Add("a", 1);
        Assert.That(_queue.UntilNext(), Is.EqualTo(TimeSpan.FromMilliseconds(1)));

        Advance(1_000_000_000);

        Assert.That(_fired, Is.EqualTo(new[] { "a" }));
        Assert.That(_queue.UntilNext(), Is.GreaterThan(TimeSpan.FromDays(1000)));
    }

    [Test]
    public void AStepOfTheWallClock_MovesNothing([Values(-1, 1)] int hours)
    {
        var time = new ManualTime(1_000_000_000);
        var queue = new TimerQueue(new MonotonicClock(time), _affinity);
        queue.Add(TimeSpan.FromSeconds(1), TimeSpan.Zero, static _ => { }, null);
        time.Wall += TimeSpan.FromHours(hours);
        Assert.That(queue.UntilNext(), Is.EqualTo(TimeSpan.FromSeconds(1)));
        queue.CollectDue(time.Timestamp = 999_999_999);
        Assert.That(queue.TakeDue(time.Timestamp), Is.Null);

        queue.CollectDue(time.Timestamp = 1_000_000_000);

        Assert.That(queue.TakeDue(time.Timestamp), Is.Not.Null);
    }

    [Test]
    public void ALateBeat_IsNotMadeUpForAndTheRhythmStays()
    {
        var at = new List<double>();
        DateTimeOffset start = _time.GetUtcNow();
        Periodic("a", 10, 10, () => at.Add((_time.GetUtcNow() - start).TotalMilliseconds));
        foreach (int step in new[] { 10, 10, 35, 4, 1, 10, 100, 10 })
        {
            Advance(step);
        }

        Assert.That(at, Is.EqualTo(new double[] { 10, 20, 55, 60, 70, 170, 180 }));
    }

    [Test]
    public void APeriodicTimer_CanCancelItself()
    {
        ReactorTimer timer = null!;
        timer = Periodic("a", 1, 1, () => timer.Cancel());
        Advance(5);
        Advance(5);

        Assert.That(_fired, Has.Count.EqualTo(1));
        Assert.That(timer.IsActive, Is.False);
    }

    [Test]
    public void APeriodicTimer_CanChangeItsRhythm()
    {
        ReactorTimer timer = null!;
        timer = Periodic("a", 1, 1, () =>
        {
            if (_fired.Count == 1)
            {
                timer.Change(TimeSpan.FromMilliseconds(7), TimeSpan.FromMilliseconds(3));
            }
        });
        int[] counts = [.. new[] { 1, 6, 1, 2, 1, 3 }.Select(step =>
        {
            Advance(step);
            return _fired.Count;
        })];

        Assert.That(counts, Is.EqualTo(new[] { 1, 1, 2, 2, 3, 4 }));
    }

    [Test]
    public void AfterTheEnd_NoTimerIsActive_WhateverItsStateWas()
    {
        ReactorTimer due = Add("due", 0);
        ReactorTimer waiting = Add("waiting", 5);
        ReactorTimer periodic = Periodic("periodic", 5, 5);
        _queue.CollectDue(_time.GetTimestamp());
        _queue.End();
        ReactorTimer late = Add("late", 1);
        waiting.Change(TimeSpan.Zero);
        periodic.Change(TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        Advance(100);

        Assert.That(_fired, Is.Empty);
        Assert.That(new[] { due, waiting, periodic, late }.Select(static timer => timer.IsActive), Is.All.False);
        Assert.That(_queue.UntilNext(), Is.Null);
        Assert.That(() => Add("invalid", -1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(late.Cancel, Throws.Nothing);
    }

    private ReactorTimer Add(string name, int due, Action? callback = null) => Periodic(name, due, 0, callback);

    private ReactorTimer Periodic(string name, int due, int period, Action? callback = null) =>
        _queue.Add(
            TimeSpan.FromMilliseconds(due),
            TimeSpan.FromMilliseconds(period),
            _ =>
            {
                _fired.Add(name);
                callback?.Invoke();
            },
            null);

    private void Advance(int milliseconds)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        RunDue();
    }

    // As a tick does it.
    private void RunDue()
    {
        long now = _time.GetTimestamp();
        _queue.CollectDue(now);
        while (_queue.TakeDue(now) is { } timer)
        {
            timer.Callback(timer.State);
        }
    }
}

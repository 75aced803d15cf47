namespace SelectReactor.Testing.Tests;

public sealed class ClockTests
{
    private static readonly TimeSpan _hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private SimulatedNetwork _network = null!;
    private SimulatedHost _host = null!;

    private SimulatedClock Clock => _network.Clock;

    [SetUp]
    public void Open()
    {
        _network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        _host = _network.AddHost("host");
    }

    [TearDown]
    public void Close() => _network.Dispose();

    [Test]
    public void Time_PassesOnlyWhileTheNetworkRuns()
    {
        long before = Clock.GetTimestamp();
        Assert.That(Clock.GetTimestamp(), Is.EqualTo(before));

        _network.RunFor(_hour);

        Assert.That(Clock.GetElapsedTime(before), Is.EqualTo(_hour));
        Assert.That(Clock.Elapsed, Is.EqualTo(_hour));
        Assert.That(Clock.GetUtcNow(), Is.EqualTo(new DateTimeOffset(2000, 1, 1, 1, 0, 0, TimeSpan.Zero)));
    }

    [TestCase(1)]
    [TestCase(-1)]
    public void StepOfTheWallClock_MovesNoTimer(int hours)
    {
        int fired = 0;
        _host.Reactor.Schedule(_second, () => fired++);
        _network.RunFor(_second / 2);

        Clock.StepWallClock(TimeSpan.FromHours(hours));
        _network.RunFor(_second / 4);
        Assert.That(fired, Is.Zero);
        _network.RunFor(_second / 4);
        Assert.That(fired, Is.EqualTo(1));
        Assert.That(Clock.GetUtcNow().Hour, Is.EqualTo((24 + hours) % 24));
    }

    [Test]
    public void Leap_MakesWhatWasDueMeanwhileLate()
    {
        TimeSpan? firedAt = null;
        _host.Reactor.Schedule(TimeSpan.FromMinutes(1), () => firedAt = Clock.Elapsed);
        _network.RunFor(_second);

        Clock.Leap(_hour);
        _network.RunFor(_second);

        Assert.That(firedAt, Is.GreaterThan(_hour));
        Assert.That(() => Clock.Leap(-_second), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void FrozenClock_StandsWhileTheNetworkGoesOn()
    {
        int fired = 0;
        int happened = 0;
        _host.Reactor.Schedule(_second, () => fired++);
        _network.Schedule(2 * _second, () => happened++);
        Clock.Freeze();

        _network.RunFor(_hour);
        Assert.That((fired, happened, Clock.Elapsed), Is.EqualTo((0, 1, TimeSpan.Zero)));
        Assert.That(_host.Ticks, Is.LessThan(4000), "one wait a second");

        Clock.Resume();
        _network.RunFor(_second);
        Assert.That(fired, Is.EqualTo(1));
        Assert.That(Clock.Elapsed, Is.EqualTo(_second));
    }

    [Test]
    public void TimersOfTheClock_FireInVirtualTime()
    {
        var beats = new List<TimeSpan>();
        using ITimer timer = Clock.CreateTimer(_ => beats.Add(Clock.Elapsed), null, _second, 2 * _second);
        var delay = Task.Delay(_hour, Clock);

        _network.RunFor(TimeSpan.FromSeconds(6));
        Assert.That(beats, Is.EqualTo(new[] { _second, 3 * _second, 5 * _second }));
        Assert.That(timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan), Is.True);

        _network.RunFor(_hour);
        Assert.That(beats, Has.Count.EqualTo(3));
        Assert.That(delay.IsCompleted);
        timer.Dispose();
        Assert.That(timer.Change(_second, _second), Is.False);
    }

    [Test]
    public void TimersOfTheClock_StandAndLeapWithIt()
    {
        var soon = Task.Delay(_second, Clock);
        var late = Task.Delay(TimeSpan.FromMinutes(30), Clock);
        Clock.Freeze();
        _network.RunFor(_hour);
        Assert.That(soon.IsCompleted, Is.False);

        Clock.Resume();
        _network.RunFor(_second);
        Assert.That(soon.IsCompleted);

        Clock.Leap(_hour);
        _network.RunFor(TimeSpan.Zero);
        Assert.That(late.IsCompleted);
        Assert.That(() => Clock.Leap(TimeSpan.MaxValue), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}

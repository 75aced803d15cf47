using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Threading;
using SelectReactor.Timing;

namespace SelectReactor.Tests.Timing;

/// <summary>A timer that is over keeps nothing alive: a connection's memory goes with the connection.</summary>
public sealed class TimerMemoryTests
{
    private FakeTimeProvider _time = null!;
    private TimerQueue _queue = null!;

    [SetUp]
    public void Create()
    {
        _time = new FakeTimeProvider();
        _queue = new TimerQueue(new MonotonicClock(_time), new ThreadAffinity());
        _queue.Add(TimeSpan.FromHours(1), TimeSpan.Zero, static _ => { }, null);
    }

    [Test]
    public void ACancelledTimer_IsLetGo([Values(1, 2, 5)] int minutes)
    {
        WeakReference state = Cancelled(TimeSpan.FromMinutes(minutes * 30));

        AssertIsCollected(state);
    }

    [Test]
    public void ATimerThatHasFired_IsLetGo()
    {
        WeakReference state = Fired();

        AssertIsCollected(state);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference Cancelled(TimeSpan due)
    {
        object state = new();
        _queue.Add(due, TimeSpan.Zero, static _ => { }, state).Cancel();
        return new WeakReference(state);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference Fired()
    {
        object state = new();
        _queue.Add(TimeSpan.FromMinutes(1), TimeSpan.Zero, static _ => { }, state);
        _time.Advance(TimeSpan.FromMinutes(1));
        _queue.CollectDue(_time.GetTimestamp());
        Assert.That(_queue.TakeDue(_time.GetTimestamp())?.State, Is.SameAs(state));
        return new WeakReference(state);
    }

    private void AssertIsCollected(WeakReference state)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.That(state.IsAlive, Is.False);
        Assert.That(_queue.Count, Is.EqualTo(1), "the queue itself is still in use");
    }
}

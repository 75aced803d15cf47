using System.Diagnostics;
using SelectReactor.Selection;

namespace SelectReactor.Tests.Selection;

/// <summary>How long a select waits and what wakes it.</summary>
public sealed class SelectSelectorWaitTests : SelectorFixture
{
    [TestCase(0, 0)]
    [TestCase(1, 1000)]
    [TestCase(5_000, 1000)]
    [TestCase(9_999, 1000)]
    [TestCase(10_000, 1000)]
    [TestCase(10_001, 2000)]
    [TestCase(15_000, 2000)]
    [TestCase(TimeSpan.TicksPerSecond, 1_000_000)]
    [TestCase(1_000 * TimeSpan.TicksPerSecond, 1_000_000_000)]
    [TestCase((1_000 * TimeSpan.TicksPerSecond) + 1, 1_000_000_000)]
    [TestCase(TimeSpan.TicksPerDay * 30, 1_000_000_000)]
    [TestCase(long.MaxValue, 1_000_000_000)]
    [TestCase(-1, -1)]
    [TestCase(-TimeSpan.TicksPerMillisecond, -1)]
    [TestCase(-TimeSpan.TicksPerSecond, -1)]
    [TestCase(long.MinValue, -1)]
    public void AWait_IsRoundedUpToMillisecondsAndClamped(long ticks, int microseconds) =>
        Assert.That(SocketPoll.ToMicroseconds(TimeSpan.FromTicks(ticks)), Is.EqualTo(microseconds));

    [Test]
    public void AWait_IsNotShorterThanAsked()
    {
        foreach (double milliseconds in new[] { 0.1, 1.5, 20 })
        {
            long start = Stopwatch.GetTimestamp();
            Select(TimeSpan.FromMilliseconds(milliseconds));
            Assert.That(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Is.GreaterThanOrEqualTo(milliseconds));
        }
    }

    [Test]
    public void AWake_EndsAnEndlessWait()
    {
        var waker = new Thread(Selector.Wake);
        waker.Start();

        Select(Timeout.InfiniteTimeSpan);

        Assert.That(Ready, Is.Empty);
        waker.Join();
    }

    [Test]
    public void AWakeBeforeTheWait_EndsIt_Once()
    {
        Selector.Wake();
        Select(Timeout.InfiniteTimeSpan);

        AssertIsDrained();
    }

    [Test]
    public void ManyWakes_CountAsOne()
    {
        for (int i = 0; i < 1000; i++)
        {
            Selector.Wake();
        }

        Select(Timeout.InfiniteTimeSpan);

        AssertIsDrained();
    }

    [Test]
    public void AWakeDuringASelectThatFoundKeys_IsTakenToo()
    {
        (SocketHandle handle, Support.Peer peer) = Connected();
        SelectionKey key = Register(handle, Interest.Read);
        peer.Send([1]);
        SelectSome();
        Selector.Wake();
        Select(Timeout.InfiniteTimeSpan);
        Assert.That(Ready, Is.EqualTo(new[] { key }));
        key.Cancel();

        AssertIsDrained();
    }

    [Test]
    public void NoWakeIsLost()
    {
        const int Rounds = 100_000;
        int asked = 0;
        int seen = 0;
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var waker = new Thread(() =>
        {
            for (int round = 1; round <= Rounds; round++)
            {
                Volatile.Write(ref asked, round);
                Selector.Wake();
                while (Volatile.Read(ref seen) < round && !stop.IsCancellationRequested)
                {
                    // Every other round does not wait, so that wakes also meet a selector that is just going to sleep.
                    if (round % 2 == 0)
                    {
                        break;
                    }

                    Thread.Yield();
                }
            }
        });
        waker.Start();
        try
        {
            while (seen < Rounds && !stop.IsCancellationRequested)
            {
                // Long enough that a lost wake is not mistaken for one that came.
                long start = Stopwatch.GetTimestamp();
                Select(Bound);
                Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(Bound), $"after round {seen}");
                Volatile.Write(ref seen, Volatile.Read(ref asked));
            }
        }
        finally
        {
            stop.Cancel();
            waker.Join();
        }

        Assert.That(seen, Is.EqualTo(Rounds));
    }

    [Test]
    public void WakeAndDispose_MayMeet_AndComeInAnyOrder()
    {
        for (int i = 0; i < 200; i++)
        {
            var selector = new SelectSelector();
            Exception? error = null;
            var waker = new Thread(() =>
            {
                try
                {
                    for (int wake = 0; wake < 20; wake++)
                    {
                        selector.Wake();
                    }
                }
                catch (Exception exception)
                {
                    error = exception;
                }
            });
            waker.Start();
            selector.Dispose();
            waker.Join();
            selector.Wake();
            selector.Dispose();
            Assert.That(error, Is.Null);
        }
    }

    // A byte left in the wake-up sockets would end this wait at once.
    private void AssertIsDrained()
    {
        long start = Stopwatch.GetTimestamp();
        Select(TimeSpan.FromMilliseconds(50));
        Assert.That(Ready, Is.Empty);
        Assert.That(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Is.GreaterThanOrEqualTo(50));
    }
}

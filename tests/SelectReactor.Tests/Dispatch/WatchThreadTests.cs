using SelectReactor.Dispatch;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>The thread that samples the loops.</summary>
public sealed class WatchThreadTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    [Test]
    public void ThereIsOneThread_ForAllLoops()
    {
        List<Thread> threads = [];
        var watching = new WatchThread(threads.Add);
        for (int i = 0; i < 3; i++)
        {
            Assert.That(Watch(new ReactorOptions(), watching), Is.Not.Null);
        }

        Assert.That(threads, Has.Count.EqualTo(1));
        Assert.That(threads[0].IsBackground);
        Assert.That(threads[0].Name, Is.EqualTo("SelectReactor watch"));
    }

    [Test]
    public void WithoutALoopToWatch_ThereIsNoThread()
    {
        List<Thread> threads = [];
        var options = new ReactorOptions { SlowCallbackThreshold = Timeout.InfiniteTimeSpan };

        Assert.That(Watch(options, new WatchThread(threads.Add)), Is.Null);
        Assert.That(threads, Is.Empty);
    }

    [Test]
    public void WhereNoThreadCanBeMade_ThereIsNoWatch_AndTheNextReactorTriesAgain()
    {
        int attempts = 0;
        var watching = new WatchThread(_ =>
        {
            if (attempts++ == 0)
            {
                throw new InsufficientMemoryException();
            }
        });

        Assert.That(Watch(new ReactorOptions(), watching), Is.Null);
        Assert.That(Watch(new ReactorOptions(), watching), Is.Not.Null);
    }

    // The thread is the test's own: one that blocks in a logger would hold up other tests.
    [Test]
    public void ALoggerThatThrows_EndsNothing_AndEachLoopIsWatched()
    {
        var watching = new WatchThread(static thread => thread.UnsafeStart());
        using var thrown = new ManualResetEventSlim();
        using var written = new ManualResetEventSlim();
        LoopWatch first = Busy(() =>
        {
            thrown.Set();
            throw new InvalidDataException();
        });
        Assert.That(thrown.Wait(_bound));
        LoopWatch second = Busy(written.Set);

        Assert.That(written.Wait(_bound));
        GC.KeepAlive(first);
        GC.KeepAlive(second);

        LoopWatch Busy(Action write)
        {
            var progress = new LoopProgress();
            var options = new ReactorOptions { SlowCallbackThreshold = TimeSpan.FromMilliseconds(2) };
            LoopWatch watch = LoopWatch.For(options, progress, new ListLogger { Logged = _ => write() }, watching)!;
            watch.Awake();
            progress.Begin("a callback without an end", null);
            return watch;
        }
    }

    private static LoopWatch? Watch(ReactorOptions options, WatchThread thread) =>
        LoopWatch.For(options, new LoopProgress(), new ListLogger(), thread);
}

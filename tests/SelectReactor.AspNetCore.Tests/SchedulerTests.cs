using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>Where the continuations of pipes run.</summary>
internal sealed class SchedulerTests
{
    [Test]
    public async Task The_loops_scheduler_runs_continuations_of_other_threads_on_the_loop_in_order()
    {
        const int Count = 1000;
        using var thread = new ReactorThread();
        var scheduler = new LoopScheduler(thread.Reactor, new EventLog().CreateLogger("test"));
        var ran = new List<int>();
        var done = new TaskCompletionSource<bool>();

        for (int i = 0; i < Count; i++)
        {
            scheduler.Schedule(
                index =>
                {
                    ran.Add((int)index!);
                    if (ran.Count == Count)
                    {
                        done.SetResult(thread.Reactor.IsReactorThread && SynchronizationContext.Current is null);
                    }
                },
                i);
        }

        Assert.That(await done.Task.Within(), Is.True, "on the loop, without a context");
        Assert.That(ran, Is.EqualTo(Enumerable.Range(0, Count)));
    }

    [Test]
    public async Task The_loops_scheduler_runs_those_of_the_loop_at_once()
    {
        using var thread = new ReactorThread();
        var scheduler = new LoopScheduler(thread.Reactor, new EventLog().CreateLogger("test"));

        bool ranAtOnce = await thread.Reactor.InvokeAsync(() =>
        {
            bool hasRun = false;
            scheduler.Schedule(_ => hasRun = true, null);
            return hasRun;
        }).Within();

        Assert.That(ranAtOnce, Is.True);
    }

    [Test]
    public async Task A_continuation_that_throws_is_logged_and_the_others_run()
    {
        using var log = new EventLog();
        using var thread = new ReactorThread();
        var scheduler = new LoopScheduler(thread.Reactor, log.CreateLogger("test"));
        var ran = new TaskCompletionSource();

        scheduler.Schedule(static _ => throw new InvalidOperationException("Broken."), null);
        scheduler.Schedule(_ => ran.SetResult(), null);

        await ran.Task.Within();
        EventLog.Entry entry = log.Entries.Single();
        Assert.That(entry.Level, Is.EqualTo(LogLevel.Error));
        Assert.That(entry.Exception?.Message, Is.EqualTo("Broken."));
    }

    [Test]
    public async Task The_pools_scheduler_does_not_let_one_continuation_wait_for_another()
    {
        var scheduler = new PoolScheduler();
        var second = new TaskCompletionSource();
        var first = new TaskCompletionSource();

        scheduler.Schedule(
            _ =>
            {
                second.Task.Wait(Waiting.Bound);
                first.SetResult();
            },
            null);
        scheduler.Schedule(_ => second.SetResult(), null);

        await first.Task.Within();
        Assert.That(second.Task.IsCompleted, Is.True);
    }
}

using SelectReactor.Dispatch;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>A result of the loop: on which thread, and when, the code that awaits it goes on.</summary>
public sealed class ReactorCompletionTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void OnTheLoop_TheCodeAfterAnAwait_StaysOnItsThread_WithAndWithoutTheContext([Values] bool captured)
    {
        var completion = new ReactorCompletion<int>(Reactor);
        (int Result, bool OnThread, bool InsideTheCall)? seen = null;
        bool insideTheCall = false;
        Reactor.Post(async () =>
        {
            int result = await completion.Task.ConfigureAwait(captured);
            seen = (result, Reactor.IsReactorThread, insideTheCall);
        });
        Reactor.Post(() =>
        {
            insideTheCall = true;
            completion.SetResult(7);
            insideTheCall = false;
        });
        RunUntil(() => seen is not null);

        Assert.That(seen, Is.EqualTo((7, true, false)));
    }

    [Test]
    public void Elsewhere_TheCodeAfterAnAwait_NeverGoesOnAsTheLoop()
    {
        var completion = new ReactorCompletion<int>(Reactor);
        Task<bool> waiting = Task.Run(async () =>
        {
            Task<int> task = completion.Task;
            Reactor.Post(() => completion.SetResult(7));
            await task.ConfigureAwait(false);
            return Reactor.IsReactorThread;
        });

        Assert.That(RunUntil(waiting), Is.False);
    }

    [Test]
    public void TheTasks_AreMadeOnce_AndTheFirstOutcomeCounts()
    {
        var completion = new ReactorCompletion<int>(Reactor);
        Reactor.RunOnce(TimeSpan.Zero);
        Task<int> onLoop = completion.Task;
        Task<int> elsewhere = TaskOfAnotherThread(completion);
        completion.SetException(new InvalidDataException("first"));
        completion.SetResult(2);
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(completion.Task, Is.SameAs(onLoop).And.Not.SameAs(elsewhere));
        Assert.That(TaskOfAnotherThread(completion), Is.SameAs(elsewhere));
        Assert.That(() => onLoop.GetAwaiter().GetResult(), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => elsewhere.GetAwaiter().GetResult(), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void ACancelledOne_SaysWhy()
    {
        var completion = new ReactorCompletion<int>(Reactor);
        Task<int> waiting = completion.Task;
        completion.SetCanceled(new OperationCanceledException("the reason"));

        Assert.That(waiting.IsCanceled);
        Assert.That(
            () => waiting.GetAwaiter().GetResult(),
            Throws.TypeOf<OperationCanceledException>().With.Message.EqualTo("the reason"));
    }

    [Test]
    public void ATaskMadeWhileTheOutcomeIsSet_IsCompletedByOneOfTheTwoThreads()
    {
        for (int round = 0; round < 500; round++)
        {
            var completion = new ReactorCompletion<int>(Reactor);
            Task<int> asking = Task.Run(() => completion.Task);
            completion.SetResult(round);

            Assert.That(asking.Wait(Bound), $"round {round}");
        }
    }

    private static Task<int> TaskOfAnotherThread(ReactorCompletion<int> completion)
    {
        Task<int> task = null!;
        var thread = new Thread(() => task = completion.Task);
        thread.Start();
        thread.Join();
        return task;
    }
}

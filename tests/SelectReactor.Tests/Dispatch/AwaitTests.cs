using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>Where the code after an await runs, and that none of it is lost or ends the process.</summary>
public sealed class AwaitTests(SelectorKind selector) : ReactorFixture(selector)
{
    private const int CallbackFault = 1;
    private const int PostedAfterDispose = 5;

    [Test]
    public void Yield_InACallback_GoesOnInALaterPhaseOnTheSameThread()
    {
        var steps = new List<string>();
        Reactor.Post(async () =>
        {
            steps.Add("before");
            await Task.Yield();
            Reactor.VerifyAccess();
            steps.Add(Reactor.IsReactorThread ? "after" : "elsewhere");
        });
        Reactor.Post(() => steps.Add("next"));
        RunUntil(() => steps.Count == 3);

        Assert.That(steps, Is.EqualTo(new[] { "before", "next", "after" }));
    }

    [Test]
    public void ACompletionOnAnotherThread_WakesTheLoopAndComesBack()
    {
        var source = new TaskCompletionSource<int>();
        using var waiting = new ManualResetEventSlim();
        int loop = 0;
        int resumed = 0;
        int result = 0;
        Reactor.Post(async () =>
        {
            loop = Environment.CurrentManagedThreadId;
            waiting.Set();
            result = await source.Task;
            resumed = Environment.CurrentManagedThreadId;
            Reactor.Stop();
        });
        var completing = Task.Run(() =>
        {
            waiting.Wait(Bound);
            source.SetResult(7);
        });
        using var bound = new CancellationTokenSource(Bound);
        Reactor.Run(bound.Token);
        completing.GetAwaiter().GetResult();

        Assert.That(result, Is.EqualTo(7), "the wait of the loop did not end");
        Assert.That(resumed, Is.EqualTo(loop));
    }

    [Test]
    public void TheOuterContext_IsBack_EvenAfterATickThatThrew()
    {
        using var reactor = new Reactor(Options(propagateExceptions: true));
        SynchronizationContext? before = SynchronizationContext.Current;
        var outer = new SynchronizationContext();
        SynchronizationContext.SetSynchronizationContext(outer);
        try
        {
            reactor.Post(static () => throw new InvalidDataException());
            Assert.That(() => reactor.RunOnce(TimeSpan.Zero), Throws.TypeOf<InvalidDataException>());
            Assert.That(SynchronizationContext.Current, Is.SameAs(outer));

            reactor.Post(static () => throw new InvalidDataException());
            Assert.That(() => reactor.Run(), Throws.TypeOf<InvalidDataException>());
            Assert.That(SynchronizationContext.Current, Is.SameAs(outer));

            reactor.Dispose();
            Assert.That(SynchronizationContext.Current, Is.SameAs(outer));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    [Test]
    public void Send_OnTheReactorsThread_RunsAtOnce()
    {
        bool inside = false;
        Reactor.Post(() =>
        {
            bool ran = false;
            Reactor.SynchronizationContext.Send(_ => ran = true, null);
            inside = ran;
        });
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(inside);
    }

    [Test]
    public void Send_FromAnotherThread_BringsTheException()
    {
        var sending = Task.Run(() => Reactor.SynchronizationContext.Send(
            static _ => throw new InvalidDataException("sent"), null));

        Assert.That(() => RunUntil(sending), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("sent"));
    }

    [Test]
    public void Send_AfterDispose_Throws()
    {
        Reactor.Dispose();
        bool ran = false;

        Assert.That(
            () => Reactor.SynchronizationContext.Send(_ => ran = true, null),
            Throws.TypeOf<ObjectDisposedException>());
        Assert.That(ran, Is.False);
    }

    [Test]
    public void AnAsyncVoidThatFails_IsLogged_AndTheLoopGoesOn()
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        bool ran = false;
        reactor.Post(static async () =>
        {
            await Task.Yield();
            throw new InvalidDataException("late");
        });
        RunUntil(reactor, () => logger.Entries.Count > 0);
        reactor.Post(() => ran = true);
        RunUntil(reactor, () => ran);

        Assert.That(logger.Entries.Select(static entry => (entry.Level, entry.Id)), Is.EqualTo(new[] { (LogLevel.Error, CallbackFault) }));
        Assert.That(logger.Entries[0].Exception, Is.TypeOf<InvalidDataException>());
    }

    [Test]
    public void AnAwaitThatEndsAfterDispose_GoesOnOnThePool_AndWarns()
    {
        var logger = new ListLogger();
        var reactor = new Reactor(Options(logger: logger));
        var source = new TaskCompletionSource();
        using var resumed = new ManualResetEventSlim();
        bool onPool = false;
        reactor.Post(async () =>
        {
            await source.Task;
            onPool = Thread.CurrentThread.IsThreadPoolThread && SynchronizationContext.Current is null;
            resumed.Set();
        });
        reactor.RunOnce(TimeSpan.Zero);
        reactor.Dispose();
        source.SetResult();

        Assert.That(resumed.Wait(Bound), "the code after the await is lost");
        Assert.That(onPool);
        Assert.That(logger.Entries.Select(static entry => (entry.Level, entry.Id)), Is.EqualTo(new[] { (LogLevel.Warning, PostedAfterDispose) }));
    }

    // On the pool nobody stands between an exception and the end of the process, so that a failure ends the whole test run.
    [Test]
    public void AnAsyncVoidThatFailsAfterDispose_IsLoggedAndDoesNotEndTheProcess()
    {
        var logger = new SignallingLogger(CallbackFault);
        var reactor = new Reactor(Options(logger: logger));
        var source = new TaskCompletionSource();
        reactor.Post(async () =>
        {
            await source.Task;
            throw new InvalidDataException("too late");
        });
        reactor.RunOnce(TimeSpan.Zero);
        reactor.Dispose();
        source.SetResult();

        Assert.That(logger.Logged.Wait(Bound), "the fault is not logged");
    }

    private sealed class SignallingLogger(int id) : ILogger
    {
        public ManualResetEventSlim Logged { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == id && logLevel == LogLevel.Error && exception is InvalidDataException)
            {
                Logged.Set();
            }
        }
    }
}

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
    public void DuringEveryCallback_TheContextIsCurrent()
    {
        var seen = new List<(string Where, SynchronizationContext? Context)>();
        void See(string where) => seen.Add((where, SynchronizationContext.Current));
        var handler = new ScriptedHandler
        {
            Connected = _ => See("connected"),
            Readable = _ => See("readable"),
            InputEnded = connection =>
            {
                See("ended");
                connection.Close();
            },
            Closed = (_, _) => See("closed"),
        };
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("x"u8);
        peer.EndOutput();
        Reactor.Schedule(TimeSpan.Zero, () => See("timer"));
        Reactor.Post(() => See("post"));
        RunUntil(() => handler.IsClosed);
        Reactor.Post(() => See("dispose"));
        Reactor.Dispose();

        Assert.That(
            seen.Select(static one => one.Where),
            Is.EquivalentTo(new[] { "timer", "post", "connected", "readable", "ended", "closed", "dispose" }));
        Assert.That(seen.Select(static one => one.Context), Has.All.SameAs(Reactor.SynchronizationContext));
    }

    [Test]
    public void ManyAwaits_StayOnTheThreadAndInOrder()
    {
        var order = new List<int>();
        int strangers = 0;
        int done = 0;
        async void Walk(int number)
        {
            for (int i = 0; i < 100; i++)
            {
                await Task.Yield();
                strangers += Reactor.IsReactorThread ? 0 : 1;
                order.Add(number);
            }

            done++;
        }

        for (int i = 0; i < 3; i++)
        {
            int number = i;
            Reactor.Post(() => Walk(number));
        }

        RunUntil(() => done == 3);

        Assert.That(strangers, Is.Zero);
        Assert.That(order, Is.EqualTo(Enumerable.Range(0, 300).Select(static i => i % 3)));
    }

    // The other threads post faster than the loop may serve; what the loop has put off for itself does not stand in
    // that line.
    [Test]
    public void AFloodOfPosts_DoesNotDelayAnAwait()
    {
        using var reactor = new Reactor(new ReactorOptions { MaxPostsPerTick = 1 });
        int ticks = 0;
        int resumedIn = 0;
        reactor.Post(async () =>
        {
            await Task.Yield();
            resumedIn = ticks;
        });
        for (int i = 0; i < 100; i++)
        {
            reactor.Post(static () => { });
        }

        for (; ticks < 3; ticks++)
        {
            reactor.RunOnce(TimeSpan.Zero);
        }

        Assert.That(resumedIn, Is.EqualTo(1));
    }

    [Test]
    public void AnAwaitThatPosts_AllocatesOnlyWhatTheAwaitItselfNeeds()
    {
        SynchronizationContext context = Reactor.SynchronizationContext;
        static void Nothing(object? state)
        {
        }

        SendOrPostCallback callback = Nothing;
        long allocated = 0;
        Reactor.Post(() => context.Post(callback, null));
        Reactor.RunOnce(TimeSpan.Zero);
        Reactor.RunOnce(TimeSpan.Zero);
        Reactor.Post(() => allocated = Allocations.Least(() => context.Post(callback, null)));
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(allocated, Is.Zero);
    }

    // As the end of a wait does it: the code goes on at once, with the context or with none, and never with both.
    [Test]
    public void AContinuationOfTheLibrary_RunsWithTheContextOrWithNone_AndTheNextCallbackHasItAgain(
        [Values] bool withContext)
    {
        var seen = new List<SynchronizationContext?>();
        var waiting = new Mock<SelectReactor.Dispatch.IResumable>();
        waiting.Setup(static item => item.Resume()).Callback(() =>
        {
            Reactor.Invoke(_ => See(), null, withContext);
            See();
        });
        Reactor.ResumeLater(waiting.Object);
        Reactor.Post(See);
        Reactor.RunOnce(TimeSpan.Zero);

        SynchronizationContext own = Reactor.SynchronizationContext;
        Assert.That(seen, Is.EqualTo(new[] { withContext ? own : null, own, own }));

        void See() => seen.Add(SynchronizationContext.Current);
    }

    [Test]
    public void AContinuationOfTheLibraryThatThrows_IsLogged_AndTheLoopGoesOn()
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        var waiting = new Mock<SelectReactor.Dispatch.IResumable>();
        waiting.Setup(static item => item.Resume())
            .Callback(() => reactor.Invoke(static _ => throw new InvalidDataException(), null, withContext: false));
        reactor.ResumeLater(waiting.Object);

        Assert.That(reactor.RunOnce(TimeSpan.Zero), Is.EqualTo(1));
        Assert.That(
            logger.Entries.Select(static entry => (entry.Level, entry.Id)),
            Is.EqualTo(new[] { (LogLevel.Error, CallbackFault) }));
    }

    [Test]
    public void Send_OnTheReactorsThread_RunsAtOnceAndThrowsWhatItThrows()
    {
        bool inline = false;
        Exception? thrown = null;
        Reactor.Post(() =>
        {
            Reactor.SynchronizationContext.Send(_ => inline = true, null);
            thrown = Assert.Catch(
                () => Reactor.SynchronizationContext.Send(static _ => throw new InvalidDataException(), null));
        });
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(inline, Is.True);
        Assert.That(thrown, Is.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Send_FromAnotherThread_RunsOnTheReactorsThread()
    {
        int thread = 0;
        var sending = Task.Run(
            () => Reactor.SynchronizationContext.Send(_ => thread = Environment.CurrentManagedThreadId, null));
        RunUntil(sending);

        Assert.That(thread, Is.EqualTo(Environment.CurrentManagedThreadId));
    }

    [Test]
    public void ACopy_IsTheSame() =>
        Assert.That(Reactor.SynchronizationContext.CreateCopy(), Is.SameAs(Reactor.SynchronizationContext));

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

        Assert.That(
            logger.Entries.Select(static entry => (entry.Level, entry.Id)),
            Is.EqualTo(new[] { (LogLevel.Error, CallbackFault) }));
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
            onPool = Thread.CurrentThread.IsThreadPoolThread
                && SynchronizationContext.Current == reactor.SynchronizationContext;
            resumed.Set();
        });
        reactor.RunOnce(TimeSpan.Zero);
        reactor.Dispose();
        source.SetResult();

        Assert.That(resumed.Wait(Bound), "the code after the await is lost");
        Assert.That(onPool);
        Assert.That(
            logger.Entries.Select(static entry => (entry.Level, entry.Id)),
            Is.EqualTo(new[] { (LogLevel.Warning, PostedAfterDispose) }));
    }

    [Test]
    public void WhatComesAfterDispose_RunsOneAtATime_AndInOrder()
    {
        const int Items = 50;
        Reactor.Dispose();
        var order = new List<int>();
        int inside = 0;
        int overlaps = 0;
        using var done = new CountdownEvent(Items);
        void Enter()
        {
            overlaps += Interlocked.Increment(ref inside) == 1 ? 0 : 1;
            Thread.SpinWait(1000);
            Interlocked.Decrement(ref inside);
        }

        async void Late(object? number)
        {
            Enter();
            order.Add((int)number!);

            // Comes back to the end of the same line.
            await Task.Yield();
            Enter();
            done.Signal();
        }

        for (int i = 0; i < Items; i++)
        {
            if (i % 2 == 0)
            {
                Reactor.SynchronizationContext.Post(Late, i);
            }
            else
            {
                Reactor.PipeScheduler.Schedule(Late, i);
            }
        }

        Assert.That(done.Wait(Bound));
        Assert.That(overlaps, Is.Zero);
        Assert.That(order, Is.EqualTo(Enumerable.Range(0, Items)));
    }

    // On the pool nobody stands between an exception and the end of the process, so that a failure ends the whole test
    // run.
    [Test]
    public void AnAsyncVoidThatFailsAfterDispose_IsLoggedAndDoesNotEndTheProcess()
    {
        using var logged = new ManualResetEventSlim();
        var logger = new ListLogger
        {
            Logged = entry =>
            {
                if (entry is { Id: CallbackFault, Level: LogLevel.Error, Exception: InvalidDataException })
                {
                    logged.Set();
                }
            },
        };
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

        Assert.That(logged.Wait(Bound), "the fault is not logged");
    }
}

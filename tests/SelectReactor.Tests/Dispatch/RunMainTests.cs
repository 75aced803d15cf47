using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>The loop that runs for as long as one asynchronous function does.</summary>
public sealed class RunMainTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void Main_RunsOnTheLoop_FromItsFirstLineToItsLast()
    {
        int thread = Environment.CurrentManagedThreadId;
        List<(int Thread, bool HasContext)> seen = [];
        Reactor.Run(async () =>
        {
            See();
            await Task.Yield();
            See();
            await Task.Run(static () => { });
            See();
            await Reactor.InvokeAsync(See);
        });

        Assert.That(seen, Is.EqualTo(Enumerable.Repeat((thread, true), 4)));
        Assert.That(Reactor.IsReactorThread, Is.False);
        Assert.That(SynchronizationContext.Current, Is.Not.SameAs(Reactor.SynchronizationContext));

        void See() => seen.Add((
            Environment.CurrentManagedThreadId, SynchronizationContext.Current == Reactor.SynchronizationContext));
    }

    // Nothing else would end the wait of the loop.
    [Test]
    public void MainThatEndsOnAnotherThread_EndsRun() =>
        Reactor.Run(static async () => await Task.Run(static () => { }).ConfigureAwait(false));

    [Test]
    public void MainThatEndsAtOnce_IsEnough_AndASecondCallWorks()
    {
        int calls = 0;
        for (int i = 0; i < 3; i++)
        {
            Reactor.Run(() =>
            {
                calls++;
                return Task.CompletedTask;
            });
        }

        Assert.That(calls, Is.EqualTo(3));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void WhatMainThrows_RunThrows_WithItsStack(int awaits)
    {
        InvalidDataException? thrown = Assert.Throws<InvalidDataException>(() => Reactor.Run(async () =>
        {
            for (int i = 0; i < awaits; i++)
            {
                await Task.Yield();
            }

            ThrowDeep();
        }));

        Assert.That(thrown!.StackTrace, Does.Contain(nameof(ThrowDeep)));
        Assert.That(() => Reactor.Run(ThrowAtOnce), Throws.TypeOf<InvalidDataException>());
        Reactor.Run(static () => Task.CompletedTask);

        static Task ThrowAtOnce() => throw new InvalidDataException();
    }

    [Test]
    public void MainThatIsCancelled_ThrowsItsOwnException()
    {
        using var source = new CancellationTokenSource();
        Reactor.Schedule(TimeSpan.Zero, source.Cancel);

        Assert.That(
            () => Reactor.Run(() => Task.Delay(Timeout.InfiniteTimeSpan, source.Token)),
            Throws.InstanceOf<OperationCanceledException>()
                .With.Property(nameof(OperationCanceledException.CancellationToken)).EqualTo(source.Token));
    }

    [Test]
    public void NullInPlaceOfATask_IsNamed_AndOfAFunctionRefused()
    {
        Assert.That(
            () => Reactor.Run(static () => null!), Throws.InvalidOperationException.With.Message.Contains("null"));
        Assert.That(() => Reactor.Run(null!), Throws.ArgumentNullException);
    }

    [Test]
    public void InsideACallback_ItIsRefused_AndNotStarted()
    {
        bool isStarted = false;
        Reactor.Run(() =>
        {
            Assert.That(() => Reactor.Run(Inner), Throws.InvalidOperationException.With.Message.Contains("callback"));
            return Task.CompletedTask;
        });
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(isStarted, Is.False);

        Task Inner()
        {
            isStarted = true;
            return Task.CompletedTask;
        }
    }

    [Test]
    public void Connections_StayOpen_AndWhatMainWroteLastIsSent()
    {
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        var connected = new TaskCompletionSource<Connection>();
        handler.Connected = connected.SetResult;
        Reactor.Run(async () => (await connected.Task).TryWrite("hello"u8));
        Assert.That(peer.Receive(5), Is.EqualTo("hello"u8.ToArray()));
        Reactor.Run(() =>
        {
            handler.Connection.TryWrite("again"u8);
            return Task.CompletedTask;
        });

        Assert.That(peer.Receive(5), Is.EqualTo("again"u8.ToArray()));
        Assert.That(handler.IsClosed, Is.False);
    }

    [Test]
    public void Stop_CancelsRun_AndTheRestOfMainRunsWithTheNext([Values] bool fromAnotherThread)
    {
        var gate = new TaskCompletionSource();
        bool isDone = false;
        Assert.That(
            () => Reactor.Run(async () =>
            {
                Stop();
                await gate.Task;
                isDone = true;
            }),
            Throws.TypeOf<OperationCanceledException>().With.Message.Contains("Stop"));
        Assert.That(isDone, Is.False);
        Reactor.Run(async () =>
        {
            gate.SetResult();
            await Task.Yield();
        });

        Assert.That(isDone);

        void Stop()
        {
            if (fromAnotherThread)
            {
#pragma warning disable SR0002 // The loop waits for another thread, which does not wait for the loop.
                Task.Run(Reactor.Stop).Wait();
#pragma warning restore SR0002
            }
            else
            {
                Reactor.Stop();
            }
        }
    }

    [Test]
    public void StopBefore_KeepsMainFromStarting_ForGood()
    {
        bool isStarted = false;
        Reactor.Stop();
        Assert.That(
            () => Reactor.Run(() =>
            {
                isStarted = true;
                return Task.CompletedTask;
            }),
            Throws.TypeOf<OperationCanceledException>());
        Reactor.Run(static () => Task.CompletedTask);

        Assert.That(isStarted, Is.False);
    }

    [Test]
    public void StopAndReturn_IsASuccess() => Reactor.Run(() =>
    {
        Reactor.Stop();
        return Task.CompletedTask;
    });

    // Whoever started it has gone on, and would never learn of it.
    [Test]
    public void AFaultAfterTheStop_IsLogged()
    {
        var log = new ListLogger();
        using var reactor = new Reactor(Options(logger: log));
        var gate = new TaskCompletionSource();
        Assert.That(
            () => reactor.Run(async () =>
            {
                reactor.Stop();
                await gate.Task;
                throw new InvalidDataException("late");
            }),
            Throws.TypeOf<OperationCanceledException>());
        reactor.Post(gate.SetResult);
        RunUntil(reactor, () => log.Entries.Exists(static entry => entry.Id == 51));

        Assert.That(log.Entries.Single().Exception?.Message, Is.EqualTo("late"));
    }

    [Test]
    public void AShutdownThatMainAwaitsLast_IsASuccess()
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        Reactor.Run(async () => await Reactor.ShutdownAsync(TimeSpan.Zero));

        Assert.That(Reactor.Stopping.IsCancellationRequested);
    }

    [Test]
    public void AShutdown_LeavesMainItsDeadline()
    {
        bool isDone = false;
        Reactor.Run(async () =>
        {
            await Reactor.ShutdownAsync(TimeSpan.FromHours(1));
            await Reactor.InvokeAsync(static () => 1);
            await Task.Run(static () => { });
            var later = new TaskCompletionSource();
            Reactor.Schedule(TimeSpan.FromTicks(1), later.SetResult);
            await later.Task;
            isDone = true;
        });

        Assert.That(isDone);
    }

    [Test]
    public void AShutdownThatFinishesFirst_CancelsRun_AtItsDeadline()
    {
        Assert.That(
            () => Reactor.Run(async () =>
            {
                _ = Reactor.ShutdownAsync(TimeSpan.Zero);
                await new TaskCompletionSource().Task;
            }),
            Throws.TypeOf<OperationCanceledException>().With.Message.Contains("shutdown"));
        bool isStarted = false;
        Assert.That(
            () => Reactor.Run(() =>
            {
                isStarted = true;
                return Task.CompletedTask;
            }),
            Throws.TypeOf<OperationCanceledException>(),
            "and every later call");
        Assert.That(isStarted, Is.False);
    }

    [Test]
    public void Stopping_EndsAMainThatWaitsForIt()
    {
        Reactor.Post(() => Reactor.ShutdownAsync(TimeSpan.FromHours(1)));
        bool isDone = false;
        Reactor.Run(async () =>
        {
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, Reactor.Stopping);
            }
            catch (OperationCanceledException)
            {
                isDone = true;
            }
        });

        Assert.That(isDone);
    }

    [Test]
    public void ADispose_EndsRun_WithItsException([Values] bool fromAnotherThread)
    {
        Assert.That(
            () => Reactor.Run(async () =>
            {
                if (fromAnotherThread)
                {
                    await Task.Run(Reactor.Dispose).ConfigureAwait(false);
                }
                else
                {
                    Reactor.Dispose();
                }

                await new TaskCompletionSource().Task;
            }),
            Throws.TypeOf<ObjectDisposedException>());
        Assert.That(
            () => Reactor.Run(static () => Task.CompletedTask),
            Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Create a new one"));
    }

    [Test]
    public void ADisposeAsTheLastThing_IsASuccess() => Reactor.Run(() =>
    {
        Reactor.Dispose();
        return Task.CompletedTask;
    });

    [Test]
    public void TheOtherRuns_StillResolve()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Reactor.Run(cancelled.Token);
        Reactor.Stop();
        Reactor.Run();
        Reactor.Stop();
        var loop = Task.Run(Reactor.Run);

        Assert.That(loop.Wait(Bound));
    }

    private static void ThrowDeep() => throw new InvalidDataException("deep");
}

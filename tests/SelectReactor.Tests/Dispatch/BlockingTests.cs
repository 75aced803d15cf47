using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

#pragma warning disable SR0002 // The callbacks block on purpose.

namespace SelectReactor.Tests.Dispatch;

/// <summary>A callback that makes the loop wait is told of, and goes on. Each blocked callback is released once the
/// message has come, so that no time is measured.</summary>
public sealed class BlockingTests(SelectorKind selector) : ReactorFixture(selector)
{
    private const int Waits = 52;
    private const int IsSlow = 53;
    private static readonly TimeSpan _threshold = TimeSpan.FromMilliseconds(20);

    public enum Blocker
    {
        TaskWait,
        TaskResult,
        SemaphoreSlim,
        ManualResetEvent,
        ManualResetEventSlim,
        Monitor,
        Lock,
        Join,
    }

    [Test]
    public void AWait_IsLogged_WithItsStack_AndGoesOn([Values] Blocker blocker)
    {
        var log = new MessageLogger();
        using var reactor = new Reactor(Watched(log));
        bool isOver = false;
        reactor.Post(() =>
        {
            Block(blocker, log.Arrived(Waits));
            isOver = true;
        });
        RunUntil(reactor, () => isOver);

        (LogLevel level, string message) = log.Messages(Waits).Single();
        Assert.That(level, Is.EqualTo(LogLevel.Warning));
        Assert.That(message, Does.Contain(nameof(AWait_IsLogged_WithItsStack_AndGoesOn)).And.Contain("20 ms"));
        Assert.That(message, Does.Contain($"{nameof(BlockingTests)}.{nameof(Block)}("), "the stack");
        Assert.That(message, Does.Not.Contain("LoopWatch"));
    }

    [Test]
    public void AWait_IsLogged_InAHandler_ATimer_AndAfterAnAwait([Values("handler", "timer", "await")] string where)
    {
        var log = new MessageLogger();
        using var reactor = new Reactor(Watched(log));
        bool isOver = false;
        var handler = new ScriptedHandler();
        Listener? listener = null;
        switch (where)
        {
            case "handler":
                handler.Readable = _ => Wait();
                listener = reactor.Listen(AnyPort, handler);
                var peer = Peer.Connect(listener.LocalEndPoint);
                peer.Send("x"u8);
                break;
            case "timer":
                reactor.Schedule(TimeSpan.Zero, Wait);
                break;
            default:
                reactor.Post(async () =>
                {
                    await Task.Yield();
                    Wait();
                });
                break;
        }

        RunUntil(reactor, () => isOver);
        string message = log.Messages(Waits).Single().Message;
        Assert.That(message, Does.Contain(where == "handler" ? nameof(ScriptedHandler) : nameof(BlockingTests)));

        void Wait()
        {
            log.Arrived(Waits).Wait(Bound);
            isOver = true;
        }
    }

    // It is in the framework's hands to call the wait; what it returns must be what the wait would have returned.
    [Test]
    public void TheResultOfAWait_IsThatOfTheWait()
    {
        var log = new MessageLogger();
        using var reactor = new Reactor(Watched(log));
        using var never = new ManualResetEvent(false);
        using var set = new ManualResetEvent(true);
        List<object> results = [];
        reactor.Post(() =>
        {
            results.Add(never.WaitOne(0));
            results.Add(never.WaitOne(1));
            results.Add(never.WaitOne(_threshold * 2));
            results.Add(set.WaitOne(_threshold * 2));
            results.Add(WaitHandle.WaitAny([never, set]));
            results.Add(WaitHandle.WaitAny([never, never], _threshold * 2));
        });
        RunUntil(reactor, () => results.Count == 6);

        Assert.That(results, Is.EqualTo(new object[] { false, false, false, true, 1, WaitHandle.WaitTimeout }));
    }

    [Test]
    public void CodeThatComputesOrSleeps_IsLogged_WithoutAStack([Values] bool sleeps)
    {
        var log = new MessageLogger();
        using var reactor = new Reactor(Watched(log));
        Task arrived = log.Arrived(IsSlow);
        bool isOver = false;
        reactor.Post(() =>
        {
            while (!arrived.IsCompleted)
            {
                if (sleeps)
                {
                    Thread.Sleep(1);
                }
            }

            isOver = true;
        });
        RunUntil(reactor, () => isOver);

        (LogLevel level, string message) = log.Messages(IsSlow).Single();
        Assert.That(level, Is.EqualTo(LogLevel.Warning));
        Assert.That(message, Does.Contain(nameof(CodeThatComputesOrSleeps_IsLogged_WithoutAStack)));
        Assert.That(log.Messages(Waits), Is.Empty);
    }

    [Test]
    public void AHandlerThatIsSlow_IsNamedByItsType_OnARunningLoop()
    {
        var log = new MessageLogger();
        using var thread = new ReactorThread(Watched(log));
        Task arrived = log.Arrived(IsSlow);
        var handler = new ScriptedHandler
        {
            Readable = _ => SpinWait.SpinUntil(() => arrived.IsCompleted, Bound),
        };
        Listener listener = thread.Reactor.InvokeAsync(() => thread.Reactor.Listen(AnyPort, handler)).Result;
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("x"u8);

        arrived.Wait();
        Assert.That(log.Messages(IsSlow).Single().Message, Does.Contain(nameof(ScriptedHandler)));
    }

    [TestCase(-1, true)]
    [TestCase(20, false)]
    public void TheWatch_IsOff_WhenTheOptionsSaySo(int milliseconds, bool hasSystemTime)
    {
        ReactorOptions options = Options(hasSystemTime ? TimeProvider.System : new FakeTimeProvider());
        options.SlowCallbackThreshold = TimeSpan.FromMilliseconds(milliseconds);
        using var reactor = new Reactor(options);

        Assert.That(reactor.Watch, Is.Null);
        Assert.That(reactor.SynchronizationContext.IsWaitNotificationRequired(), Is.False);
    }

    [Test]
    public void TheWatch_IsOn_ByDefault()
    {
        using var reactor = new Reactor();

        Assert.That(reactor.Watch?.ThresholdMilliseconds, Is.EqualTo(100));
        Assert.That(reactor.SynchronizationContext.IsWaitNotificationRequired());
    }

    [Test]
    public void ALoggerThatThrows_DoesNotHarmTheWait()
    {
        using var called = new ManualResetEventSlim();
        var log = new MessageLogger
        {
            Written = () =>
            {
                called.Set();
                throw new InvalidDataException();
            },
        };
        using var reactor = new Reactor(Watched(log));
        bool isOver = false;
        reactor.Post(() => isOver = called.Wait(Bound));
        RunUntil(reactor, () => isOver);
    }

    [Test]
    public void AReactorThatNobodyDisposed_CanBeCollected()
    {
        WeakReference reactor = RunAndForget();
        for (int i = 0; i < 10 && reactor.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.That(reactor.IsAlive, Is.False);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        WeakReference RunAndForget()
        {
            var forgotten = new Reactor(Watched(new MessageLogger()));
            forgotten.Post(static () => { });
            forgotten.RunOnce(TimeSpan.Zero);
            return new WeakReference(forgotten);
        }
    }

    private ReactorOptions Watched(ILogger logger)
    {
        ReactorOptions options = Options(logger: logger);
        options.SlowCallbackThreshold = _threshold;
        return options;
    }

    private static void Block(Blocker blocker, Task released)
    {
        switch (blocker)
        {
            case Blocker.TaskWait:
                released.Wait();
                break;
            case Blocker.TaskResult:
                _ = released.ContinueWith(static _ => 1, TaskScheduler.Default).Result;
                break;
            case Blocker.SemaphoreSlim:
                using (var semaphore = new SemaphoreSlim(0))
                {
                    _ = released.ContinueWith(_ => semaphore.Release(), TaskScheduler.Default);
                    semaphore.Wait();
                }

                break;
            case Blocker.ManualResetEvent:
                using (var signal = new ManualResetEvent(false))
                {
                    _ = released.ContinueWith(_ => signal.Set(), TaskScheduler.Default);
                    signal.WaitOne();
                }

                break;
            case Blocker.ManualResetEventSlim:
                using (var signal = new ManualResetEventSlim())
                {
                    _ = released.ContinueWith(_ => signal.Set(), TaskScheduler.Default);
                    signal.Wait();
                }

                break;
            case Blocker.Monitor:
                var gate = new object();
                Hold(released, () => Monitor.Enter(gate), () => Monitor.Exit(gate));
                lock (gate)
                {
                    break;
                }

            case Blocker.Lock:
                var inner = new Lock();
                Hold(released, inner.Enter, inner.Exit);
                lock (inner)
                {
                    break;
                }

            default:
                var thread = new Thread(released.Wait) { IsBackground = true };
                thread.Start();
                thread.Join();
                break;
        }
    }

    // On a thread of its own, since a lock belongs to its thread.
    private static void Hold(Task released, Action enter, Action exit)
    {
        using var entered = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            enter();
            entered.Set();
            released.Wait();
            exit();
        });
        thread.IsBackground = true;
        thread.Start();
        SpinWait.SpinUntil(() => entered.IsSet);
    }

    /// <summary>Tells when a message has come.</summary>
    private sealed class MessageLogger : ILogger
    {
        private readonly List<(LogLevel Level, int Id, string Message)> _entries = [];
        private readonly Dictionary<int, TaskCompletionSource> _arrived = new()
        {
            [Waits] = new(TaskCreationOptions.RunContinuationsAsynchronously),
            [IsSlow] = new(TaskCreationOptions.RunContinuationsAsynchronously),
        };

        /// <summary>Called after each message.</summary>
        public Action? Written { get; init; }

        /// <summary>Completes when such a message has come, or else after <see cref="Bound"/>.</summary>
        public async Task Arrived(int id) => await Task.WhenAny(_arrived[id].Task, Task.Delay(Bound))
            .ConfigureAwait(false);

        public (LogLevel Level, string Message)[] Messages(int id)
        {
            lock (_entries)
            {
                return
                [
                    .. _entries.Where(entry => entry.Id == id).Select(static entry => (entry.Level, entry.Message)),
                ];
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            lock (_entries)
            {
                _entries.Add((logLevel, eventId.Id, formatter(state, exception)));
            }

            if (_arrived.TryGetValue(eventId.Id, out TaskCompletionSource? source))
            {
                source.TrySetResult();
            }

            Written?.Invoke();
        }
    }
}

using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using SelectReactor.Buffers;
using SelectReactor.Diagnostics;
using SelectReactor.Dispatch;
using SelectReactor.Threading;
using SelectReactor.Timing;

namespace SelectReactor;

/// <summary>
/// An event loop: one thread waits for many handles, timers and posted callbacks, and calls the user's code for each
/// in turn. Nothing of it is locked, because nothing of it runs at the same time.
/// </summary>
/// <remarks>
/// Members are to be used on the reactor's thread, which is the one that last entered <see cref="Run()"/> or
/// <see cref="RunOnce"/>. Before the first entry, and after <see cref="Run()"/> has returned, any one thread may use
/// them, so that a program can set up its listeners first. On another thread they throw. These may be used on any
/// thread at any time: <see cref="Post(Action)"/>, <see cref="TryPost(Action)"/>,
/// <see cref="InvokeAsync(Func{Task})"/>, <see cref="ShutdownAsync"/>, <see cref="Stop"/>, <see cref="Dispose"/>, with
/// their overloads, <see cref="Stopping"/>, <see cref="SynchronizationContext"/>, <see cref="PipeScheduler"/>,
/// <see cref="TimeProvider"/>, <see cref="IsReactorThread"/> and <see cref="VerifyAccess"/>; and, by one thread at a
/// time, <see cref="Run()"/> and <see cref="RunOnce"/>. <c>ListenAsync</c> and <c>ConnectAsync</c> also work from any
/// thread.
/// </remarks>
[DebuggerDisplay("{ToString(),nq}")]
public sealed partial class Reactor : IDisposable, ILoopGauges
{
    private static readonly TimeSpan _trimInterval = TimeSpan.FromSeconds(30);
    private readonly ReactorOptions _options;
    private readonly Demultiplexer _demultiplexer;
    private readonly TimerQueue _timers;
    private readonly LoopPlace _place;
    private readonly CallbackGuard _guard;
    private readonly Mailbox _mailbox = new();
    private readonly LoopProgress _progress = new();
    private readonly LateWork _late;
    private readonly ResumeQueue _resumed;
    private readonly ClientRegistry _clients;
    private readonly GracefulShutdown _shutdown;
    private readonly LoopMeter _meter;
    private ReactorTimer? _trimming;
    private volatile bool _stopRequested;

    /// <summary>A reactor with default options.</summary>
    public Reactor()
        : this(new ReactorOptions())
    {
    }

    /// <summary>A reactor with options of your own.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The selector can't open its wake-up.</exception>
    public Reactor(ReactorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Copy();
        (options.Logger as StandardErrorLogger)?.Open();
        Logger = new GuardedLogger(options.Logger);
        Watch = LoopWatch.For(_options, _progress, Logger, WatchThread.Shared);
        SynchronizationContext = new ReactorSynchronizationContext(this, Watch);
        PipeScheduler = new ReactorPipeScheduler(this);
        Clock = new MonotonicClock(options.TimeProvider);
        Now = Clock.Now;
        Counts = new ReactorCounts(Instruments.Of(options.MeterFactory), this);
        _meter = new LoopMeter(Counts.Instruments, Clock);
        _timers = new TimerQueue(Clock, Affinity);
        _place = new LoopPlace(Affinity);
        _guard = new CallbackGuard(Logger, options.PropagateExceptions, SynchronizationContext, _progress);
        _late = new LateWork(Logger, SynchronizationContext);
        _resumed = new ResumeQueue(_late);
        _clients = new ClientRegistry(options.MaxConnections, options.CreatePlaces(), _resumed, _guard, Logger);
        _shutdown = new GracefulShutdown(this, _clients);
        Lingering = new LingeringClients(options.MaxLingeringConnections);
        _demultiplexer = new Demultiplexer(options.SelectorFactory(), Affinity, _clients, _guard, Logger);
        Counts.Begin();
    }

    /// <summary>The clock of the timers. Any thread.</summary>
    public TimeProvider TimeProvider => _options.TimeProvider;

    /// <summary>Runs what is posted to it on the reactor's thread, and is current there during a tick, so that the
    /// code after an <c>await</c> in a callback comes back. After the reactor's end it runs what is posted on the
    /// thread pool, one item at a time and in order. Any thread.</summary>
    public SynchronizationContext SynchronizationContext { get; }

    /// <summary>Lets a <see cref="Pipe"/> of your own call back on the reactor's thread, and after the reactor's end
    /// on the thread pool. Any thread.</summary>
    public PipeScheduler PipeScheduler { get; }

    /// <summary>Cancelled when a shutdown begins, or when the reactor closes because it is disposed. Callbacks on it
    /// run on the reactor's thread; an exception of one is logged and harms nobody. Any thread.</summary>
    public CancellationToken Stopping => _shutdown.Stopping;

    /// <summary>Whether the current thread is the reactor's. False before the loop was entered. Any thread.</summary>
    public bool IsReactorThread => Affinity.IsCurrent;

    internal ThreadAffinity Affinity { get; } = new();

    internal MonotonicClock Clock { get; }

    /// <summary>When the tick under way began to serve: for purposes that need no exact time, at no cost.</summary>
    internal long Now { get; private set; }

    /// <summary>The number of the current tick.</summary>
    internal long Ticks { get; private set; }

    internal BufferPool Buffers { get; } = new();

    internal ReactorCounts Counts { get; }

    internal List<ArraySegment<byte>> GatherList { get; } = [];

    internal IHandleFactory HandleFactory => _options.HandleFactory;

    internal INameResolver NameResolver => _options.NameResolver;

    internal ILogger Logger { get; }

    /// <summary>Null if the options switch it off.</summary>
    internal LoopWatch? Watch { get; }

    internal bool IsDisposed => _place.IsDisposed;

    /// <summary>Whether callbacks, awaits or closes wait for their turn.</summary>
    internal bool HasWork => _clients.HasWork || _resumed.Count > 0 || !_mailbox.IsEmpty;

    /// <summary>Throws unless the current thread may use this reactor. Any thread.</summary>
    /// <exception cref="InvalidOperationException">Another thread is the reactor's.</exception>
    public void VerifyAccess() => Affinity.Verify();

    /// <summary>
    /// Runs the loop on the current thread until <see cref="Stop"/> is called, a shutdown has finished, or the reactor
    /// is disposed. A stop that came before makes it return at once. It can be called again; after a finished
    /// shutdown it runs what was posted since, and returns. Any thread, one at a time. If the selector itself fails,
    /// and the loop can therefore no longer wait, everything is closed as by <see cref="Dispose"/> and the selector's
    /// exception is thrown.
    /// </summary>
    /// <exception cref="InvalidOperationException">The loop runs already, on another thread or around this
    /// callback.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public void Run() => Run(CancellationToken.None);

    /// <summary>As <see cref="Run()"/>, and until <paramref name="stop"/> is cancelled.</summary>
    /// <exception cref="InvalidOperationException">The loop runs already, on another thread or around this
    /// callback.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public void Run(CancellationToken stop) => RunLoop(main: null, disposesAtEnd: false, stop);

    /// <summary>
    /// Runs the loop on the current thread for as long as an asynchronous function takes: starts it on the loop, and
    /// returns when its task has completed, in the way that it did. Connections and listeners stay open, and it can be
    /// called again. Any thread, one at a time.
    /// </summary>
    /// <param name="main">The code after its awaits runs on this thread. What it throws, this method throws.</param>
    /// <exception cref="ArgumentNullException"><paramref name="main"/> is null.</exception>
    /// <exception cref="OperationCanceledException"><see cref="Stop"/> was called before the task completed, or a
    /// shutdown has finished and its deadline has passed. If a stop or the end of a shutdown was before this call, the
    /// function is not started; otherwise the rest of it runs when the loop does again, or with <see cref="Dispose"/>,
    /// and an exception of it is logged.</exception>
    /// <exception cref="InvalidOperationException">The loop runs already, on another thread or around this
    /// callback.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed, now or before the task
    /// completed.</exception>
    public void Run(Func<Task> main)
    {
        ArgumentNullException.ThrowIfNull(main);
        var task = new MainTask(main, WakeLoop, Logger);
        try
        {
            RunLoop(task, disposesAtEnd: false, CancellationToken.None);
        }
        finally
        {
            task.Abandon();
        }

        if (!task.TryEnd())
        {
            ThrowIfDisposed();
            throw new OperationCanceledException(_shutdown.IsOver
                ? "The deadline of a shutdown of the reactor has passed before the task of Run completed."
                : "Reactor.Stop has ended the loop before the task of Run completed.");
        }
    }

    /// <summary>As <see cref="Run()"/>, until <paramref name="main"/> has completed. It can dispose the reactor at the
    /// end, before another thread may use it.</summary>
    internal void RunLoop(MainTask? main, bool disposesAtEnd, CancellationToken stop)
    {
        CallbackGuard.Ambient outer = Enter();
        try
        {
            using (stop.UnsafeRegister(static self => ((Reactor)self!).Stop(), this))
            {
                bool mayStart = !_shutdown.IsOver;
                if (main is not null && mayStart)
                {
                    _resumed.Add(new WorkItem(static main => ((MainTask)main!).Start(), main));
                }

                while (mayStart && !_stopRequested && !IsDisposed && !IsDone(main))
                {
                    Tick(Timeout.InfiniteTimeSpan);
                }

                RunLeftOver();
            }
        }
        catch (Exception exception) when (disposesAtEnd)
        {
            Fault ??= exception;
            throw;
        }
        finally
        {
            _stopRequested = false;
            if (disposesAtEnd)
            {
                _place.TryDispose();
            }

            Leave(outer, staysBound: false);
        }
    }

    private bool IsDone(MainTask? main) =>
        main is { IsCompleted: true } || (_shutdown.IsOver && (main is null || !_shutdown.HasTimeLeft));

    /// <summary>
    /// Runs one tick on the current thread: waits for at most <paramref name="timeout"/> until there is something to
    /// do, does it, and returns. For a loop of your own, such as a game's. Any thread, one at a time; the thread stays
    /// the reactor's thread afterwards. The first call after another thread has called <see cref="Dispose"/> closes
    /// everything and returns.
    /// </summary>
    /// <param name="timeout">Zero to not wait; <see cref="Timeout.InfiniteTimeSpan"/> to wait without limit.</param>
    /// <returns>How many readiness events, timers, awaits and posted callbacks were served.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not
    /// infinite.</exception>
    /// <exception cref="InvalidOperationException">The loop runs already, on another thread or around this
    /// callback.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public int RunOnce(TimeSpan timeout)
    {
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        }

        CallbackGuard.Ambient outer = Enter();
        try
        {
            return IsDisposed ? 0 : Tick(timeout);
        }
        finally
        {
            Leave(outer, staysBound: true);
        }
    }

    // After a finished shutdown nothing is waited for, but what was posted since still runs.
    private void RunLeftOver()
    {
        for (int round = 0; _shutdown.IsOver && HasWork && round < GracefulShutdown.MaxEndRounds; round++)
        {
            if (_stopRequested || IsDisposed)
            {
                return;
            }

            Tick(TimeSpan.Zero);
        }
    }

    private int Tick(TimeSpan timeout)
    {
        Ticks++;
        _clients.SettleDirty();
        _meter.BeginWait();
        Select(ComputeWait(timeout));
        Now = Clock.Now;
        _meter.EndWait(Now);
        int readyKeys = _demultiplexer.DispatchReady();
        int served = readyKeys + RunDueTimers();
        served += RunResumed();
        served += RunMailbox(_options.MaxPostsPerTick);
        _clients.SettleDirty();
        _clients.FinishCloses();
        _shutdown.EndTick();
        KeepTrimming();
        _meter.EndTick(readyKeys);
        _guard.ThrowKept();
        return served;
    }

    private TimeSpan ComputeWait(TimeSpan timeout)
    {
        if (HasWork)
        {
            return TimeSpan.Zero;
        }

        TimeSpan? next = _timers.UntilNext();
        return next is { } due && (timeout < TimeSpan.Zero || due < timeout) ? due : timeout;
    }

    private void Select(TimeSpan wait)
    {
        try
        {
            _demultiplexer.Select(wait);
            Watch?.Awake();
        }
        catch (Exception exception)
        {
            // Without a wait there is no loop. Whoever has the loop's place closes everything when it leaves.
            Fault = exception;
            _place.TryDispose();
            throw;
        }
    }

    private int RunDueTimers()
    {
        int served = 0;
        long now = Now;
        _timers.CollectDue(now);
        while (_timers.TakeDue(now) is { } timer)
        {
            served++;
            _guard.Run(new WorkItem(timer.Callback, timer.State), ReactorLog.TimerFault);
        }

        return served;
    }

    private int RunResumed()
    {
        int count = _resumed.Count;
        for (int i = 0; i < count; i++)
        {
            _guard.Run(_resumed.Take(), ReactorLog.CallbackFault);
        }

        return count;
    }

    private int RunMailbox(int limit)
    {
        int count = Math.Min(_mailbox.Snapshot(), limit);
        for (int i = 0; i < count; i++)
        {
            _guard.Run(_mailbox.Take(), ReactorLog.CallbackFault);
        }

        return count;
    }

    // After a burst, and for as long as much is left of it.
    private void KeepTrimming()
    {
        if ((Buffers.IsWorthTrimming || _mailbox.IsWorthTrimming) && _trimming is not { IsActive: true })
        {
            _trimming = Schedule(_trimInterval, static self => ((Reactor)self!).Trim(), this);
        }
    }

    private void Trim()
    {
        Buffers.Trim();
        _mailbox.Trim();
    }
}

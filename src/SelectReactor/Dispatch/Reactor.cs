using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using SelectReactor.Buffers;
using SelectReactor.Dispatch;
using SelectReactor.Threading;
using SelectReactor.Timing;

namespace SelectReactor;

/// <summary>
/// An event loop: one thread waits for many handles, timers and posted callbacks, and calls the user's code for each in
/// turn. Nothing of it is locked, because nothing of it runs at the same time.
/// </summary>
/// <remarks>
/// Members are to be used on the reactor's thread, which is the one that last entered <see cref="Run"/> or
/// <see cref="RunOnce"/>, except those that say "any thread". Before the first entry, and after <see cref="Run"/> has
/// returned, any one thread may use them, so that a program can set up its listeners first. On another thread they throw.
/// </remarks>
public sealed partial class Reactor : IDisposable
{
    private static readonly TimeSpan _trimInterval = TimeSpan.FromSeconds(30);
    private readonly ReactorOptions _options;
    private readonly ISelector _selector;
    private readonly MonotonicClock _clock;
    private readonly TimerQueue _timers;
    private readonly ThreadAffinity _affinity = new();
    private readonly Mailbox _mailbox = new();
    private readonly ResumeQueue _resumed = new();
    private readonly CallbackGuard _guard;
    private readonly List<SelectorEntry> _ready = [];
    private readonly List<IReactorClient> _dirty = [];
    private List<IReactorClient> _closing = [];
    private List<IReactorClient> _finishing = [];
    private ReactorTimer? _trimming;
    private int _running;
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
        _options = options;
        Logger = new GuardedLogger(options.Logger);
        _clock = new MonotonicClock(options.TimeProvider);
        Now = _clock.Now;
        _timers = new TimerQueue(_clock, _affinity);
        SynchronizationContext = new ReactorSynchronizationContext(this);
        PipeScheduler = new ReactorPipeScheduler(this);
        _guard = new CallbackGuard(Logger, options.PropagateExceptions, SynchronizationContext);
        _selector = options.SelectorFactory();
    }

    /// <summary>The clock of the timers. Any thread.</summary>
    public TimeProvider TimeProvider => _options.TimeProvider;

    /// <summary>Runs what is posted to it on the reactor's thread, and is current there during a tick, so that the code
    /// after an <c>await</c> in a callback comes back. Any thread.</summary>
    public SynchronizationContext SynchronizationContext { get; }

    /// <summary>Lets a <see cref="Pipe"/> of your own call back on the reactor's thread. Any thread.</summary>
    public PipeScheduler PipeScheduler { get; }

    /// <summary>Whether the current thread is the reactor's. False before the loop was entered. Any thread.</summary>
    public bool IsReactorThread => _affinity.IsCurrent;

    internal ThreadAffinity Affinity => _affinity;

    internal MonotonicClock Clock => _clock;

    /// <summary>When the tick under way began to serve: for what may be that much off, at no cost.</summary>
    internal long Now { get; private set; }

    internal BufferPool Buffers { get; } = new();

    internal List<ArraySegment<byte>> GatherList { get; } = [];

    internal IHandleFactory HandleFactory => _options.HandleFactory;

    internal INameResolver NameResolver => _options.NameResolver;

    internal ILogger Logger { get; }

    /// <summary>Throws unless the current thread may use this reactor. Any thread.</summary>
    /// <exception cref="InvalidOperationException">Another thread is the reactor's.</exception>
    public void VerifyAccess() => _affinity.Verify();

    /// <summary>
    /// Runs the loop on the current thread until <see cref="Stop"/> is called, <paramref name="stop"/> is cancelled or a
    /// shutdown has finished. A stop that came before makes it return at once. It can be called again. Any thread, one at
    /// a time.
    /// </summary>
    /// <exception cref="InvalidOperationException">The loop runs already, on another thread or around this callback.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public void Run(CancellationToken stop = default)
    {
        CallbackGuard.Ambient outer = Enter();
        try
        {
            using (stop.UnsafeRegister(static self => ((Reactor)self!).Stop(), this))
            {
                while (!_stopRequested && !_shutdown.Task.IsCompleted)
                {
                    Tick(Timeout.InfiniteTimeSpan);
                }
            }
        }
        finally
        {
            _stopRequested = false;
            if (!IsDisposed)
            {
                // Otherwise everything is about to be closed, and until then no other thread may pass for the reactor's.
                _affinity.Release();
            }

            Leave(outer);
        }
    }

    /// <summary>
    /// Runs one tick on the current thread: waits for at most <paramref name="timeout"/> until there is something to do,
    /// does it, and returns. For a loop of your own, such as a game's. Any thread, one at a time; the thread stays the
    /// reactor's thread afterwards.
    /// </summary>
    /// <param name="timeout">Zero to not wait; <see cref="Timeout.InfiniteTimeSpan"/> to wait without limit.</param>
    /// <returns>How many readiness events, timers and posted callbacks were served.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite.</exception>
    /// <exception cref="InvalidOperationException">The loop runs already, on another thread or around this callback.</exception>
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
            return Tick(timeout);
        }
        finally
        {
            _stopRequested = false;
            Leave(outer);
        }
    }

    private int Tick(TimeSpan timeout)
    {
        SettleDirty();
        TimeSpan wait = ComputeWait(timeout);
        Select(wait);
        Now = _clock.Now;
        int served = DispatchReady();
        served += RunDueTimers(Now);
        served += RunResumed();
        served += RunMailbox();
        SettleDirty();
        FinishCloses();
        KeepPoolTrim();
        return served;
    }

    private TimeSpan ComputeWait(TimeSpan timeout)
    {
        if (_stopRequested || _closing.Count > 0 || _resumed.Count > 0 || !_mailbox.IsEmpty)
        {
            return TimeSpan.Zero;
        }

        TimeSpan? next = _timers.UntilNext();
        return next is { } due && (timeout < TimeSpan.Zero || due < timeout) ? due : timeout;
    }

    private int DispatchReady()
    {
        // An earlier callback may have cancelled a later key of the same batch, or narrowed its interest.
        int served = 0;
        foreach (SelectorEntry entry in _ready)
        {
            entry.Ready &= entry.Interest;
            if (entry.Key is { IsValid: true } key && (entry.Ready != Interest.None || entry.IsEvicted))
            {
                served++;
                Dispatch(key);
            }
        }

        return served;
    }

    private void Dispatch(SelectionKey key)
    {
        try
        {
            if (key.IsEvicted)
            {
                ReactorLog.Evicted(Logger, key.Handle);
            }

            ((IEventHandler)key.Attachment).OnReady(key);
            if (key.IsEvicted)
            {
                key.Cancel();
            }
        }
        catch (Exception exception) when (key.Attachment is IFallible part)
        {
            Fail(part, exception);
        }
        catch (Exception exception)
        {
            key.Cancel();
            if (_options.PropagateExceptions)
            {
                throw;
            }

            ReactorLog.EventHandlerFault(Logger, exception);
        }
        finally
        {
            EndCallback();
        }
    }

    private int RunDueTimers(long now)
    {
        int served = 0;
        _timers.CollectDue(now);
        while (_timers.TakeDue(now) is { } timer)
        {
            served++;
            _guard.Run(timer.Callback, timer.State, ReactorLog.TimerFault);
        }

        return served;
    }

    private int RunResumed()
    {
        int count = _resumed.Count;
        for (int i = 0; i < count; i++)
        {
            _guard.Run(static item => ((IResumable)item!).Resume(), _resumed.Take(), ReactorLog.CallbackFault);
        }

        return count;
    }

    private int RunMailbox()
    {
        int count = Math.Min(_mailbox.Snapshot(), _options.MaxPostsPerTick);
        for (int i = 0; i < count; i++)
        {
            Mailbox.Letter letter = _mailbox.Take();
            _guard.Run(letter.Callback, letter.State, ReactorLog.CallbackFault);
        }

        return count;
    }

    private void SettleDirty()
    {
        // By index, since one that settles may mark another.
        for (int i = 0; i < _dirty.Count; i++)
        {
            IReactorClient client = _dirty[i];
            try
            {
                client.Settle();
            }
            catch (Exception exception)
            {
                Fail(client, exception);
            }
        }

        _dirty.Clear();
    }

    // After a burst, and for as long as much is left of it.
    private void KeepPoolTrim()
    {
        if (Buffers.IsWorthTrimming && _trimming is not { IsActive: true })
        {
            _trimming = Schedule(_trimInterval, static pool => ((BufferPool)pool!).Trim(), Buffers);
        }
    }

    private void FinishCloses()
    {
        // A connection that an OnClosed closes has its turn in the next tick, which does not wait.
        (_closing, _finishing) = (_finishing, _closing);
        foreach (IReactorClient client in _finishing)
        {
            try
            {
                client.FinishClose();
            }
            catch (Exception exception)
            {
                ReactorLog.ClientFault(Logger, exception);
            }
            finally
            {
                EndCallback();
            }
        }

        _finishing.Clear();
        CompleteShutdown();
    }
}

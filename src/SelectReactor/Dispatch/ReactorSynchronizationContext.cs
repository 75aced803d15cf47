using System.Runtime.CompilerServices;

namespace SelectReactor.Dispatch;

/// <summary>Brings the code after an <c>await</c> back to the reactor's thread, and notices a callback that makes that
/// thread wait.</summary>
internal sealed class ReactorSynchronizationContext : SynchronizationContext
{
    /// <summary>What a wait returns that has reached its time-out.</summary>
    private const int WaitTimeout = 258;
    private readonly Reactor _reactor;
    private readonly LoopWatch? _watch;

    public ReactorSynchronizationContext(Reactor reactor, LoopWatch? watch)
    {
        _reactor = reactor;
        _watch = watch;
        if (watch is not null)
        {
            SetWaitNotificationRequired();
        }
    }

    // The caller cannot handle an exception: thrown from the continuation of an await it would end the process.
    public override void Post(SendOrPostCallback d, object? state) => _reactor.PostAlways(WorkItem.OfAwait(d, state));

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (_reactor.IsReactorThread)
        {
            d(state);
            return;
        }

        _reactor.InvokeAsync(() => d(state)).GetAwaiter().GetResult();
    }

    public override SynchronizationContext CreateCopy() => this;

    // The runtime calls it for each wait of a task, a handle, a semaphore or a contended lock. It must not throw:
    // a lock of the framework looks the same as a task of the user.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public override int Wait(IntPtr[] waitHandles, bool waitAll, int millisecondsTimeout)
    {
        if (_watch is not { } watch
            || (millisecondsTimeout >= 0 && millisecondsTimeout <= watch.ThresholdMilliseconds)
            || !watch.TryBeginWait())
        {
            return WaitHelper(waitHandles, waitAll, millisecondsTimeout);
        }

        try
        {
            int first = WaitHelper(waitHandles, waitAll, watch.ThresholdMilliseconds);
            if (first != WaitTimeout)
            {
                return first;
            }

            watch.ReportWait();
            return WaitHelper(
                waitHandles,
                waitAll,
                millisecondsTimeout < 0 ? Timeout.Infinite : millisecondsTimeout - watch.ThresholdMilliseconds);
        }
        finally
        {
            watch.EndWait();
        }
    }
}

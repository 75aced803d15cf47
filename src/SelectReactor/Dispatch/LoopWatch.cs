using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Dispatch;

/// <summary>
/// Logs a callback that keeps the loop busy for longer than a threshold. A timer on the thread pool looks twice in
/// that time whether the callback is still the same; once the loop is idle the timer stops, and the loop starts it
/// again. A wait for another thread is noticed where it begins, by <see cref="ReactorSynchronizationContext"/>, which
/// knows the stack.
/// </summary>
internal sealed class LoopWatch : IDisposable
{
    private const int SamplesPerThreshold = 2;
    private const int IdleSamples = 10;
    private static readonly TimeSpan _minPeriod = TimeSpan.FromMilliseconds(1);
    private readonly LoopProgress _progress;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _threshold;
    private readonly TimeSpan _period;
    private readonly ITimer _timer;
    private readonly MessageLimiter _waits;
    private readonly MessageLimiter _callbacks;
    private int _seen;
    private long _seenAt;
    private int _unchanged;
    private bool _wasBusy;
    private int _idle;
    private volatile int _reported = -1;
    private volatile bool _isWaiting;
    private volatile Phase _phase;

    public LoopWatch(LoopProgress progress, ILogger logger, TimeSpan threshold, TimeProvider clock)
    {
        _progress = progress;
        _logger = logger;
        _clock = clock;
        _threshold = threshold;
        _period = TimeSpan.FromTicks(Math.Max(threshold.Ticks / SamplesPerThreshold, _minPeriod.Ticks));
        _waits = new MessageLimiter(clock);
        _callbacks = new MessageLimiter(clock);
        _timer = CreateTimer(new WeakReference<LoopWatch>(this), clock);
    }

    private enum Phase
    {
        /// <summary>The timer has stopped, or is about to.</summary>
        Parked,
        Sampling,
        Ended,
    }

    /// <summary>At least one millisecond.</summary>
    public int ThresholdMilliseconds => (int)Math.Ceiling(_threshold.TotalMilliseconds);

    /// <summary>The watch of a reactor; null if the options switch it off. With a clock of the user's own, as in a
    /// simulation, the reactor must not depend on real time.</summary>
    public static LoopWatch? For(ReactorOptions options, LoopProgress progress, ILogger logger) =>
        options.TimeProvider == TimeProvider.System
        && options.SlowCallbackThreshold > TimeSpan.Zero
        && options.SlowCallbackThreshold.TotalMilliseconds < int.MaxValue
            ? new LoopWatch(progress, logger, options.SlowCallbackThreshold, TimeProvider.System)
            : null;

    /// <summary>The loop goes on. Its thread, once a tick.</summary>
    public void Awake()
    {
        if (_phase == Phase.Parked)
        {
            _phase = Phase.Sampling;
            _timer.Change(_period, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>A wait begins. Any thread.</summary>
    /// <returns>False if the thread is not in a callback of the loop, or if the report itself waits.</returns>
    public bool TryBeginWait()
    {
        if (!_progress.IsMine || _isWaiting || _progress.Code is null)
        {
            return false;
        }

        return _isWaiting = true;
    }

    public void EndWait() => _isWaiting = false;

    /// <summary>The wait takes longer than the threshold. The message is written by the thread pool: the logger must
    /// not be called inside a wait, which may be one of the logger itself. The loop's thread.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void ReportWait()
    {
        _reported = _progress.Finished;
        if (_logger.IsEnabled(LogLevel.Warning) && _waits.TryPass(out string omitted))
        {
            string callback = CallbackName.Of(_progress.Code, _progress.State);
            var stack = new StackTrace(skipFrames: 2, fNeedFileInfo: true);
            ThreadPool.UnsafeQueueUserWorkItem(
                _ => ReactorLog.CallbackWaits(_logger, callback, ThresholdMilliseconds, omitted, stack), null);
        }
    }

    public void Dispose()
    {
        _phase = Phase.Ended;
        _timer.Dispose();
    }

    // With the timer alive, a reactor that nobody has disposed could not be collected. The execution context of
    // whoever makes the reactor is none of the timer's business.
    private static ITimer CreateTimer(WeakReference<LoopWatch> target, TimeProvider clock)
    {
        using AsyncFlowControl? suppressed =
            ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        return clock.CreateTimer(
            static target =>
            {
                if (((WeakReference<LoopWatch>)target!).TryGetTarget(out LoopWatch? watch))
                {
                    watch.Sample();
                }
            },
            target,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    // A pause of the whole process, such as that of a debugger, counts as one sample: it is not the callback's fault.
    private void Sample()
    {
        if (_phase != Phase.Sampling)
        {
            return;
        }

        int finished = _progress.Finished;
        object? code = _progress.Code;
        _idle = code is null && finished == _seen ? _idle + 1 : 0;
        if (code is null || finished != _seen || !_wasBusy)
        {
            (_seen, _seenAt, _unchanged) = (finished, _clock.GetTimestamp(), 0);
        }
        else if (++_unchanged >= SamplesPerThreshold)
        {
            ReportCallback(code);
        }

        _wasBusy = code is not null;

        // One more sample follows. By then the loop's thread sees that the timer has stopped, and needs no fence.
        if (_idle >= IdleSamples)
        {
            _idle = 0;
            _phase = Phase.Parked;
        }

        _timer.Change(_period, Timeout.InfiniteTimeSpan);
    }

    private void ReportCallback(object code)
    {
        // A wait that is long enough has its own message. Many short ones have none.
        if (_reported == _seen || (_isWaiting && _unchanged < 2 * SamplesPerThreshold))
        {
            return;
        }

        _reported = _seen;
        if (_logger.IsEnabled(LogLevel.Warning) && _callbacks.TryPass(out string omitted))
        {
            string callback = CallbackName.Of(code, _progress.State);
            var elapsed = (long)_clock.GetElapsedTime(_seenAt).TotalMilliseconds;
            ReactorLog.CallbackIsSlow(_logger, callback, elapsed, omitted);
        }
    }
}

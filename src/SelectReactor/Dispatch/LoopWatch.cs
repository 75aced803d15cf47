using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using SelectReactor.Diagnostics;

namespace SelectReactor.Dispatch;

/// <summary>
/// Logs a callback that keeps the loop busy for longer than a threshold. <see cref="WatchThread"/> looks twice in that
/// time whether the callback is still the same; once the loop is idle the samples stop, and the loop starts them
/// again. A callback that goes on is logged after the threshold, again after 1 s, 10 s, 1 min and each 10 min, and at
/// its end. A wait for another thread is noticed where it begins, by
/// <see cref="ReactorSynchronizationContext"/>, which knows the stack.
/// </summary>
internal sealed class LoopWatch : IDisposable
{
    private const int SamplesPerThreshold = 2;
    private const int IdleSamples = 10;
    private static readonly TimeSpan _minPeriod = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _farApart = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan[] _reminders = [_long, _farApart, TimeSpan.FromMinutes(1)];
    private static readonly TimeSpan _lastReminder = TimeSpan.FromMinutes(10);
    private readonly LoopProgress _progress;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _threshold;
    private readonly Action _wake;
    private readonly MessageLimiter _waits;
    private readonly MessageLimiter _callbacks;
    private long? _sampledAt;
    private int _seen;
    private long _seenAt;
    private int _unchanged;
    private TimeSpan _nextReport;

    /// <summary>The callback that goes on, if it was logged; otherwise null.</summary>
    private string? _logged;
    private bool _wasBusy;
    private int _idle;
    private WaitReport? _waitReport;
    private volatile int _reported = -1;
    private volatile bool _isWaiting;
    private volatile Phase _phase = Phase.Parked;

    /// <param name="progress">What the loop is doing.</param>
    /// <param name="logger">Called by <see cref="Visit"/> alone.</param>
    /// <param name="threshold">How long a callback may take.</param>
    /// <param name="clock">Tells the time.</param>
    /// <param name="wake">Makes another thread call <see cref="Visit"/> soon.</param>
    public LoopWatch(LoopProgress progress, ILogger logger, TimeSpan threshold, TimeProvider clock, Action wake)
    {
        _progress = progress;
        _logger = logger;
        _clock = clock;
        _threshold = threshold;
        _wake = wake;
        Period = TimeSpan.FromTicks(Math.Max(threshold.Ticks / SamplesPerThreshold, _minPeriod.Ticks));
        _waits = new MessageLimiter(clock);
        _callbacks = new MessageLimiter(clock);
    }

    private enum Phase
    {
        Sampling,

        /// <summary>One more sample follows, for a loop that went on at the same moment. By then the loop's thread
        /// sees the phase, and needs no fence.</summary>
        Parking,

        /// <summary>The loop was idle for long: no samples until it goes on.</summary>
        Parked,
        Ended,
    }

    /// <summary>Between two samples.</summary>
    public TimeSpan Period { get; }

    /// <summary>At least one millisecond.</summary>
    public int ThresholdMilliseconds => (int)Math.Ceiling(_threshold.TotalMilliseconds);

    /// <summary>Whether there is nothing more to visit it for.</summary>
    public bool HasEnded => _phase == Phase.Ended && Volatile.Read(ref _waitReport) is null;

    /// <summary>The watch of a reactor; null if the options switch it off, or if the system can't make the thread for
    /// it. With a clock of the user's own, as in a simulation, the reactor must not depend on real time.</summary>
    public static LoopWatch? For(
        ReactorOptions options, LoopProgress progress, ILogger logger, WatchThread thread)
    {
        if (options.TimeProvider != TimeProvider.System
            || options.SlowCallbackThreshold <= TimeSpan.Zero
            || options.SlowCallbackThreshold.TotalMilliseconds >= int.MaxValue
            || !thread.TryStart())
        {
            return null;
        }

        var watch = new LoopWatch(progress, logger, options.SlowCallbackThreshold, TimeProvider.System, thread.Wake);
        thread.Add(watch);
        return watch;
    }

    /// <summary>The loop goes on. Its thread, once a tick.</summary>
    public void Awake()
    {
        if (_phase != Phase.Sampling)
        {
            Resume();
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

    /// <summary>The wait takes longer than the threshold. The message is written by <see cref="Visit"/>: the
    /// logger must not be called inside a wait, which may be one of the logger itself. The loop's thread.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void ReportWait()
    {
        _reported = _progress.Finished;
        if (_waits.TryPass(out string omitted))
        {
            string callback = CallbackName.Of(_progress.Code, _progress.State);
            var stack = new StackTrace(skipFrames: 2, fNeedFileInfo: true);
            Volatile.Write(ref _waitReport, new WaitReport(callback, omitted, stack));
            _wake();
        }
    }

    /// <summary>Takes a sample if one is due, and writes the message of a wait. One thread at a time.</summary>
    /// <returns>When to visit again; <see cref="Timeout.InfiniteTimeSpan"/> if only when called to.</returns>
    public TimeSpan Visit()
    {
        if (Interlocked.Exchange(ref _waitReport, null) is { } wait && _logger.IsEnabled(LogLevel.Warning))
        {
            ReactorLog.CallbackWaits(_logger, wait.Callback, ThresholdMilliseconds, wait.Omitted, wait.Stack);
        }

        if (_phase >= Phase.Parked)
        {
            _sampledAt = null;
            return Timeout.InfiniteTimeSpan;
        }

        _sampledAt ??= _clock.GetTimestamp();
        TimeSpan left = Period - _clock.GetElapsedTime(_sampledAt.Value);
        if (left > TimeSpan.Zero)
        {
            // Rounded up: a wait of less than a millisecond would be none.
            return TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));
        }

        _sampledAt = _clock.GetTimestamp();
        Sample();
        return Period;
    }

    public void Dispose()
    {
        _phase = Phase.Ended;
        _wake();
    }

    // Not once it has ended: the loop's thread, or the one that closes the reactor, calls this and Dispose.
    private void Resume()
    {
        if (_phase != Phase.Ended && Interlocked.Exchange(ref _phase, Phase.Sampling) == Phase.Parked)
        {
            _wake();
        }
    }

    // A pause of the whole process, such as that of a debugger, counts as one sample: it is not the callback's fault.
    private void Sample()
    {
        int finished = _progress.Finished;
        object? code = _progress.Code;
        object? state = _progress.State;
        _idle = code is null && finished == _seen ? _idle + 1 : 0;
        if (code is null || finished != _seen || !_wasBusy)
        {
            LogEnd();
            (_seen, _seenAt, _unchanged) = (finished, _clock.GetTimestamp(), 0);
            _nextReport = ReminderAfter(_threshold);
        }
        else if (++_unchanged >= SamplesPerThreshold)
        {
            // Asked again at once: the state of another callback would name the wrong connection.
            ReportCallback(code, _progress.Finished == finished ? state : null);
        }

        _wasBusy = code is not null;
        if (_phase == Phase.Parking)
        {
            Interlocked.CompareExchange(ref _phase, _idle > 0 ? Phase.Parked : Phase.Sampling, Phase.Parking);
        }
        else if (_idle >= IdleSamples)
        {
            _idle = 0;
            Interlocked.CompareExchange(ref _phase, Phase.Parking, Phase.Sampling);
        }
    }

    private void ReportCallback(object code, object? state)
    {
        TimeSpan elapsed = _clock.GetElapsedTime(_seenAt);
        if (_reported != _seen)
        {
            // A wait that is long enough has its own message. Many short ones have none.
            if (_isWaiting && _unchanged < 2 * SamplesPerThreshold)
            {
                return;
            }

            _reported = _seen;
        }
        else if (elapsed < _nextReport)
        {
            return;
        }
        else
        {
            _nextReport = ReminderAfter(elapsed);
        }

        // Those of one callback come seldom enough.
        string omitted = "";
        bool passes = _logged is not null || _callbacks.TryPass(out omitted) || elapsed >= _farApart;
        if (passes && _logger.IsEnabled(LogLevel.Warning))
        {
            _logged ??= CallbackName.Of(code, state);
            ReactorLog.CallbackIsSlow(_logger, _logged, DumpText.Age(elapsed), omitted);
        }
    }

    private void LogEnd()
    {
        if (_logged is { } callback)
        {
            _logged = null;
            TimeSpan elapsed = _clock.GetElapsedTime(_seenAt);
            LogLevel level = elapsed < _long ? LogLevel.Information : LogLevel.Warning;
            string time = DumpText.Age(elapsed);
            ReactorLog.SlowCallbackEnded(_logger, level, callback, time);
        }
    }

    private static TimeSpan ReminderAfter(TimeSpan elapsed) =>
        Array.Find(_reminders, reminder => reminder > elapsed) is { Ticks: > 0 } reminder
            ? reminder
            : _lastReminder * (Math.Floor(elapsed / _lastReminder) + 1);

    private sealed record WaitReport(string Callback, string Omitted, StackTrace Stack);
}

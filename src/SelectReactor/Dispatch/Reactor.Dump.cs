using SelectReactor.Diagnostics;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <content>What the reactor shows of itself to those who ask at any moment.</content>
public sealed partial class Reactor
{
    private const int MaxDumpEntries = 100;
    private static readonly TimeSpan _dumpWait = TimeSpan.FromSeconds(1);

    TimeSpan ILoopGauges.Lag => _meter.Lag;

    int ILoopGauges.MailboxDepth => _mailbox.Depth;

    int ILoopGauges.TimerCount => _timers.Count;

    long ILoopGauges.BytesInUse => Buffers.UsedBytes;

    long ILoopGauges.BytesIdle => Buffers.IdleBytes;

    void ILoopGauges.Report(Exception exception) => ReactorLog.MeasurementListenerFault(Logger, exception);

    /// <summary>What it is doing. Any thread; on another one it may be a moment old.</summary>
    public ReactorState State => IsDisposed ? !_place.HasEnded ? ReactorState.Stopping
            : Fault is null ? ReactorState.Ended : ReactorState.Failed
        : IsStopping ? ReactorState.Stopping
        : _clients.Drain switch
        {
            DrainState.None => _progress.IsRunning ? ReactorState.Running : ReactorState.NotRunning,
            DrainState.Over => ReactorState.Drained,
            _ => ReactorState.Draining,
        };

    private string StateText => State switch
    {
        ReactorState.NotRunning => "not running",
        ReactorState.Running => "running",
        ReactorState.Draining => "draining",
        ReactorState.Drained => "drained",
        ReactorState.Stopping => IsDisposed ? "closing" : "shutting down",
        ReactorState.Failed => $"failed ({Fault!.GetType().Name}: {Fault.Message})",
        _ => "disposed",
    };

    /// <summary>Its state and the number of its connections. Any thread.</summary>
    public override string ToString() => $"Reactor: {StateText}, {ConnectionCount} connections";

    /// <summary>As the other overload, with at most 100 connections and a wait of at most a second.</summary>
    public string Dump() => Dump(MaxDumpEntries, _dumpWait);

    /// <summary>
    /// What the reactor is doing, as text for people: the loop, its timers and posted callbacks, each listener, and
    /// each connection with its state, its queues, its age and its next deadline. The connections with the most output
    /// that waits come first, then those that do not read, then those that have been silent for longest.
    /// </summary>
    /// <remarks>Any thread. On another thread than the reactor's, the loop is asked to write it. If the loop does not
    /// answer, because a callback blocks it, the text names the callback and shows what another thread can read. The
    /// text is no format to parse: it may change with each version. It contains addresses of peers.</remarks>
    /// <param name="maxConnections">How many connections, and how many listeners, are shown at most. The rest is
    /// counted.</param>
    /// <param name="wait">How long to wait for the loop at most. The caller is blocked for so long.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxConnections"/> or <paramref name="wait"/> is
    /// negative.</exception>
    public string Dump(int maxConnections, TimeSpan wait)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxConnections);
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        if (Affinity.IsCurrentOrUnbound)
        {
            return Describe(maxConnections, silence: null);
        }

        var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isAsked = TryPost(
            _ =>
            {
                // Nobody waits for an answer that comes too late.
                if (!answer.Task.IsCompleted)
                {
                    answer.TrySetResult(Describe(maxConnections, silence: null));
                }
            },
            null);
        var bound = TimeSpan.FromMilliseconds(Math.Min(wait.TotalMilliseconds, int.MaxValue));
        return (isAsked && answer.Task.Wait(bound)) || !answer.TrySetResult("")
            ? answer.Task.Result
            : Describe(maxConnections, wait);
    }

    private string Describe(int maxEntries, TimeSpan? silence)
    {
        var dump = new ReactorDump(_clients, _progress, maxEntries);
        dump.Add($"{this}");
        if (silence is { } wait)
        {
            dump.AddSilence(wait, _meter.Lag);
        }

        string next = DumpText.Try(_timers.UntilNext, null) is { } due ? $", the next in {DumpText.Age(due)}" : "";
        dump.Add($"Loop: tick {Ticks}, which has served for {DumpText.Age(_meter.Lag)}");
        dump.Add($"Timers: {_timers.Count}{next}");
        dump.Add($"Posted callbacks that wait: {_mailbox.Depth}");
        dump.Add($"Buffers: {DumpText.Bytes(Buffers.UsedBytes)} used, {DumpText.Bytes(Buffers.IdleBytes)} idle");
        dump.AddStarters();
        dump.AddConnections();
        return dump.ToString();
    }
}

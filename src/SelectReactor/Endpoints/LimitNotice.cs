using System.Net;
using Microsoft.Extensions.Logging;
using SelectReactor.Diagnostics;
using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>Tells the log when the first of the sockets of a listener pauses at a limit on connections, and when the
/// last of them goes on. At a limit that is reached again and again that is once in ten seconds. Any
/// thread.</summary>
internal sealed class LimitNotice(ILogger logger, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly MessageLimiter _limiter = new(time);
    private int _paused;
    private long? _toldAt;

    /// <summary>A socket pauses.</summary>
    public void Begin(EndPoint? listening, ReachedLimit limit)
    {
        string omitted;
        lock (_gate)
        {
            if (++_paused > 1 || !_limiter.TryPass(out omitted))
            {
                return;
            }

            _toldAt = time.GetTimestamp();
        }

        ReactorLog.AcceptingPausesAtLimit(logger, listening, limit, omitted);
    }

    /// <summary>A socket that has paused goes on, or closes.</summary>
    public void End(EndPoint? listening, bool closes)
    {
        TimeSpan pause;
        lock (_gate)
        {
            if (--_paused > 0 || _toldAt is not { } toldAt)
            {
                return;
            }

            _toldAt = null;
            pause = time.GetElapsedTime(toldAt);
        }

        if (!closes)
        {
            ReactorLog.AcceptingGoesOn(logger, listening, DumpText.Age(pause));
        }
    }
}

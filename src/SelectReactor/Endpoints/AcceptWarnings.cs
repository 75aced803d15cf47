using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>Tells the log that accepting on one handle fails, at most once a minute.</summary>
/// <param name="logger">The log.</param>
/// <param name="time">Tells the time.</param>
/// <param name="listening">The address of the handle.</param>
/// <param name="pause">For how long accepting pauses.</param>
internal sealed class AcceptWarnings(ILogger logger, TimeProvider time, EndPoint? listening, TimeSpan pause)
{
    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(1);
    private long? _last;

    public void Warn(SocketError error)
    {
        if (!IsDue())
        {
            return;
        }

        if (AcceptErrors.IsExhaustion(error))
        {
            ReactorLog.AcceptExhausted(logger, listening, pause, error);
        }
        else
        {
            ReactorLog.AcceptPaused(logger, listening, pause, error);
        }
    }

    public void Warn(Exception exception)
    {
        if (IsDue())
        {
            ReactorLog.AcceptFault(logger, listening, pause, exception);
        }
    }

    private bool IsDue()
    {
        if (_last is { } last && time.GetElapsedTime(last) < _interval)
        {
            return false;
        }

        _last = time.GetTimestamp();
        return true;
    }
}

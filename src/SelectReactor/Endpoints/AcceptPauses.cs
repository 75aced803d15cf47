using System.Net;

namespace SelectReactor.Endpoints;

/// <summary>Tells of the pauses of one <see cref="Acceptor"/>: the metrics of all, the log of those at a limit on
/// connections. For the reactor's thread only.</summary>
internal sealed class AcceptPauses(IAdmission admission, EndPoint? listening)
{
    private int? _reason;
    private bool _isAtLimit;

    /// <summary>What is true from now on.</summary>
    /// <param name="reason">The place in <see cref="Diagnostics.AcceptPauseReasons"/>. Null if it accepts.</param>
    /// <param name="isAtLimit">Whether a limit keeps it from accepting, alone or with another reason.</param>
    public void Set(int? reason, bool isAtLimit)
    {
        Count(reason);
        if (isAtLimit == _isAtLimit)
        {
            return;
        }

        if (!isAtLimit)
        {
            _isAtLimit = false;
            admission.LimitNotice.End(listening, closes: false);
        }
        else if (admission.ReachedLimit is { } limit)
        {
            _isAtLimit = true;
            admission.LimitNotice.Begin(listening, limit);
        }
    }

    /// <summary>It accepts no more. Idempotent.</summary>
    public void End()
    {
        Count(reason: null);
        if (_isAtLimit)
        {
            _isAtLimit = false;
            admission.LimitNotice.End(listening, closes: true);
        }
    }

    private void Count(int? reason)
    {
        if (reason == _reason)
        {
            return;
        }

        if (_reason is { } before)
        {
            admission.CountPaused(before, -1);
        }

        if (reason is { } now)
        {
            admission.CountPaused(now, 1);
        }

        _reason = reason;
    }
}

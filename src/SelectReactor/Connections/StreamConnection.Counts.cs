using System.Diagnostics;
using SelectReactor.Diagnostics;

namespace SelectReactor.Connections;

/// <content>What the connection tells its counts and its span.</content>
internal sealed partial class StreamConnection
{
    private long _openedAt;
    private long _pausedAt;
    private PauseReason _pausedFor;

    private void NoteOpened()
    {
        _openedAt = _reactor.Now;
        _counts.NoteOpened();
        if (_options.TraceConnections
            && ConnectionTrace.Start(_counts, LocalEndPoint, RemoteEndPoint) is { } span)
        {
            (_facts ??= new OpeningFacts()).AddFeature(span);
        }
    }

    private void NoteEnded()
    {
        if (_pausedFor != PauseReason.None)
        {
            NotePauseEnd();
        }

        if (!_isGiven)
        {
            return;
        }

        _counts.NoteClosed((int)Reason.Kind, Elapsed(_openedAt));
        if (_facts?.GetFeature<Activity>() is { } span)
        {
            ConnectionTrace.Stop(
                span, _counts, (int)Reason.Kind, Reason.Error, _bytesReceived, _bytesSent, Reason.UnsentBytes);
        }
    }

    // Before the reasons change.
    private void NotePause(PauseReason next)
    {
        LogPause(next);
        if (next == PauseReason.None)
        {
            NotePauseEnd();
        }
        else if (_pause == PauseReason.None && _isGiven && _phase < ConnectionPhase.Closed)
        {
            _pausedAt = _reactor.Now;
            _pausedFor = next;
            _counts.NotePause();
        }
    }

    private void NotePauseEnd()
    {
        if (_pausedFor != PauseReason.None)
        {
            _counts.NotePauseEnd(NumberOf(_pausedFor), Elapsed(_pausedAt));
            _pausedFor = PauseReason.None;
        }
    }

    private static int NumberOf(PauseReason reason) => reason switch
    {
        PauseReason.InputFull => PauseReasons.InputFull,
        PauseReason.OutputFull => PauseReasons.OutputFull,
        _ => PauseReasons.Handler,
    };

    private TimeSpan Elapsed(long since) => _reactor.Clock.Until(_reactor.Now, since);
}

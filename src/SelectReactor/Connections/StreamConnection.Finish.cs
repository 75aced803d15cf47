using Microsoft.Extensions.Logging;
using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <content>The last steps of a connection, once its end is decided.</content>
internal sealed partial class StreamConnection
{
    public void FinishClose()
    {
        Transition(ConnectionPhase.Closed);
        _reactor.Remove(this);
        CloseHandle();
        NoteEnded();
        if (Reason.Kind == CloseKind.PeerClosed && _input.Unconsumed == 0)
        {
            _input.End();
        }
        else
        {
            _input.Fail();
        }

        _input.Release();
        if (_reactor.Logger.IsEnabled(LogLevel.Debug))
        {
            ReactorLog.Closed(_reactor.Logger, Id, Reason.Kind.ToString(), Reason.UnsentBytes, Reason.Error);
        }

        Cancel(Volatile.Read(ref _notice));
        if (_isGiven)
        {
            Call(Callback.OnClosed);
        }

        if (Interlocked.Exchange(ref _notice, CloseNotice.Given) is { } notice)
        {
            // Another thread may have asked for the token only now.
            Cancel(notice);
            notice.Complete(Reason);
        }

        _onFinished?.Invoke(this);
    }

    private void CountUnsent(CloseKind kind)
    {
        // After a close in good order the system goes on to send what it has taken.
        long unacknowledged = kind == CloseKind.Local ? 0 : Unacknowledged();
        End.Reason = End.Reason with { UnsentBytes = _output.Queued + End.BytesLost + unacknowledged };
    }

    // What a selector or a handle throws here must not keep the connection from its end.
    private void StopWatching()
    {
        try
        {
            _timers.Cancel();
            _deadlineTimer?.Cancel();
            _key.Cancel();
        }
        catch (Exception exception)
        {
            ReactorLog.ClientFault(_reactor.Logger, exception);
        }
    }

    private void CloseHandle()
    {
        try
        {
            if (End.IsReset)
            {
                ReactorLog.ResetSent(_reactor.Logger, Id);
                _handle.Abort();
            }
            else
            {
                _handle.Close();
            }
        }
        catch (Exception exception)
        {
            ReactorLog.ClientFault(_reactor.Logger, exception);
        }
    }

    private void Cancel(CloseNotice? notice)
    {
        try
        {
            notice?.Cancel();
        }
        catch (AggregateException exception)
        {
            ReactorLog.ClosedTokenFault(_reactor.Logger, Id, exception);
        }

        _reactor.EndCallback();
    }
}

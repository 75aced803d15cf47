using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <content>The end of its reactor or listener.</content>
internal sealed partial class StreamConnection
{
    public void BeginStop(StopPhase phase)
    {
        if (phase == StopPhase.Drain)
        {
            Defer(_isStopping ? DeferredWork.None : DeferredWork.Stopping);
            _isStopping = true;
        }
        else if (_phase < ConnectionPhase.Finishing)
        {
            bool isShort = _options.ResetWhenStopped && CanWrite;

            // All that the system takes: what is left is lost.
            _awaitsRoom = false;
            SendQueue(long.MaxValue);
            Exception? error = _phase == ConnectionPhase.Closing ? new IOException("The reactor was stopped.") : null;
            bool resets = isShort || _output.Queued > 0;
            if (!resets)
            {
                StopReading(error);
            }

            Terminate(CloseKind.ReactorStopped, error, resets);
        }
    }

    // The peer is to have what the system has taken for it.
    private void StopReading(Exception? error)
    {
        if (_phase <= ConnectionPhase.Open)
        {
            Transition(ConnectionPhase.Closing);
            NoteReason(CloseKind.ReactorStopped, error);
            _input.Fail();
        }

        DropWhatCame();
    }
}

using System.Net.Sockets;
using SelectReactor.Buffers;

namespace SelectReactor.Connections;

/// <content>From the handle to the handler.</content>
internal sealed partial class StreamConnection
{
    private readonly bool _pauseReadingWhenOutputIsFull;
    private InputState _inputState;
    private long _bytesReceived;
    private bool _paused;
    private bool _inputIsFull;

    private enum InputState : byte
    {
        Open,

        /// <summary>The peer's end of stream has arrived; the handler still has input to look at first.</summary>
        EndSeen,

        /// <summary>The handler knows.</summary>
        Ended,
    }

    // Once the end of the stream is seen it stays readable for ever: to go on asking would spin.
    private bool WantsToRead => _inputState == InputState.Open && (_phase == Phase.Closing || !IsReadingPaused);

    private bool IsReadingPaused =>
        _paused || _inputIsFull || (_pauseReadingWhenOutputIsFull && _output.IsAboveMark);

    public override void PauseReading()
    {
        VerifyAccess();
        _paused = true;
        UpdateInterest();
    }

    public override void ResumeReading()
    {
        VerifyAccess();
        if (_paused)
        {
            _paused = false;
            Defer(Deferred.Readable);
            UpdateInterest();
        }
    }

    void IBufferOwner.InputAdvanced()
    {
        if (_inputIsFull && _input.Unexamined <= _options.InputPauseThreshold / 2)
        {
            _inputIsFull = false;
            UpdateInterest();
        }
    }

    void IBufferOwner.InputCompleted(Exception? error)
    {
        _inputIsFull = false;
        if (error is not null)
        {
            Abort(error);
        }
        else
        {
            UpdateInterest();
        }
    }

    // One receive a tick: what is left keeps the handle readable, and the other connections have their turn first.
    private void Receive()
    {
        if (_phase == Phase.Open && _input.Unconsumed >= _options.MaxInputBytes)
        {
            ExceedLimit(nameof(ConnectionOptions.MaxInputBytes), _options.MaxInputBytes);
            return;
        }

        SocketError error = _handle.Receive(_input.Reserve(), out int received);
        _input.Commit(received);
        _bytesReceived += received;
        if (error == SocketError.Success && received > 0)
        {
            if (_phase == Phase.Open)
            {
                OfferInput();
            }
        }
        else if (_sendError != SocketError.Success)
        {
            // The failed send took the error with it, so that the receive after the last byte looks like a good end.
            TerminateBy(_sendError);
        }
        else if (error == SocketError.Success)
        {
            EndInput();
        }
        else if (error != SocketError.WouldBlock)
        {
            TerminateBy(error);
        }
    }

    private void OfferInput()
    {
        if (!_input.CompletePendingRead())
        {
            DeliverReadable();
        }

        if (_input.Unexamined >= _options.InputPauseThreshold)
        {
            _inputIsFull = true;
            UpdateInterest();
        }
    }

    private void DeliverReadable()
    {
        if (_input.Unexamined > 0 && !_input.IsReadPending)
        {
            long consumedBefore = _input.TotalConsumed;
            Deliver(Callback.OnReadable);
            if (_input.Unexamined > 0 && _input.TotalConsumed != consumedBefore)
            {
                Defer(Deferred.Readable);
            }
        }

        DeliverInputEnd();
    }

    private void EndInput()
    {
        _inputState = InputState.EndSeen;
        UpdateInterest();
        DeliverInputEnd();
        ContinueEnd();
    }

    private void DeliverInputEnd()
    {
        if (_inputState == InputState.EndSeen
            && _phase == Phase.Open
            && !_paused
            && (_deferred & Deferred.Readable) == 0)
        {
            _inputState = InputState.Ended;
            _input.End();
            Deliver(Callback.OnInputEnded);
            ContinueEnd();
        }
    }
}

using System.Net.Sockets;
using SelectReactor.Buffers;

namespace SelectReactor.Connections;

/// <content>From the handle to the handler.</content>
internal sealed partial class StreamConnection
{
    private readonly bool _pauseReadingWhenOutputIsFull;
    private InputState _inputState;
    private SocketError _receiveError;
    private long _bytesReceived;
    private long _bytesDropped;
    private bool _paused;
    private bool _inputIsFull;

    private enum InputState : byte
    {
        Open,

        /// <summary>The peer's end of stream or an error has arrived; the handler still has input to look at first.</summary>
        EndSeen,

        /// <summary>The handler knows.</summary>
        Ended,
    }

    // Once the end of the stream is seen it stays readable for ever: to go on asking would spin.
    private bool WantsToRead => _inputState == InputState.Open
        && (_phase == Phase.Closing || (_phase == Phase.Open && !IsReadingPaused));

    // A reader that merely lags is paused and not cut, also where the limit is the smaller of the two.
    private int PauseThreshold => Math.Min(_options.InputPauseThreshold, _options.MaxInputBytes);

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
        if (_inputIsFull && _input.Unexamined <= PauseThreshold / 2)
        {
            _inputIsFull = false;
            UpdateInterest();
        }

        ContinueEnd();
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
            ContinueEnd();
        }
    }

    // One receive a tick: what is left keeps the handle readable, and the other connections have their turn first.
    private void Receive()
    {
        bool wasFull = _input.Unconsumed >= _options.MaxInputBytes;
        SocketError error = _handle.Receive(_input.Reserve(), out int received);
        if (received > 0)
        {
            NoteReceive();
        }

        _input.Commit(received);
        _bytesReceived += received;
        if (error == SocketError.Success && received > 0)
        {
            if (_phase == Phase.Open && wasFull)
            {
                ExceedLimit(nameof(ConnectionOptions.MaxInputBytes), _options.MaxInputBytes);
            }
            else if (_phase == Phase.Open)
            {
                OfferInput();
            }
            else
            {
                Drop(received);
            }
        }
        else if (_sendError != SocketError.Success)
        {
            // The failed send took the error with it, so that the receive after the last byte looks like a good end.
            EndInput(_sendError);
        }
        else if (error != SocketError.WouldBlock)
        {
            EndInput(error);
        }
    }

    // A peer that goes on and on would keep a closed connection for ever.
    private void Drop(int received)
    {
        _bytesDropped += received;
        if (_phase == Phase.Closing && _bytesDropped > _options.MaxLingerBytes)
        {
            ExceedLimit(nameof(ConnectionOptions.MaxLingerBytes), _options.MaxLingerBytes);
        }
    }

    private void OfferInput()
    {
        if (!_input.CompletePendingRead())
        {
            DeliverReadable();
        }

        if (_input.Unexamined >= PauseThreshold)
        {
            _inputIsFull = true;
            UpdateInterest();
        }

        NoteMessage();
    }

    private void DeliverReadable()
    {
        // What is offered now need not be offered again.
        _deferred &= ~Deferred.Readable;
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

    private void EndInput(SocketError error)
    {
        if (_phase == Phase.Closing && error != SocketError.Success)
        {
            TerminateBy(error);
            return;
        }

        _receiveError = error;
        _inputState = InputState.EndSeen;
        UpdateInterest();
        DeliverInputEnd();
        ContinueEnd();
    }

    private void DeliverInputEnd()
    {
        if (_inputState != InputState.EndSeen
            || _phase != Phase.Open
            || _paused
            || (_deferred & Deferred.Readable) != 0)
        {
            return;
        }

        if (_receiveError != SocketError.Success)
        {
            TerminateBy(_receiveError);
        }
        else
        {
            _inputState = InputState.Ended;
            _input.End();
            Deliver(Callback.OnInputEnded);
            ContinueEnd();
        }
    }
}

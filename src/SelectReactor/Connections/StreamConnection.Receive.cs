using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using SelectReactor.Buffers;
using SelectReactor.Dispatch;
using SelectReactor.Selection;

namespace SelectReactor.Connections;

/// <content>From the handle to the handler.</content>
internal sealed partial class StreamConnection
{
    // More than systems hold as a rule. A peer may send as fast as its input is dropped.
    private const int MaxDropAtOnce = 16 * 1024 * 1024;

    private readonly bool _pauseReadingWhenOutputIsFull;
    private InputState _inputState;
    private PauseReason _pause;
    private long _bytesReceived;

    /// <summary>Whether bytes came while the reader held a result.</summary>
    private bool _wasNotOffered;

    // Once the end of the stream is seen it stays readable for ever: asking again would spin.
    private bool WantsToRead => _inputState == InputState.Open
        && (_phase == ConnectionPhase.Closing || (_phase == ConnectionPhase.Open && _pause == PauseReason.None));

    // A reader that merely lags is paused and not cut, also where the limit is the smaller of the two.
    private int PauseThreshold => Math.Min(_options.InputPauseThreshold, _options.MaxInputBytes);

    // A reader that has not looked at everything, or holds a result, will come back.
    private bool MayReadOn => _input.Unexamined > 0 || _input.IsReading;

    private bool CanOffer => _phase == ConnectionPhase.Open && (_pause & PauseReason.User) == 0;

    internal override bool HoldsInput =>
        !CanOffer || (_pauseReadingWhenOutputIsFull && CanWrite && _output.IsAboveMark);

    internal override int InputLimit => _options.MaxInputBytes;

    internal override bool IsReusable => _phase == ConnectionPhase.Open && _inputState == InputState.Open
        && !HasFailed && _pause == PauseReason.None && CanWrite && _input.IsIdle;

    public override void PauseReading()
    {
        VerifyAccess();
        Pause(PauseReason.User, true);
    }

    public override void ResumeReading()
    {
        VerifyAccess();
        if ((_pause & PauseReason.User) != 0)
        {
            Pause(PauseReason.User, false);
            Defer(DeferredWork.Readable);
        }
    }

    void IBufferOwner.InputAdvanced(long consumed)
    {
        _hasAdvanced = true;
        if (consumed > 0)
        {
            _deadlines.Consume(_reactor.Now);
        }

        if (_input.Unexamined <= PauseThreshold / 2)
        {
            Pause(PauseReason.InputFull, false);
        }

        if (!_isOffering && _input.Unexamined > 0 && (consumed > 0 || _wasNotOffered))
        {
            // A read elsewhere than in OnReadable has left something to be offered.
            Defer(DeferredWork.Readable);
        }

        if (_inputState == InputState.Ended || HasFailed)
        {
            Mark();
        }
    }

    void IBufferOwner.InputCompleted(Exception? error)
    {
        if (error is not null)
        {
            Abort(error);
            return;
        }

        Pause(PauseReason.InputFull, false);
        Mark();
    }

    private void Pause(PauseReason reason, bool on)
    {
        PauseReason next = on ? _pause | reason : _pause & ~reason;
        if (next != _pause)
        {
            NotePause(next);
            _pause = next;
            Mark();
        }
    }

    private void UpdateInterest()
    {
        if (!_key.IsValid)
        {
            return;
        }

        bool isOutputFull = _pauseReadingWhenOutputIsFull && _output.IsAboveMark;
        PauseReason pause = isOutputFull ? _pause | PauseReason.OutputFull : _pause & ~PauseReason.OutputFull;
        if (pause != _pause)
        {
            NotePause(pause);
            _pause = pause;
        }

        NoteInterest();
        HeldBytes held = _handle.Held;
        if ((held & HeldBytes.Input) != 0 && WantsToRead)
        {
            Defer(DeferredWork.Receive);
        }

        bool awaitsRoom = _awaitsRoom || (held & HeldBytes.Output) != 0;
        _key.Interest = (WantsToRead ? Interest.Read : Interest.None) | (awaitsRoom ? Interest.Write : Interest.None);
    }

    private void LogPause(PauseReason next)
    {
        if (next == PauseReason.None)
        {
            ReactorLog.ReadingResumed(_reactor.Logger, Id);
        }
        else if (_pause == PauseReason.None && _reactor.Logger.IsEnabled(LogLevel.Debug))
        {
            ReactorLog.ReadingPaused(_reactor.Logger, Id, next.ToString());
        }
    }

    private void TakeIn(ReadOnlySpan<byte> received)
    {
        if (received.IsEmpty)
        {
            return;
        }

        _bytesReceived = received.Length;
        _counts.AddReceived(received.Length);
        while (!received.IsEmpty)
        {
            Span<byte> room = _input.Reserve();
            int count = Math.Min(received.Length, room.Length);
            received[..count].CopyTo(room);
            _input.Commit(count);
            received = received[count..];
        }

        Pause(PauseReason.InputFull, _input.Unexamined >= PauseThreshold);
        Defer(DeferredWork.Readable);
    }

    // One receive a tick: what is left keeps the handle readable, and the other connections have their turn first.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Receive()
    {
        bool wasFull = _input.Unconsumed >= _options.MaxInputBytes;
        bool beginsMessage = _input.Unconsumed == 0;
        SocketError error = _handle.Receive(_input.Reserve(), out int received);
        _input.Commit(received);
        if (_handle.Held != HeldBytes.None)
        {
            Mark();
        }

        if (error != SocketError.Success || received == 0)
        {
            if (error != SocketError.WouldBlock)
            {
                EndInput(error);
            }

            return;
        }

        _bytesReceived += received;
        _counts.AddReceived(received);
        _deadlines.Receive(_reactor.Now, beginsMessage);
        if (_phase == ConnectionPhase.Closing)
        {
            Drop(received);
        }
        else if (wasFull)
        {
            ExceedLimit(nameof(ConnectionOptions.MaxInputBytes), _options.MaxInputBytes);
        }
        else
        {
            OfferInput();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void OfferInput()
    {
        if (!_input.CompletePendingRead())
        {
            DeliverReadable();
        }

        if (_input.Unexamined >= PauseThreshold)
        {
            Pause(PauseReason.InputFull, true);
        }

        if (_input.Unconsumed > 0)
        {
            CheckWithin(_options.MessageTimeout);
        }
    }

    // A peer that sends without end would keep a closed connection for ever.
    private void Drop(int received)
    {
        End.BytesDropped += received;
        if (End.BytesDropped > _options.MaxLingerBytes)
        {
            ExceedLimit(nameof(ConnectionOptions.MaxLingerBytes), _options.MaxLingerBytes);
        }
    }

    /// <summary>Takes from the system what the peer has sent after the close: with unread input, the system's close
    /// would be a reset. A peer that sends as fast as that is left with one.</summary>
    private void DropWhatCame()
    {
        long bound = _bytesReceived + MaxDropAtOnce;
        for (long before = -1; before != _bytesReceived && _bytesReceived < bound && WantsToRead;)
        {
            before = _bytesReceived;
            Receive();
        }
    }

    private void EndInput(SocketError error)
    {
        if (error == SocketError.Success && _output.Queued > 0)
        {
            // Some systems tell of a reset by an end of stream, and only the next send knows better.
            _awaitsRoom = false;
            SendQueue();
        }

        if (_phase >= ConnectionPhase.Finishing)
        {
            return;
        }

        if (error != SocketError.Success)
        {
            NoteFailure(error);
        }

        _inputState = InputState.EndSeen;
        Mark();
        if (HasFailed && _phase == ConnectionPhase.Closing)
        {
            TerminateByFailure();
        }
        else
        {
            DeliverEnd();
        }
    }

    // After all input was offered.
    private void DeliverEnd()
    {
        if (_inputState != InputState.EndSeen || !CanOffer || (_deferred & DeferredWork.Readable) != 0)
        {
            return;
        }

        if (HasFailed)
        {
            EndByFailure();
            return;
        }

        ReactorLog.InputEnded(_reactor.Logger, Id);
        _inputState = InputState.Ended;
        _input.End();
        Mark();
        Call(Callback.OnInputEnded);
    }
}

using System.Buffers;
using System.Net.Sockets;
using SelectReactor.Buffers;
using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <content>From the handler to the handle.</content>
internal sealed partial class StreamConnection
{
    /// <summary>So many bytes fill a send of their own and gain nothing by waiting for the end of the tick. They leave
    /// at once only when the high-water mark is reached, since a writer that stops there relies on
    /// OnWritable.</summary>
    private const int LargeBatch = 64 * 1024;

    /// <summary>Once so many have left in a tick the rest waits for its end, so that the other connections have their
    /// turn, however fast the peer is.</summary>
    private const int MaxSentBeforeSettle = 256 * 1024;

    private OutputState _outputState;
    private long _bytesSent;
    private long _bytesSentBeforeTick;

    /// <summary>Whether the last send came up short: the selector tells when there is room again.</summary>
    private bool _awaitsRoom;

    public override bool IsWritable
    {
        get
        {
            VerifyAccess();
            return CanWrite && !_output.IsAboveMark;
        }
    }

    public override long QueuedOutputBytes
    {
        get
        {
            VerifyAccess();
            return _output.Queued;
        }
    }

    internal override long OutputRoom => CanWrite ? _options.MaxOutputBytes - _output.Queued : -1;

    private bool CanWrite => _phase <= ConnectionPhase.Open && _outputState == OutputState.Open;

    public override bool TryWrite(ReadOnlySpan<byte> bytes)
    {
        VerifyAccess();
        return CanWrite && _output.TryAppend(bytes);
    }

    public override bool TryWrite(in ReadOnlySequence<byte> bytes)
    {
        VerifyAccess();
        return CanWrite && _output.TryAppend(bytes);
    }

    public override void Append(in ReadOnlySequence<byte> bytes) => _output.Append(bytes);

    public override void CloseOutput() => _output.Complete();

    void IBufferOwner.OutputAdvanced()
    {
        if (_output.IsOverLimit)
        {
            ExceedLimit(nameof(ConnectionOptions.MaxOutputBytes), _options.MaxOutputBytes);
            return;
        }

        if (_output.IsAboveMark
            && _output.Queued >= LargeBatch
            && _phase == ConnectionPhase.Open
            && _bytesSent - _bytesSentBeforeTick < MaxSentBeforeSettle)
        {
            SendQueue();
        }

        Mark();
    }

    void IBufferOwner.OutputCompleted(Exception? error)
    {
        if (error is not null)
        {
            Abort(error);
        }
        else
        {
            DrainOutput();
        }
    }

    private void DrainOutput()
    {
        _outputState = _outputState == OutputState.Open ? OutputState.Draining : _outputState;
        Mark();
    }

    /// <summary>Sends until the system has no more room: many pieces take several sends.</summary>
    private void SendQueue(long most = MaxSentBeforeSettle)
    {
        long before = _bytesSent;
        while (_output.Queued > 0 && !_awaitsRoom)
        {
            if (_bytesSent - before >= most)
            {
                // There was room up to now: the rest has its turn in the next tick.
                _awaitsRoom = true;
                return;
            }

            SocketError error = _output.Send(_handle, _reactor.GatherList, out int sent, out long offered);
            FinishSend(error, sent, isShort: sent < offered);
        }
    }

    private void FinishSend(SocketError error, int sent, bool isShort)
    {
        _bytesSent += sent;
        _counts.AddSent(sent);
        if (sent > 0)
        {
            _deadlines.Send(_reactor.Now);
        }

        if (_output.Consume(sent) && _outputState == OutputState.Open)
        {
            Defer(DeferredWork.Writable);
        }

        if (error is not (SocketError.Success or SocketError.WouldBlock))
        {
            FailSending(error);
        }
        else if (isShort)
        {
            _awaitsRoom = true;
            NoteBlocked();
        }
        else
        {
            _deadlines.Unblock();
        }
    }

    // The peer may have sent something before it cut the connection, and that still deserves to be read first: a
    // receive tells of the cut, or DecideEnd if nothing is received.
    private void FailSending(SocketError error)
    {
        NoteFailure(error);
        _awaitsRoom = false;
        _outputState = OutputState.Ended;
        End.BytesLost += _output.Queued;
        _output.Discard();
        Pause(PauseReason.OutputFull, false);
        if (!IsCut(error) || _phase != ConnectionPhase.Open)
        {
            TerminateByFailure();
        }
        else if (_inputState != InputState.Open)
        {
            EndByFailure();
        }
    }

    private void EndOutput()
    {
        if (_phase < ConnectionPhase.Finishing && _outputState == OutputState.Draining && _output.Queued == 0)
        {
            // It fails only on a connection that the peer has cut already: receiving will tell. Only a handle that has
            // a last word of its own to send may have to wait for room.
            if (_handle.Shutdown(SocketShutdown.Send) == SocketError.WouldBlock)
            {
                _awaitsRoom = true;
                NoteBlocked();
                return;
            }

            _deadlines.Unblock();
            _outputState = OutputState.Ended;
            ReactorLog.OutputEnded(_reactor.Logger, Id);
        }
    }
}

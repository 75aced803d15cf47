using System.Net.Sockets;
using SelectReactor.Buffers;
using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <content>From the handler to the handle.</content>
internal sealed partial class StreamConnection
{
    /// <summary>So many bytes fill a send of their own and gain nothing by waiting for the end of the tick. Only once the
    /// high-water mark is reached, since a writer that stops there relies on OnWritable.</summary>
    private const int LargeBatch = 64 * 1024;

    /// <summary>Once so many have left in a tick the rest waits for its end, so that the others have their turn, however
    /// fast the peer is.</summary>
    private const int MostSentBeforeFlush = 256 * 1024;

    private OutputState _outputState;
    private SocketError _sendError;
    private long _bytesSent;
    private long _bytesSentAtFlush;
    private bool _dirty;
    private bool _sendingShort;

    private enum OutputState : byte
    {
        Open,

        /// <summary>Nothing more is written; the queue is still sent.</summary>
        Draining,

        /// <summary>FIN is sent, or nothing can be sent any more.</summary>
        Ended,
    }

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

    private bool CanSendAtOnce =>
        _phase == Phase.Open && !_sendingShort && _bytesSent - _bytesSentAtFlush < MostSentBeforeFlush;

    private bool CanWrite => _phase == Phase.Open && _outputState == OutputState.Open;

    public override bool TryWrite(ReadOnlySpan<byte> bytes)
    {
        VerifyAccess();
        if (!CanWrite || _output.Queued + bytes.Length > _options.MaxOutputBytes)
        {
            return false;
        }

        _output.Append(bytes);
        return true;
    }

    public override void CloseOutput() => _output.Complete();

    void IBufferOwner.OutputAdvanced()
    {
        if (_output.Queued > _options.MaxOutputBytes)
        {
            ExceedLimit(nameof(ConnectionOptions.MaxOutputBytes), _options.MaxOutputBytes);
        }
        else
        {
            if (_output.IsAboveMark && _output.Queued >= LargeBatch && CanSendAtOnce)
            {
                SendQueued();
            }

            MarkDirty();
        }
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

    void IReactorClient.Settle()
    {
        _dirty = false;
        if (_phase >= Phase.Finishing)
        {
            return;
        }

        if (_sendingShort)
        {
            // The system has no room. What was added may have reached the mark at which reading pauses.
            UpdateInterest();
        }
        else
        {
            FlushOutput();
        }
    }

    private void FlushOutput()
    {
        if (_output.Queued > 0)
        {
            SendQueued();
        }

        _bytesSentAtFlush = _bytesSent;
        ContinueEnd();
    }

    private void MarkDirty()
    {
        if (!_dirty)
        {
            _dirty = true;
            _reactor.MarkDirty(this);
        }
    }

    private void DrainOutput()
    {
        if (_outputState == OutputState.Open)
        {
            _outputState = OutputState.Draining;
        }

        MarkDirty();
    }

    private void SendQueued()
    {
        SocketError error = _output.Send(_handle, _reactor.GatherList, out int sent);
        _bytesSent += sent;
        if (sent > 0)
        {
            _sentAt = _reactor.Now;
            _isOverdue = false;
            _lingerTimer?.Change(_options.LingerTimeout);
        }

        if (error is not (SocketError.Success or SocketError.WouldBlock))
        {
            FailSending(error);
            return;
        }

        bool wasShort = _sendingShort;
        _sendingShort = _output.Queued > 0;
        NoteShortSend(wasShort);
        if (_output.FallBelowMark() && _outputState == OutputState.Open)
        {
            Defer(Deferred.Writable);
        }

        UpdateInterest();
    }

    // The peer may have sent something before it cut the connection, and that still deserves to be read first.
    private void FailSending(SocketError error)
    {
        _sendError = error;
        _sendingShort = false;
        _outputState = OutputState.Ended;
        _unsentBytes += _output.Queued;
        _output.Discard();
        if (IsCut(error) && _phase == Phase.Open && WantsToRead)
        {
            UpdateInterest();
        }
        else
        {
            TerminateBy(error);
        }
    }

    // Ends what is ready to end: the output once it is sent, and the whole when both directions are done.
    private void ContinueEnd()
    {
        if (_phase >= Phase.Finishing)
        {
            return;
        }

        if (_outputState == OutputState.Draining && _output.Queued == 0)
        {
            // It fails only on a connection that the peer has cut already, which receiving will tell.
            _handle.Shutdown(SocketShutdown.Send);
            _outputState = OutputState.Ended;
        }

        if (_outputState != OutputState.Ended || _sendError != SocketError.Success)
        {
            return;
        }

        // An end of the stream that the reader has not come to yet must not take from it what lies before.
        bool inputIsRead = _inputState == InputState.Ended && _input.Unconsumed == 0;
        if (inputIsRead || (_phase == Phase.Closing && _inputState != InputState.Open))
        {
            Terminate(CloseKind.PeerClosed, error: null, reset: false);
        }
        else if (_phase == Phase.Closing && _options.LingerTimeout == TimeSpan.Zero)
        {
            Terminate(CloseKind.Local, error: null, reset: false);
        }
    }
}

using System.Net.Sockets;
using SelectReactor.Buffers;
using SelectReactor.Dispatch;

namespace SelectReactor.Datagrams;

/// <content>Receiving, and the calls of the handler.</content>
internal sealed partial class ReactorDatagramSocket
{
    /// <summary>So many errors with nothing between them are not reports of the network, of which each is told
    /// once.</summary>
    private const int MaxErrorsInARow = 64;

    /// <summary>So often in a row the selector says that there is a datagram, and there is none: then it is not by
    /// chance.</summary>
    private const int MaxEmptyInARow = 64;

    private static readonly TimeSpan _pauseTime = TimeSpan.FromSeconds(1);

    /// <summary>Short, since datagrams may come all the same.</summary>
    private static readonly TimeSpan _emptyPauseTime = TimeSpan.FromMilliseconds(10);
    private readonly SenderAddress _sender;
    private readonly MessageLimiter _limiter;
    private ReactorTimer? _pause;
    private int _errorsInARow;
    private int _emptyInARow;
    private bool _hasToldOfEmpty;
    private long _received;
    private long _bytesReceived;
    private long _droppedTooLong;
    private long _networkErrors;
    private long _handlerFaults;

    private enum Callback
    {
        OnReceived,
        OnError,
        OnWritable,
        OnStopping,
        OnClosed,
    }

    public override DatagramStatistics Statistics => new()
    {
        Received = Volatile.Read(ref _received),
        BytesReceived = Volatile.Read(ref _bytesReceived),
        Sent = Volatile.Read(ref _sent),
        BytesSent = Volatile.Read(ref _bytesSent),
        DroppedTooLong = Volatile.Read(ref _droppedTooLong),
        SendErrors = Volatile.Read(ref _sendErrors),
        NetworkErrors = Volatile.Read(ref _networkErrors),
        HandlerFaults = Volatile.Read(ref _handlerFaults),
    };

    /// <summary>Whether receiving has failed and waits for the next attempt.</summary>
    private bool IsPaused => _pause is { IsActive: true };

    // No UDP datagram is longer than the buffer. Whatever is longer than the limit is dropped here, on each system
    // alike.
    private int BufferSize => _family == AddressFamily.Unix
        ? _options.MaxDatagramBytes
        : DatagramOptions.MaxUdpBytes;

    private void Receive()
    {
        BufferSegment segment = _reactor.Buffers.Rent(BufferSize);
        try
        {
            Span<byte> buffer = segment.FreeSpan[..BufferSize];
            for (int i = 0; i < _options.MaxDatagramsPerTick && _phase == Phase.Open; i++)
            {
                SocketError error = _handle.ReceiveFrom(buffer, _sender.Received, out int received);
                if (error == SocketError.Success && received <= _options.MaxDatagramBytes)
                {
                    _errorsInARow = 0;
                    _emptyInARow = 0;
                    Deliver(buffer[..received]);
                }
                else if (i == 0 && error == SocketError.WouldBlock)
                {
                    NoteEmpty();
                    break;
                }
                else if (!TryGoOn(error == SocketError.Success ? SocketError.MessageSize : error, received))
                {
                    break;
                }
            }
        }
        finally
        {
            _reactor.Buffers.Return(segment);
        }
    }

    // Something that is no datagram keeps the socket readable, such as an error queue (IP_RECVERR, ip(7)) or a
    // shutdown(2) by somebody else.
    private void NoteEmpty()
    {
        _errorsInARow = 0;
        if (++_emptyInARow < MaxEmptyInARow)
        {
            return;
        }

        // The next time at once, if that stays so.
        _emptyInARow--;
        if (!_hasToldOfEmpty)
        {
            _hasToldOfEmpty = true;
            ReactorLog.DatagramMissing(_reactor.Logger, _localEndPoint, _emptyPauseTime);
        }

        PauseFor(_emptyPauseTime);
    }

    // Whether there may be more to receive. What a long datagram begins with is received; where nothing is, a router
    // has said that one which was sent was too long for it.
    private bool TryGoOn(SocketError error, int received)
    {
        _emptyInARow = 0;
        switch (error)
        {
            case SocketError.WouldBlock:
                _errorsInARow = 0;
                return false;
            case SocketError.OperationAborted:
                EndByOthers();
                return false;
            case SocketError.MessageSize when received > 0:
                _droppedTooLong++;
                _counts.NoteTooLong();
                break;
            default:
                _networkErrors++;
                _counts.NoteNetworkError();
                if (++_errorsInARow >= MaxErrorsInARow)
                {
                    Pause(error);
                    return false;
                }

                break;
        }

        ReactorLog.DatagramNetworkError(_reactor.Logger, error, _localEndPoint);
        Call(Callback.OnError, error);
        return true;
    }

    // The error keeps the socket readable, so that trying again at once would spin.
    private void Pause(SocketError error)
    {
        ReactorLog.DatagramsPaused(_reactor.Logger, _localEndPoint, _pauseTime, error);
        _errorsInARow = 0;
        PauseFor(_pauseTime);
    }

    private void PauseFor(TimeSpan time)
    {
        if (_pause is null)
        {
            _pause = _reactor.Schedule(time, static self => ((ReactorDatagramSocket)self!).EndPause(), this);
        }
        else
        {
            _pause.Change(time);
        }

        UpdateInterest();
    }

    private void EndPause()
    {
        try
        {
            UpdateInterest();
        }
        catch (Exception exception)
        {
            ReactorLog.ClientFault(_reactor.Logger, exception);
            End(CloseKind.Aborted, exception);
        }
    }

    private void UpdateInterest() => _key.Interest =
        (IsPaused ? Interest.None : Interest.Read) | (_awaitsRoom ? Interest.Write : Interest.None);

    private void Deliver(ReadOnlySpan<byte> datagram)
    {
        _received++;
        _bytesReceived += datagram.Length;
        _counts.NoteReceived(datagram.Length);
        _reactor.BeginCallback(_handler);
        try
        {
            _handler.OnReceived(this, _sender.Exact(), datagram);
        }
        catch (Exception exception)
        {
            NoteFault(Callback.OnReceived, exception);
        }

        _reactor.EndCallback();
    }

    private void Call(Callback callback, SocketError error = SocketError.Success)
    {
        _reactor.BeginCallback(_handler);
        try
        {
            switch (callback)
            {
                case Callback.OnError:
                    _handler.OnError(this, error);
                    break;
                case Callback.OnWritable:
                    _handler.OnWritable(this);
                    break;
                case Callback.OnStopping:
                    _handler.OnStopping(this);
                    break;
                case Callback.OnClosed:
                    _handler.OnClosed(this, _reason);
                    break;
            }
        }
        catch (Exception exception)
        {
            NoteFault(callback, exception);
            if (callback == Callback.OnStopping)
            {
                // Otherwise the shutdown would wait for it until the deadline.
                End(CloseKind.HandlerFault, exception);
            }
        }

        _reactor.EndCallback();
    }

    // Anybody may send what the handler does not expect, as fast as they can: that must neither end the service for
    // the others nor fill the log.
    private void NoteFault(Callback callback, Exception exception)
    {
        _handlerFaults++;
        if (_limiter.TryPass(out string omitted))
        {
            string consequence = callback switch
            {
                Callback.OnStopping => "The socket closes.",
                Callback.OnClosed => "The socket is closed.",
                _ => "The socket goes on.",
            };
            ReactorLog.DatagramHandlerFault(
                _reactor.Logger, _localEndPoint, callback.ToString(), consequence, omitted, exception);
        }
    }
}

using System.Net;
using System.Net.Sockets;
using SelectReactor.Dispatch;
using SelectReactor.Selection;

namespace SelectReactor.Datagrams;

/// <content>Sending.</content>
internal sealed partial class ReactorDatagramSocket
{
    /// <summary>How long to wait for room where the selector can't tell.</summary>
    private static readonly TimeSpan _roomInterval = TimeSpan.FromMilliseconds(10);

    private readonly SocketAddress? _peer;
    private ReactorTimer? _roomTimer;
    private bool _awaitsRoom;
    private bool _isRoomHidden;
    private long _sent;
    private long _bytesSent;
    private long _sendErrors;

    public override DatagramSendResult TrySend(ReadOnlySpan<byte> datagram)
    {
        _reactor.VerifyAccess();
        return _peer is not null
            ? SendToPeer(datagram)
            : throw new InvalidOperationException(
                "The socket is not connected: pass the address of the receiver, or use ConnectDatagram.");
    }

    public override DatagramSendResult TrySend(ReadOnlySpan<byte> datagram, SocketAddress remote)
    {
        ArgumentNullException.ThrowIfNull(remote);
        _reactor.VerifyAccess();
        if (_peer is not null)
        {
            return _peer.IsSameAs(remote)
                ? SendToPeer(datagram)
                : throw new InvalidOperationException(
                    $"The socket is connected to {EndPointText.Of(_remoteEndPoint)} and sends to nobody else.");
        }

        if (_phase != Phase.Open)
        {
            return DatagramSendResult.Closed;
        }

        if (remote.Size < sizeof(ushort))
        {
            // A Unix-domain sender that is not bound: nobody can answer it.
            return Unsent(SocketError.AddressNotAvailable);
        }

        if (remote.Family != _family)
        {
            throw new ArgumentException(
                $"The socket is of {_family}, and the address of {remote.Family}."
                    + (_family == AddressFamily.InterNetworkV6 && _options.DualMode
                        ? " Write an IPv4 address as IPv6: IPAddress.MapToIPv6."
                        : ""),
                nameof(remote));
        }

        return Settle(_handle.SendTo(datagram, remote, out _), datagram.Length);
    }

    private DatagramSendResult SendToPeer(ReadOnlySpan<byte> datagram)
    {
        if (_phase != Phase.Open)
        {
            return DatagramSendResult.Closed;
        }

        SocketError error = _handle.Send(datagram, out _);
        if (error is not (SocketError.Success or SocketError.WouldBlock or SocketError.OperationAborted))
        {
            // A send also reports what the network said of an earlier datagram, and then sends nothing. What the
            // second attempt says is about this one.
            SocketError own = _handle.Send(datagram, out _);
            if (own != error)
            {
                _networkErrors++;
                _counts.NoteNetworkError();
                _pendingError = error;
                ReactorLog.DatagramNetworkError(_reactor.Logger, error, _localEndPoint);
                Defer(Work.Error);
            }

            error = own;
        }

        return Settle(error, datagram.Length);
    }

    private DatagramSendResult Settle(SocketError error, int bytes)
    {
        if (error != SocketError.Success)
        {
            return Unsent(error);
        }

        _sent++;
        _bytesSent += bytes;
        _counts.NoteSent(bytes);
        return DatagramSendResult.Sent;
    }

    private DatagramSendResult Unsent(SocketError error)
    {
        DatagramSendResult result = DatagramSystem.ResultOf(error);
        switch (result)
        {
            case DatagramSendResult.WouldBlock:
                // A Unix-domain socket without a peer is always ready to write, and so is any while an interface
                // lacks memory: waiting for that would spin.
                _isRoomHidden = error == SocketError.NoBufferSpaceAvailable
                    || (_family == AddressFamily.Unix && _peer is null);
                Defer(Work.AwaitRoom);
                break;
            case DatagramSendResult.Closed:
                EndByOthers();
                break;
            default:
                _sendErrors++;
                _counts.NoteSendError();
                ReactorLog.DatagramUnsent(_reactor.Logger, _localEndPoint, error);
                break;
        }

        return result;
    }

    private void AwaitRoom()
    {
        if (!_isRoomHidden)
        {
            _awaitsRoom = true;
            UpdateInterest();
        }
        else if (_roomTimer is null)
        {
            _roomTimer = _reactor.Schedule(
                _roomInterval, static self => ((ReactorDatagramSocket)self!).Call(Callback.OnWritable), this);
        }
        else if (!_roomTimer.IsActive)
        {
            // Whoever sends again and again in the meantime must not put it off.
            _roomTimer.Change(_roomInterval);
        }
    }

    private void StopAwaitingRoom()
    {
        _awaitsRoom = false;
        UpdateInterest();
        Call(Callback.OnWritable);
    }
}

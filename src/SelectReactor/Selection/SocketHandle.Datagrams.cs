using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor;

/// <content>Datagrams.</content>
public sealed partial class SocketHandle
{
    /// <inheritdoc/>
    public override SocketError ReceiveFrom(Span<byte> buffer, SocketAddress sender, out int received)
    {
        ArgumentNullException.ThrowIfNull(sender);
        received = 0;
        try
        {
            return _isDatagram
                ? DatagramCall.ReceiveFrom(_socket, buffer, sender, out received)
                : SocketError.OperationNotSupported;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.OperationAborted;
        }
    }

    /// <inheritdoc/>
    public override SocketError SendTo(ReadOnlySpan<byte> datagram, SocketAddress receiver, out int sent)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        sent = 0;
        try
        {
            return _isDatagram
                ? DatagramCall.SendTo(_socket, datagram, receiver, out sent)
                : SocketError.OperationNotSupported;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.OperationAborted;
        }
    }

    /// <inheritdoc/>
    public override SocketError JoinGroup(IPAddress group, int interfaceIndex, IPAddress? source) =>
        _isDatagram
            ? new Membership(group, interfaceIndex, source).Join(_socket)
            : SocketError.OperationNotSupported;

    /// <inheritdoc/>
    public override SocketError LeaveGroup(IPAddress group, int interfaceIndex, IPAddress? source) =>
        _isDatagram
            ? new Membership(group, interfaceIndex, source).Leave(_socket)
            : SocketError.OperationNotSupported;

    /// <inheritdoc/>
    public override bool TryGetDroppedDatagrams(out long count)
    {
        count = 0;
        return _isDatagram && DatagramCall.TryGetDropped(_socket, out count);
    }

    private SocketError ConnectDatagrams(EndPoint remoteEndPoint)
    {
        if (RemoteEndPoint is not null)
        {
            return SocketError.IsConnected;
        }

        SocketError error = Try(remoteEndPoint, static (socket, endPoint) => socket.Connect(endPoint));
        if (error == SocketError.Success)
        {
            DatagramCall.SetReportsUnreachable(_socket, reports: true);
            _knownRemote = SocketCall.Ask(_socket, static socket => socket.RemoteEndPoint);
        }

        return error;
    }

    // Each system has an error of its own for a socket without a peer.
    private SocketError Sent(SocketError error) =>
        !_isDatagram || error == SocketError.Success ? error
        : RemoteEndPoint is null && !IsClosed ? SocketError.DestinationAddressRequired
        : DatagramCall.Translate(error);
}

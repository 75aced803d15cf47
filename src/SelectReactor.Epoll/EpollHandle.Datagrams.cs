using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Epoll;

/// <content>Datagrams.</content>
internal sealed unsafe partial class EpollHandle
{
    private bool _isBound;

    /// <inheritdoc/>
    public override SocketError ReceiveFrom(Span<byte> buffer, SocketAddress sender, out int received)
    {
        ArgumentNullException.ThrowIfNull(sender);
        received = 0;
        if (_kind != SocketKind.Datagram)
        {
            return SocketError.OperationNotSupported;
        }

        if (!TryHold(out int descriptor))
        {
            return SocketError.OperationAborted;
        }

        nint count;
        SocketError error = SocketError.Success;
        int size = SocketAddress.GetMaximumAddressSize(_inner!.Socket.AddressFamily);
        if (sender.Buffer.Length < size)
        {
            Release();
            return SocketError.Fault;
        }

        fixed (byte* start = buffer, address = sender.Buffer.Span)
        {
            while ((count = Native.ReceiveFrom(
                descriptor, start, buffer.Length, Native.WholeSize, address, &size)) < 0
                && (error = Native.LastError()) == SocketError.Interrupted)
            {
            }
        }

        Release();
        if (count < 0)
        {
            return error;
        }

        // Linux says 111 for a name without an end that fills the 110 bytes (unix(7), BUGS).
        sender.Size = Math.Min(size, sender.Buffer.Length);
        sender.Buffer.Span[Math.Max(sender.Size, sizeof(ushort))..].Clear();
        return Received(count, buffer.Length, out received);
    }

    /// <inheritdoc/>
    public override SocketError SendTo(ReadOnlySpan<byte> datagram, SocketAddress receiver, out int sent)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        sent = 0;
        if (_kind != SocketKind.Datagram)
        {
            return SocketError.OperationNotSupported;
        }

        SocketError error = BindToAny();
        if (error != SocketError.Success)
        {
            return error;
        }

        if (!TryHold(out int descriptor))
        {
            return SocketError.OperationAborted;
        }

        nint count;
        fixed (byte* start = datagram, address = receiver.Buffer.Span)
        {
            while ((count = Native.SendTo(
                descriptor, start, datagram.Length, Native.NoSignal, address, receiver.Size)) < 0
                && (error = Native.LastError()) == SocketError.Interrupted)
            {
            }
        }

        Release();
        return count < 0 ? error : Sent(count, out sent);
    }

    /// <inheritdoc/>
    public override SocketError JoinGroup(IPAddress group, int interfaceIndex, IPAddress? source) =>
        Inner?.JoinGroup(group, interfaceIndex, source) ?? SocketError.OperationAborted;

    /// <inheritdoc/>
    public override SocketError LeaveGroup(IPAddress group, int interfaceIndex, IPAddress? source) =>
        Inner?.LeaveGroup(group, interfaceIndex, source) ?? SocketError.OperationAborted;

    /// <inheritdoc/>
    public override bool TryGetDroppedDatagrams(out long count)
    {
        count = 0;
        return _inner?.TryGetDroppedDatagrams(out count) ?? false;
    }

    private static SocketError Received(nint count, int room, out int received)
    {
        received = (int)Math.Min(count, room);
        return count > room ? SocketError.MessageSize : SocketError.Success;
    }

    // The system would choose a port too, but the socket would not know it.
    private SocketError BindToAny()
    {
        if (_isBound)
        {
            return SocketError.Success;
        }

        SocketError error = SocketError.Success;
        AddressFamily family = _inner!.Socket.AddressFamily;
        if (!IsClosed && _inner.LocalEndPoint is null && family != AddressFamily.Unix)
        {
            bool isV6 = family == AddressFamily.InterNetworkV6;
            error = _inner.Bind(new IPEndPoint(isV6 ? IPAddress.IPv6Any : IPAddress.Any, 0));
        }

        _isBound = error == SocketError.Success;
        return error;
    }

    // A socket without a peer has another error for each family.
    private SocketError Unsent(SocketError error) =>
        _kind == SocketKind.Datagram && !IsClosed && RemoteEndPoint is null
            ? SocketError.DestinationAddressRequired
            : error;
}

using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor;

/// <content>What Linux tells of a TCP connection.</content>
public sealed partial class SocketHandle
{
    /// <inheritdoc/>
    public override bool TryGetAcknowledgedBytes(out long bytes)
    {
        bytes = 0;
        return TryGetInfo(out TcpInfo info) && _progress.TryGetAcknowledged(info, out bytes);
    }

    /// <inheritdoc/>
    public override SocketError TakeError()
    {
        try
        {
            var error = (SocketError)(int)_socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;

            // What the system notes while the connection goes on, such as an error of a route, is a passing error (RFC
            // 1122, 4.2.3.9).
            return error != SocketError.Success && IsAlive() ? SocketError.Success : error;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.OperationAborted;
        }
    }

    private bool IsAlive() => TryGetInfo(out TcpInfo info) && info.State != TcpInfo.Closed;

    private bool IsCut() => TryGetInfo(out TcpInfo info) && info.State == TcpInfo.Closed;

    private bool TryGetInfo(out TcpInfo info)
    {
        info = default;
        return _isTcp && TcpInfo.TryRead(_socket, out info);
    }
}

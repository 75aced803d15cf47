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

    private bool IsAlive() => TryGetInfo(out TcpInfo info) && info.State != TcpInfo.Closed;

    private bool IsCut() => TryGetInfo(out TcpInfo info) && info.State == TcpInfo.Closed;

    private bool TryGetInfo(out TcpInfo info)
    {
        info = default;
        return _isTcp && TcpInfo.TryRead(_socket, out info);
    }
}

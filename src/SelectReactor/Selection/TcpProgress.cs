using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// Tells how many of the bytes that a TCP socket has sent were acknowledged, and whether it was reset. Linux only.
/// </summary>
internal sealed class TcpProgress
{
    private readonly Socket _socket;
    private long _sent;
    private long _acknowledgedBefore;
    private bool _isRoundedUp;
    private bool _hasEnded;

    private TcpProgress(Socket socket) => _socket = socket;

    /// <summary>Null if the system tells nothing about this socket.</summary>
    public static TcpProgress? Of(Socket socket) => TcpInfo.IsKnownFor(socket) ? new TcpProgress(socket) : null;

    /// <summary>Begins to count on a connection that somebody else may have sent on. What is still on its way counts
    /// as acknowledged before, rounded up, so that it is never taken for our own bytes. Once everything is
    /// acknowledged, the exact number is known.</summary>
    public void TakeOver()
    {
        if (TcpInfo.TryRead(_socket, out TcpInfo info))
        {
            _acknowledgedBefore = info.Acknowledged + info.NotSent + (info.Unacknowledged * info.SegmentBytes);
            _isRoundedUp = info.Unacknowledged > 0;
            _hasEnded = info.HasEndedOutput;
        }
    }

    /// <summary>The peer acknowledges the start of a connection (SYN) that is made from this side.</summary>
    public void BeginConnect()
    {
        _acknowledgedBefore = 1;
        _isRoundedUp = false;
        _hasEnded = false;
    }

    public void AddSent(int bytes) => _sent += bytes;

    /// <summary>The output has ended: from now on, a closed connection may be one that both sides have
    /// ended.</summary>
    public void EndOutput() => _hasEnded = true;

    /// <summary>Whether an end of the stream that a receive found is a reset in fact.</summary>
    public bool IsReset() => !_hasEnded && TcpInfo.TryRead(_socket, out TcpInfo info) && info.State == TcpInfo.Closed;

    /// <summary>Whether the connection goes on. An error that the system notes meanwhile, such as that of a route, is
    /// then a passing one (RFC 1122, 4.2.3.9).</summary>
    public bool IsAlive() => TcpInfo.TryRead(_socket, out TcpInfo info) && info.State != TcpInfo.Closed;

    public bool TryGetAcknowledged(out long bytes)
    {
        bytes = 0;
        if (!TcpInfo.TryRead(_socket, out TcpInfo info))
        {
            return false;
        }

        if (info.IsAllAcknowledged)
        {
            Correct(info);
            bytes = _sent;
            return true;
        }

        if (_isRoundedUp && info.State == TcpInfo.Closed)
        {
            // The kernel no longer tells whether everything was acknowledged.
            return false;
        }

        bytes = Math.Clamp(info.Acknowledged - _acknowledgedBefore, 0, _sent);
        return true;
    }

    private void Correct(in TcpInfo info)
    {
        if (_isRoundedUp)
        {
            int end = _hasEnded ? 1 : 0;
            _acknowledgedBefore = info.Acknowledged - _sent - end;
            _isRoundedUp = false;
        }
    }
}

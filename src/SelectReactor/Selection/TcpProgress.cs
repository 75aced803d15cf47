namespace SelectReactor.Selection;

/// <summary>
/// Counts what a TCP socket has sent, and tells from a <see cref="TcpInfo"/> how much of it was acknowledged.
/// </summary>
internal struct TcpProgress
{
    private long _sent;
    private long _acknowledgedBefore;
    private bool _isRoundedUp;
    private bool _hasEnded;

    /// <summary>Whether the output has ended: a closed connection may then be one that both sides have ended. Before,
    /// it was reset or timed out.</summary>
    public readonly bool HasEndedOutput => _hasEnded;

    /// <summary>Begins to count on a connection that somebody else may have sent on. What is still on its way counts
    /// as acknowledged before, rounded up, so that it is never taken for our own bytes. Once everything is
    /// acknowledged, the exact number is known.</summary>
    public void TakeOver(in TcpInfo info)
    {
        _acknowledgedBefore = info.Acknowledged + info.NotSent + (info.Unacknowledged * info.SegmentBytes);
        _isRoundedUp = info.Unacknowledged > 0;
        _hasEnded = info.HasEndedOutput;
    }

    /// <summary>The peer acknowledges the start of a connection (SYN) that is made from this side.</summary>
    public void BeginConnect()
    {
        _acknowledgedBefore = 1;
        _isRoundedUp = false;
        _hasEnded = false;
    }

    public void AddSent(int bytes) => _sent += bytes;

    public void EndOutput() => _hasEnded = true;

    /// <summary>The number of sent bytes that were acknowledged; false if the kernel no longer tells.</summary>
    public bool TryGetAcknowledged(in TcpInfo info, out long bytes)
    {
        bytes = 0;
        if (info.IsAllAcknowledged)
        {
            Correct(info);
            bytes = _sent;
            return true;
        }

        if (_isRoundedUp && info.State == TcpInfo.Closed)
        {
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

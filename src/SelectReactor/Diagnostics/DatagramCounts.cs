namespace SelectReactor.Diagnostics;

/// <summary>The numbers of the datagram sockets of one reactor that use the same transport. The reactor's thread adds
/// to them, and any thread reads them.</summary>
internal sealed class DatagramCounts(string transport)
{
    private long _received;
    private long _bytesReceived;
    private long _sent;
    private long _bytesSent;
    private long _tooLong;
    private long _sendErrors;
    private long _networkErrors;

    public string Transport => transport;

    public long Received => Volatile.Read(ref _received);

    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    public long Sent => Volatile.Read(ref _sent);

    public long BytesSent => Volatile.Read(ref _bytesSent);

    public long TooLong => Volatile.Read(ref _tooLong);

    public long SendErrors => Volatile.Read(ref _sendErrors);

    public long NetworkErrors => Volatile.Read(ref _networkErrors);

    public void NoteReceived(int bytes)
    {
        _received++;
        _bytesReceived += bytes;
    }

    public void NoteSent(int bytes)
    {
        _sent++;
        _bytesSent += bytes;
    }

    public void NoteTooLong() => _tooLong++;

    public void NoteSendError() => _sendErrors++;

    public void NoteNetworkError() => _networkErrors++;

    /// <summary>Adds all numbers of another one, which has ended.</summary>
    public void Add(DatagramCounts other)
    {
        _received += other.Received;
        _bytesReceived += other.BytesReceived;
        _sent += other.Sent;
        _bytesSent += other.BytesSent;
        _tooLong += other.TooLong;
        _sendErrors += other.SendErrors;
        _networkErrors += other.NetworkErrors;
    }
}

using System.Net.Sockets;

namespace SelectReactor.Tls;

/// <content>From the transport to the connection.</content>
internal sealed partial class TlsHandle
{
    private const int ReceiveBytes = 32 * 1024;

    /// <summary>After so many records the other connections have their turn. A record costs much more than its
    /// bytes.</summary>
    private const int MaxRecordsPerReceive = 64;

    /// <summary>So many key updates, empty records or other messages of the protocol may follow each other.</summary>
    private const int MaxRecordsWithoutData = 32;

    private readonly bool _refusesHandshake;

    /// <summary>How the input has ended: with success for the end of the stream. Null while it has not.</summary>
    private SocketError? _end;
    private bool _isEndTold;

    /// <summary>Whether the engine has decrypted bytes, or the end.</summary>
    private bool _hasData;
    private bool _hasTransportEnded;

    /// <summary>Whether the last receive has emptied the transport.</summary>
    private bool _isTransportEmpty;

    /// <summary>How many records this receive may still begin.</summary>
    private int _recordsLeft;
    private int _recordsWithoutData;

    bool ICiphertextPort.IsBetweenRecords => _records.IsAtEnd && _input.IsEmpty;

    public override SocketError Receive(Span<byte> buffer, out int received)
    {
        _isTransportEmpty = false;
        _recordsLeft = MaxRecordsPerReceive;
        received = _end is null ? Decrypt(buffer) : 0;
        if (received > 0)
        {
            return SocketError.Success;
        }

        _isEndTold = _end is not null;
        return _end ?? SocketError.WouldBlock;
    }

    bool ICiphertextPort.HasInput() => HasInput();

    int ICiphertextPort.Receive(Span<byte> buffer)
    {
        if (!HasInput())
        {
            return -1;
        }

        if (_records.IsAtEnd && !_input.IsEmpty)
        {
            BeginRecord();
        }

        int count = _records.Take(ref _input, buffer);
        if (_refusesHandshake && _records.SawHandshake)
        {
            throw new IOException("it asked for a renegotiation, which is refused.");
        }

        return count;
    }

    void ICiphertextPort.Wait()
    {
    }

    private int Decrypt(Span<byte> buffer)
    {
        int count = 0;
        while (count < buffer.Length && (_hasData || TryFill()))
        {
            _hasData = false;
            int now = _engine.Read(buffer[count..]);
            if (now == 0)
            {
                EndWith(SocketError.Success);
                return count;
            }

            count += now;
            _recordsWithoutData = 0;
            if (_isTransportEmpty && _input.IsEmpty && count < buffer.Length)
            {
                // The engine has no more than the one record. To ask it costs more.
                return count;
            }
        }

        _hasData = count == buffer.Length && _end is null && TryFill();
        return count;
    }

    // What fails here is told after the bytes before it.
    private bool TryFill()
    {
        try
        {
            return _engine.TryFill();
        }
        catch (Exception exception)
        {
            EndWith(NoteFault(exception));
            return false;
        }
    }

    private void EndWith(SocketError end)
    {
        _end = end;
        _input.Release();
    }

    private bool HasInput()
    {
        if (_recordsLeft == 0 && _records.IsAtEnd)
        {
            return false;
        }

        if (!_input.IsEmpty || _hasTransportEnded)
        {
            return true;
        }

        int count = ReceiveFromTransport(_input.Reserve(ReceiveBytes));
        _input.Commit(Math.Max(count, 0));
        return count >= 0;
    }

    private void BeginRecord()
    {
        _recordsLeft--;
        if (_recordsWithoutData++ > MaxRecordsWithoutData)
        {
            throw new IOException($"it sent more than {MaxRecordsWithoutData} records in a row without data.");
        }
    }

    private int ReceiveFromTransport(Span<byte> buffer)
    {
        if (_hasTransportEnded)
        {
            return 0;
        }

        if (_isTransportEmpty)
        {
            return -1;
        }

        SocketError error = _transport.Receive(buffer, out int received);
        _isTransportEmpty = received < buffer.Length;
        if (error == SocketError.WouldBlock)
        {
            return -1;
        }

        ThrowOnError(error);
        _hasTransportEnded = received == 0;
        return received;
    }

    private void ThrowOnError(SocketError error)
    {
        if (error != SocketError.Success)
        {
            _transportError = error;
            throw new SocketException((int)error);
        }
    }
}

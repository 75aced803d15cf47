using System.Net.Sockets;

namespace SelectReactor.Tls;

/// <content>From the transport to the connection.</content>
internal sealed partial class TlsHandle
{
    private const int ReceiveBytes = 32 * 1024;
    private readonly bool _refusesHandshake;

    /// <summary>How the input has ended: with success for the end of the stream. Null while it has not.</summary>
    private SocketError? _end;
    private bool _isEndTold;

    /// <summary>Whether the engine has decrypted bytes, or the end.</summary>
    private bool _hasData;

    /// <summary>Whether the engine may have received more in the handshake than it needed.</summary>
    private bool _mayHoldData;
    private bool _hasTransportEnded;

    /// <summary>Whether the last receive has emptied the transport.</summary>
    private bool _isTransportEmpty;

    /// <summary>The plaintext that was read since the engine was known to hold nothing.</summary>
    private long _dataRead;

    bool ICiphertextPort.IsBetweenRecords => _records.IsAtEnd && _input.IsEmpty;

    public override SocketError Receive(Span<byte> buffer, out int received)
    {
        received = 0;
        _mayHoldData = false;
        _isTransportEmpty = false;
        if (_end is null)
        {
            try
            {
                received = Decrypt(buffer);
            }
            catch (Exception exception)
            {
                _hasData = false;
                _end = NoteFault(exception);
            }
        }

        if (received > 0)
        {
            return SocketError.Success;
        }

        _isEndTold = _end is not null;
        return _end ?? SocketError.WouldBlock;
    }

    bool ICiphertextPort.HasInput()
    {
        if (!_input.IsEmpty || _hasTransportEnded)
        {
            return true;
        }

        int count = ReceiveFromTransport(_input.Reserve(ReceiveBytes));
        _input.Commit(Math.Max(count, 0));
        return count >= 0;
    }

    int ICiphertextPort.Receive(Span<byte> buffer)
    {
        int count = _input.IsEmpty ? ReceiveFromTransport(buffer) : _input.Take(buffer);
        _records.Advance(buffer[..Math.Max(count, 0)]);
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
        while (count < buffer.Length && (_hasData || Fill()))
        {
            _hasData = false;
            int now = _engine.Read(buffer[count..]);
            if (now == 0)
            {
                _end = SocketError.Success;
                return count;
            }

            count += now;
            _dataRead += now;
            if (IsDrained(isBufferFull: count == buffer.Length))
            {
                return count;
            }
        }

        _hasData = count == buffer.Length && TryFill();
        return count;
    }

    // The engine stops before an alert, and does not say that it holds one. To ask it costs more than to count.
    private bool IsDrained(bool isBufferFull) => _isTransportEmpty
        && _input.IsEmpty
        && _records is { IsAtEnd: true, SawOther: false }
        && (_refusesHandshake ? !isBufferFull : _records.MaxData == _dataRead);

    private bool Fill()
    {
        if (_engine.TryFill())
        {
            return true;
        }

        if (_records.IsAtEnd)
        {
            // The engine has dealt with all there was.
            _dataRead = 0;
            _records.MaxData = 0;
            _records.SawOther = false;
        }

        return false;
    }

    // What fails here is told after the bytes before it.
    private bool TryFill()
    {
        try
        {
            return Fill();
        }
        catch (Exception exception)
        {
            _end = NoteFault(exception);
            return false;
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

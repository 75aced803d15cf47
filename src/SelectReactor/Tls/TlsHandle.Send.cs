using System.Net.Sockets;
using SelectReactor.Buffers;

namespace SelectReactor.Tls;

/// <content>From the connection to the transport.</content>
internal sealed partial class TlsHandle
{
    private readonly long _handshakeBytes;
    private long _ciphertextSent;

    /// <summary>What of it had been sent when the last plaintext counted as sent: the closing alert lies behind
    /// it.</summary>
    private long _dataEnd;
    private long _plaintextSent;
    private long _acknowledged;
    private bool _isCorked;
    private bool _hasSentCloseNotify;

    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        SocketError error = BeginSend(out sent);
        while (error == SocketError.Success && sent < buffer.Length)
        {
            int count = Math.Min(buffer.Length - sent, MaxRecordBytes * MaxRecordsPerSend);
            error = Encrypt(buffer.Slice(sent, count));
            if (error == SocketError.Success)
            {
                sent += count;
            }
        }

        return EndSend(error, sent);
    }

    // Short pieces share a record.
    public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        SocketError error = BeginSend(out sent);
        BufferSegment? record = null;
        try
        {
            int skip = sent;
            foreach (ArraySegment<byte> piece in buffers)
            {
                int skipped = Math.Min(skip, piece.Count);
                skip -= skipped;
                ReadOnlySpan<byte> rest = piece.AsSpan(skipped);
                while (error == SocketError.Success && !rest.IsEmpty)
                {
                    record ??= _pool.Rent(MaxRecordBytes * MaxRecordsPerSend);
                    int count = Math.Min(rest.Length, (MaxRecordBytes * MaxRecordsPerSend) - record.Length);
                    rest[..count].CopyTo(record.FreeSpan);
                    record.Commit(count);
                    rest = rest[count..];
                    if (record.Length == MaxRecordBytes * MaxRecordsPerSend)
                    {
                        error = SendRecord(ref record, ref sent);
                    }
                }
            }

            if (error == SocketError.Success && record is not null)
            {
                error = SendRecord(ref record, ref sent);
            }
        }
        finally
        {
            if (record is not null)
            {
                _pool.Return(record);
            }
        }

        return EndSend(error, sent);
    }

    public override SocketError Shutdown(SocketShutdown how)
    {
        if (how == SocketShutdown.Receive)
        {
            return _transport.Shutdown(how);
        }

        if (!_hasSentCloseNotify && _fault is null && _transportError == SocketError.Success)
        {
            _hasSentCloseNotify = true;
            SocketError failure = Guard(static handle => handle._engine.WriteCloseNotify());
            if (failure != SocketError.Success)
            {
                return failure;
            }
        }

        SocketError error = SendOutput();
        return error == SocketError.Success ? _transport.Shutdown(how) : error;
    }

    /// <summary>A lower bound of the plaintext that was acknowledged; exact once all is.</summary>
    public override bool TryGetAcknowledgedBytes(out long bytes)
    {
        bool isKnown = _transport.TryGetAcknowledgedBytes(out long acknowledged);
        _acknowledged = Math.Max(_acknowledged, _plaintextSent - Math.Max(0, _dataEnd - acknowledged));
        bytes = isKnown ? _acknowledged : 0;
        return isKnown;
    }

    // A batch that drains is progress, though no plaintext counts as sent before its end.
    internal override bool TryMeasureTransport(out long sent, out long taken)
    {
        sent = _ciphertextSent - _handshakeBytes;
        taken = _transport.TryGetAcknowledgedBytes(out long acknowledged)
            ? Math.Max(0, acknowledged - _handshakeBytes)
            : sent;
        return true;
    }

    internal override void Flush() => SendOutput();

    void ICiphertextPort.Send(ReadOnlySpan<byte> bytes)
    {
        int sent = 0;
        if (_output.IsEmpty && !_isCorked)
        {
            SocketError error = _transport.Send(bytes, out sent);
            ThrowOnError(error == SocketError.WouldBlock ? SocketError.Success : error);
            _ciphertextSent += sent;
        }

        _output.Add(bytes[sent..]);
    }

    // The records that were left over come first, and with them plaintext that is offered again.
    private SocketError BeginSend(out int sent)
    {
        sent = 0;
        SocketError error = SendOutput();
        if (error == SocketError.Success)
        {
            sent = _queuedPlaintext;
            _queuedPlaintext = 0;
            _dataEnd = sent > 0 ? _ciphertextSent : _dataEnd;
        }

        return error;
    }

    private SocketError EndSend(SocketError error, int sent)
    {
        _plaintextSent += sent;
        return sent > 0 && error == SocketError.WouldBlock ? SocketError.Success : error;
    }

    private SocketError SendRecord(ref BufferSegment? record, ref int sent)
    {
        BufferSegment full = record!;
        SocketError error = Encrypt(full.Unread);
        sent += error == SocketError.Success ? full.Length : 0;
        _pool.Return(full);
        record = null;
        return error;
    }

    /// <summary>Encrypts up to a batch and hands it to the transport.</summary>
    private SocketError Encrypt(ReadOnlySpan<byte> plaintext)
    {
        _isCorked = plaintext.Length > MaxRecordBytes;
        try
        {
            _engine.Write(plaintext);
        }
        catch (Exception exception)
        {
            return NoteFault(exception);
        }
        finally
        {
            _isCorked = false;
        }

        SocketError error = SendOutput();
        if (error == SocketError.WouldBlock)
        {
            _queuedPlaintext = plaintext.Length;
        }
        else
        {
            _dataEnd = _ciphertextSent;
        }

        return error;
    }

    private SocketError SendOutput()
    {
        if (_transportError != SocketError.Success)
        {
            _output.Release();
            return _transportError;
        }

        while (!_output.IsEmpty)
        {
            SocketError error = _transport.Send(_output.Unread, out int sent);
            _ciphertextSent += sent;
            _output.Consume(sent);
            if (error == SocketError.WouldBlock || (error == SocketError.Success && sent == 0))
            {
                return SocketError.WouldBlock;
            }

            if (error != SocketError.Success)
            {
                _transportError = error;
                _output.Release();
                return error;
            }
        }

        return SocketError.Success;
    }

    private SocketError Guard(Action<TlsHandle> call)
    {
        try
        {
            call(this);
            return SocketError.Success;
        }
        catch (Exception exception)
        {
            return NoteFault(exception);
        }
    }
}

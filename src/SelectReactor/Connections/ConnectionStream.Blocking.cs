using System.Buffers;

namespace SelectReactor.Connections;

/// <content>The older forms: synchronous calls, Begin and End, and what a connection can't do. On the reactor's thread
/// nothing may block. There a synchronous call does what it can do at once, and throws otherwise.</content>
internal sealed partial class ConnectionStream
{
    public override long Length => throw CreateSeekError();

    public override long Position
    {
        get => throw CreateSeekError();
        set => throw CreateSeekError();
    }

    public override long Seek(long offset, SeekOrigin origin) => throw CreateSeekError();

    public override void SetLength(long value) => throw CreateSeekError();

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        VerifyNotDisposed();
        return _reactor.IsReactorThread
            ? ReadNow(buffer.AsSpan(offset, count))
            : ReadBlocking(buffer.AsMemory(offset, count));
    }

    public override int Read(Span<byte> buffer)
    {
        VerifyNotDisposed();
        if (_reactor.IsReactorThread)
        {
            return ReadNow(buffer);
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length, MaxPiece));
        int count = ReadBlocking(rented.AsMemory(0, Math.Min(buffer.Length, rented.Length)));
        rented.AsSpan(0, count).CopyTo(buffer);

        // Not after an exception: the loop may still use it then.
        ArrayPool<byte>.Shared.Return(rented);
        return count;
    }

    public override int ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        return Read(one) == 0 ? -1 : one[0];
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        VerifyNotDisposed();
        if (_reactor.IsReactorThread)
        {
            WriteNow(buffer.AsSpan(offset, count));
        }
        else
        {
            WriteBlocking(buffer.AsMemory(offset, count));
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        VerifyNotDisposed();
        if (_reactor.IsReactorThread)
        {
            WriteNow(buffer);
            return;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(buffer.Length);
        buffer.CopyTo(rented);
        WriteBlocking(rented.AsMemory(0, buffer.Length));
        ArrayPool<byte>.Shared.Return(rented);
    }

    public override void WriteByte(byte value) => Write([value]);

    public override void Flush()
    {
        if (_usage == Usage.Open && !_reactor.IsReactorThread && HasOpenState)
        {
            CallAndWait(
                static () => { }, () => FlushOnLoop(CancellationToken.None), FlushAfterEnd);
        }
    }

    public override IAsyncResult BeginRead(
        byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    public override IAsyncResult BeginWrite(
        byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    private static NotSupportedException CreateSeekError() =>
        new("The stream of a connection has no length and no position.");

    private int ReadNow(Span<byte> buffer) => TryReadNow(buffer, out int count)
        ? count
        : throw new InvalidOperationException(
            "No data has arrived yet. On the reactor's thread a synchronous read can't wait: await ReadAsync.");

    private void WriteNow(ReadOnlySpan<byte> bytes)
    {
        if (Turns.IsTaken)
        {
            throw new InvalidOperationException("A write is under way: await it before you write synchronously.");
        }

        if (!connection.TryWrite(bytes))
        {
            throw HasOutput ? CreateFullError(bytes.Length) : CreateWriteError();
        }
    }

    private IOException CreateFullError(int count) => new(
        $"The output queue holds {connection.QueuedOutputBytes} bytes, and {count} more would exceed "
        + $"{nameof(ConnectionOptions.MaxOutputBytes)}; none of them was queued. On the reactor's thread a "
        + "synchronous write can't wait: await WriteAsync.");
}

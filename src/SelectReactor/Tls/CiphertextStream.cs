using System.Threading.Tasks.Sources;

namespace SelectReactor.Tls;

/// <summary>
/// The stream below an <c>SslStream</c>, over an <see cref="ICiphertextPort"/>. A read waits until
/// <see cref="TryResume"/> finds input for it; whoever calls that runs what the engine does next. Writes never wait.
/// </summary>
internal sealed class CiphertextStream : Stream, IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _wait;
    private Memory<byte> _wanted;

    /// <summary>The other side of the stream.</summary>
    public ICiphertextPort Port { get; set; } = null!;

    /// <summary>Whether a read waits.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Bytes that were read since this was set to zero.</summary>
    public int BytesRead { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = TryRead(buffer);
        if (count >= 0)
        {
            return new ValueTask<int>(count);
        }

        _wait.Reset();
        _wanted = buffer;
        IsWaiting = true;
        var read = new ValueTask<int>(this, _wait.Version);

        // After this call another thread may complete the read.
        Port.Wait();
        return read;
    }

    public override int Read(Span<byte> buffer)
    {
        int count = Port.Receive(buffer);
        return count >= 0 ? count : throw new InvalidOperationException("A synchronous read of TLS would wait.");
    }

    /// <summary>Completes the read that waits, if there is input for it, and runs what follows from it.</summary>
    /// <returns>Whether it was completed.</returns>
    public bool TryResume()
    {
        int count;
        try
        {
            count = TryRead(_wanted);
        }
        catch (Exception exception)
        {
            Cancel(exception);
            return true;
        }

        if (count < 0)
        {
            return false;
        }

        EndWait();
        _wait.SetResult(count);
        return true;
    }

    /// <summary>Lets the read that waits fail.</summary>
    public void Cancel(Exception error)
    {
        EndWait();
        _wait.SetException(error);
    }

    public override void Write(ReadOnlySpan<byte> buffer) => Port.Send(buffer);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Port.Send(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private void EndWait()
    {
        IsWaiting = false;
        _wanted = default;
    }

    // An empty read asks whether there is something to read.
    private int TryRead(Memory<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return Port.HasInput() ? 0 : -1;
        }

        int count = Port.Receive(buffer.Span);
        BytesRead += Math.Max(count, 0);
        return count;
    }
}

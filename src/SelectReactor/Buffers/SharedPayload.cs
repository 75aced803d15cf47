using System.Buffers;

namespace SelectReactor.Buffers;

/// <summary>
/// Bytes that are written once and then appended to any number of outputs of the same reactor, which share the memory.
/// It goes back to the pool after <see cref="Dispose"/>, when the last of them has sent it. One thread.
/// </summary>
internal sealed class SharedPayload : IBufferWriter<byte>, IByteSource, IDisposable
{
    private readonly OutputQueue _queue;
    private bool _isDisposed;

    public SharedPayload(BufferPool pool)
    {
        _queue = new OutputQueue(pool, this);
    }

    bool IByteSource.IsShown => !_isDisposed;

    bool IByteSource.IsForMany => true;

    /// <summary>All that was written so far.</summary>
    public ReadOnlySequence<byte> Bytes => _queue.Bytes;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        return _queue.Lend(Math.Max(sizeHint, 1));
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _queue.Lent);
        _queue.CommitLoan(count);
    }

    public void Dispose()
    {
        _isDisposed = true;
        _queue.Release();
    }
}

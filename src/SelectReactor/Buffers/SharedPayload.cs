using System.Buffers;

namespace SelectReactor.Buffers;

/// <summary>
/// Bytes that are written once and then appended to any number of outputs of the same reactor, which share the memory.
/// It goes back to the pool after <see cref="Clear"/> or <see cref="Dispose"/>, when the last of them has sent it. One
/// thread.
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

    /// <summary>Writes a copy of the bytes, in one piece if they fit into a block of the pool.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BufferPool.LargeSize)
        {
            BuffersExtensions.Write(this, bytes);
            return;
        }

        bytes.CopyTo(GetSpan(bytes.Length));
        Advance(bytes.Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _queue.Lent);
        _queue.CommitLoan(count);
    }

    /// <summary>Forgets what was written: it can be written anew. Outputs keep what was appended to them.</summary>
    public void Clear()
    {
        _queue.Release();

        // The next one may be shorter, and begins with a small block again.
        _queue.SegmentSize = BufferPool.SmallSize;
    }

    public void Dispose()
    {
        _isDisposed = true;
        Clear();
    }
}

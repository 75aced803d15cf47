using System.IO.Pipelines;

namespace SelectReactor.Buffers;

/// <summary>
/// Received bytes behind the contract of <see cref="PipeReader"/>, for one thread. The connection receives into
/// <see cref="Reserve"/> and <see cref="Commit"/>s; the handler reads and advances. A segment goes back to the pool as
/// soon as its last byte is consumed, so that an idle connection holds none.
/// </summary>
internal sealed partial class InputBuffer(BufferPool pool, IBufferOwner owner) : PipeReader
{
    private BufferSegment? _head;
    private BufferSegment? _tail;
    private BufferSegment? _fresh;
    private PendingOperation<ReadResult>? _pending;
    private Exception? _error;
    private int _receiveSize = BufferPool.SmallSize;
    private bool _lastWasLittle;
    private ReadState _reading;
    private bool _completed;
    private bool _discarding;
    private bool _ended;
    private bool _cancelNext;

    private enum ReadState : byte
    {
        None,

        /// <summary>The reader has a cancelled result: it may advance, or simply read again.</summary>
        Cancelled,

        /// <summary>The reader has a result and must advance before it reads again.</summary>
        Active,
    }

    /// <summary>Bytes that the reader has not consumed.</summary>
    public long Unconsumed { get; private set; }

    /// <summary>Bytes that the reader has not looked at.</summary>
    public long Unexamined { get; private set; }

    /// <summary>Bytes consumed since the beginning.</summary>
    public long TotalConsumed { get; private set; }

    /// <summary>Whether the reader waits in <see cref="ReadAsync"/>, or is about to take what that has brought.</summary>
    public bool IsReadPending => _pending is { IsPending: true };

    private bool HasResult => Unexamined > 0 || _ended || _cancelNext;

    /// <summary>Memory to receive into, followed by <see cref="Commit"/> at once.</summary>
    public Span<byte> Reserve()
    {
        // A small rest is not worth a system call of its own.
        if (_tail is { } tail && tail.Free >= _receiveSize / 4)
        {
            return tail.FreeSpan;
        }

        _fresh = pool.Rent(_receiveSize);
        return _fresh.FreeSpan;
    }

    /// <summary>Adds the first <paramref name="count"/> bytes of what was reserved; none is fine.</summary>
    public void Commit(int count)
    {
        BufferSegment target = _fresh ?? _tail!;
        AdaptReceiveSize(count, target.Free);
        if (count == 0 || _discarding)
        {
            ReturnFresh();
            return;
        }

        if (_fresh is not null)
        {
            _tail?.Append(_fresh);
            _tail = _fresh;
            _head ??= _fresh;
            _fresh = null;
        }

        target.Commit(count);
        Unconsumed += count;
        Unexamined += count;
    }

    /// <summary>Lets a waiting read go on, if there is something for it. Only for the loop itself, since the reader's code
    /// may run at once.</summary>
    /// <returns>Whether somebody waited, whose turn it now is.</returns>
    public bool CompletePendingRead()
    {
        if (!IsReadPending)
        {
            return false;
        }

        if (HasResult)
        {
            _pending!.Complete();
        }

        return true;
    }

    /// <summary>No more bytes will come, and reading says so: by <c>IsCompleted</c>, or with an error by throwing it.</summary>
    public void End(Exception? error = null)
    {
        _ended = true;
        _error ??= error;
        CompletePendingReadLater();
    }

    /// <summary>Drops what is there and what is still to come.</summary>
    public void Discard()
    {
        _discarding = true;
        if (_reading == ReadState.None)
        {
            Release();
        }
    }

    /// <summary>Gives the memory back. What a reader still looks at is abandoned to it instead.</summary>
    public void Release()
    {
        _discarding = true;
        for (BufferSegment? segment = _head; segment is not null;)
        {
            BufferSegment? next = segment.Successor;
            if (_reading != ReadState.None)
            {
                pool.Abandon();
            }
            else
            {
                pool.Return(segment);
            }

            segment = next;
        }

        _head = _tail = null;
        Unconsumed = Unexamined = 0;
    }

    private void AdaptReceiveSize(int received, int offered)
    {
        if (received == offered)
        {
            // Step by step, so that a peer must have sent much to be given much: it may never send the rest.
            _receiveSize = BufferPool.Larger(_receiveSize);
            _lastWasLittle = false;
            return;
        }

        // A single one may have been the rest of a long message, of which the next one is as long.
        bool isLittle = BufferPool.SizeFor(2L * received) < _receiveSize;
        bool shrinks = isLittle && _lastWasLittle;
        _receiveSize = shrinks ? BufferPool.Smaller(_receiveSize) : _receiveSize;
        _lastWasLittle = isLittle && !shrinks;
    }

    // Not inside the call that caused it: the reader's code would run in the middle of its caller's.
    private void CompletePendingReadLater()
    {
        if (IsReadPending)
        {
            owner.Defer(static self => ((InputBuffer)self!).CompletePendingRead(), this);
        }
    }

    private void ReturnFresh()
    {
        if (_fresh is not null)
        {
            pool.Return(_fresh);
            _fresh = null;
        }
    }

    // By the number of bytes and not by the positions, which may be those of another read.
    private void Consume(long count)
    {
        while (count > 0)
        {
            BufferSegment head = _head!;
            int here = (int)Math.Min(count, head.Length);
            head.Start += here;
            count -= here;
            if (head.Length == 0)
            {
                _head = head.Successor;
                _tail = _head is null ? null : _tail;
                pool.Return(head);
            }
        }
    }
}

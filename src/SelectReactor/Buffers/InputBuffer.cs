using System.IO.Pipelines;

namespace SelectReactor.Buffers;

/// <summary>
/// Received bytes behind the contract of <see cref="PipeReader"/>, for one thread. A segment returns to the pool when
/// its last byte is consumed, and the queue when it is empty, so an idle connection holds neither.
/// </summary>
internal sealed partial class InputBuffer(BufferPool pool, IBufferOwner owner) : PipeReader, IByteSource
{
    private InputQueue? _queue;
    private ReceiveSize _receiveSize = new();
    private PendingOperation<ReadResult>? _pending;
    private ReaderState _reader;
    private SourceState _source;
    private bool _discarding;
    private bool _cancelNext;

    private enum ReaderState : byte
    {
        Idle,

        /// <summary>The reader has a cancelled result: it may advance, or read again.</summary>
        HasCancelledResult,

        /// <summary>The reader has a result and must advance before it reads again.</summary>
        HasResult,

        /// <summary>The reader wants no more.</summary>
        Completed,
    }

    private enum SourceState : byte
    {
        Open,

        /// <summary>The peer has ended its stream: reads say <c>IsCompleted</c>.</summary>
        Ended,

        /// <summary>The connection was cut or closed by this side: reads throw.</summary>
        Failed,
    }

    /// <summary>Bytes that the reader has not consumed.</summary>
    public long Unconsumed => _queue?.Length ?? 0;

    /// <summary>Bytes that the reader has not looked at.</summary>
    public long Unexamined { get; private set; }

    /// <summary>Bytes consumed since the beginning.</summary>
    public long TotalConsumed { get; private set; }

    /// <summary>Whether the reader waits in <see cref="ReadAsync"/>, or has yet to take the result of that
    /// wait.</summary>
    public bool IsReadPending => _pending is { IsPending: true };

    /// <summary>Whether the reader has a result that it has not advanced yet.</summary>
    public bool IsReading => _reader is ReaderState.HasResult or ReaderState.HasCancelledResult;

    /// <summary>Whether nothing is left to consume, and no reader holds a result, waits for one or has
    /// completed.</summary>
    public bool IsIdle => Unconsumed == 0 && _reader == ReaderState.Idle && !IsReadPending;

    bool IByteSource.IsShown => IsReading;

    bool IByteSource.IsForMany => false;

    /// <summary>Whether the peer has ended its stream and reads still say so, not that the connection is closed. Any
    /// thread once the connection is closed.</summary>
    public bool IsAtEnd => _source == SourceState.Ended;

    private bool CanRead =>
        Unexamined > 0 || _source != SourceState.Open || _cancelNext || _reader == ReaderState.Completed;

    /// <summary>Memory to receive into. <see cref="Commit"/> must follow at once.</summary>
    public Span<byte> Reserve() => (_queue ??= pool.RentInputQueue(this)).Reserve(_receiveSize.Bytes);

    /// <summary>Adds the first <paramref name="count"/> bytes of the reserved memory; zero is allowed.</summary>
    public void Commit(int count)
    {
        _receiveSize.Adapt(count, _queue!.Reserved);
        int kept = _discarding ? 0 : count;
        _queue.Commit(kept);
        ReturnIfEmpty();
        Unexamined += kept;
        _idleReads = 0;
    }

    public override bool TryRead(out ReadResult result)
    {
        VerifyCanRead();
        if (!CanRead)
        {
            result = default;
            return false;
        }

        result = TakeResult();
        return true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        VerifyCanRead();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        if (_source == SourceState.Failed)
        {
            return ValueTask.FromException<ReadResult>(owner.CreateReadError());
        }

        if (CanRead)
        {
            return new ValueTask<ReadResult>(TakeResult());
        }

        _pending ??= new PendingOperation<ReadResult>(owner, TakeResult);
        return _pending.Wait(cancellationToken);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        owner.VerifyAccess();
        if (_reader is ReaderState.Idle or ReaderState.Completed)
        {
            throw new InvalidOperationException(
                "There is no read to complete: call TryRead or ReadAsync before AdvanceTo.");
        }

        if (Unconsumed == 0)
        {
            _reader = ReaderState.Idle;
            return;
        }

        long taken = _queue!.OffsetOf(consumed);
        long seen = _queue.OffsetOf(examined);
        VerifyAdvance(taken, seen);

        // Unexamined may grow: the reader may have looked further ahead in an earlier read.
        _reader = ReaderState.Idle;
        long unexamined = Unconsumed - seen;
        _idleReads = taken > 0 || unexamined < Unexamined ? 0 : _idleReads;
        Unexamined = unexamined;
        TotalConsumed += taken;
        if (_discarding)
        {
            Release();
        }
        else
        {
            _queue.Consume(taken);
            ReturnIfEmpty();
        }

        owner.InputAdvanced(taken);
    }

    public override void CancelPendingRead()
    {
        owner.VerifyAccess();
        _cancelNext = true;
        _pending?.IgnoreToken();
        CompletePendingReadLater();
    }

    public override void Complete(Exception? exception = null)
    {
        owner.VerifyAccess();
        if (_reader != ReaderState.Completed)
        {
            _reader = ReaderState.Completed;
            Discard();
            CompletePendingReadLater();
            owner.InputCompleted(exception);
        }
    }

    /// <summary>Lets a waiting read go on, if there is something for it. Only for the loop, since the reader's code
    /// may run inside this call.</summary>
    /// <returns>Whether somebody waited: the bytes are for that read then.</returns>
    public bool CompletePendingRead()
    {
        if (!IsReadPending)
        {
            return false;
        }

        if (CanRead)
        {
            _pending!.Complete();
        }

        return true;
    }

    /// <summary>No more bytes will come: after the rest, reads say <c>IsCompleted</c>.</summary>
    public void End()
    {
        if (_source == SourceState.Open)
        {
            _source = SourceState.Ended;
            CompletePendingReadLater();
        }
    }

    /// <summary>The connection was cut or closed by this side: the rest is dropped and reads throw.</summary>
    public void Fail()
    {
        _source = SourceState.Failed;
        Discard();
        CompletePendingReadLater();
    }

    /// <summary>For a reader whose reads may bring nothing any number of times: it is not taken for one that goes on
    /// for ever.</summary>
    public void ForgetIdleReads() => _idleReads = 0;

    /// <summary>Takes all bytes for examined, on behalf of a reader that was shown them and wants more.</summary>
    public void ExamineRest() => Unexamined = 0;

    /// <summary>Gives the memory back. Segments that a reader still looks at are left to the collector.</summary>
    public void Release()
    {
        _discarding = true;
        _queue?.Release(areShared: IsReading);
        ReturnIfEmpty();
        Unexamined = 0;
    }

    /// <summary>Drops the rest and all that is still to come.</summary>
    private void Discard()
    {
        _discarding = true;
        if (_reader is ReaderState.Idle or ReaderState.Completed)
        {
            Release();
        }
    }

    private void ReturnIfEmpty()
    {
        if (_queue is { IsEmpty: true } queue)
        {
            _queue = null;
            pool.Return(queue);
        }
    }

    private ReadResult TakeResult()
    {
        if (_source == SourceState.Failed)
        {
            throw owner.CreateReadError();
        }

        VerifyNotCompleted();
        bool cancelled = _cancelNext;
        if (!cancelled)
        {
            RefuseEndlessReading();
        }

        _reader = cancelled ? ReaderState.HasCancelledResult : ReaderState.HasResult;
        _cancelNext = false;
        return new ReadResult(_queue?.Bytes ?? default, cancelled, isCompleted: _source == SourceState.Ended);
    }

    // Not inside the call that caused it: the reader's code would run in the middle of its caller's.
    private void CompletePendingReadLater()
    {
        if (IsReadPending)
        {
            owner.InputResultReady();
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Buffers;

/// <content>The reader's side.</content>
internal sealed partial class InputBuffer
{
    public override bool TryRead(out ReadResult result)
    {
        VerifyCanRead();
        if (!HasResult)
        {
            result = default;
            return false;
        }

        result = TakeResult();
        return true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        try
        {
            if (TryRead(out ReadResult result))
            {
                return new ValueTask<ReadResult>(result);
            }
        }
        catch (Exception exception) when (exception == _error)
        {
            return ValueTask.FromException<ReadResult>(exception);
        }

        _pending ??= new PendingOperation<ReadResult>(owner, TakeResult);
        return _pending.Wait(cancellationToken);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        owner.VerifyAccess();
        if (_reading == ReadState.None)
        {
            throw new InvalidOperationException("There is no read to complete: call TryRead or ReadAsync before AdvanceTo.");
        }

        if (_head is null)
        {
            _reading = ReadState.None;
            return;
        }

        // A position of an empty result, such as one that was cancelled before there was data, stands for the beginning.
        var consumedSegment = (BufferSegment?)consumed.GetObject() ?? _head;
        int consumedIndex = consumed.GetObject() is null ? _head.Start : consumed.GetInteger();
        long begin = _head.RunningIndex + _head.Start;
        long taken = consumedSegment.RunningIndex + consumedIndex - begin;
        long seen = examined.GetObject() is BufferSegment segment
            ? segment.RunningIndex + examined.GetInteger() - begin
            : 0;
        VerifyAdvance(taken, seen);

        // More than before when the reader looked further ahead in an earlier read, which is its right.
        _reading = ReadState.None;
        Unexamined = Unconsumed - seen;
        Unconsumed -= taken;
        TotalConsumed += taken;
        if (_discarding)
        {
            Release();
        }
        else
        {
            Consume(taken);
        }

        owner.InputAdvanced();
    }

    public override void CancelPendingRead()
    {
        owner.VerifyAccess();
        _cancelNext = true;
        CompletePendingReadLater();
    }

    public override void Complete(Exception? exception = null)
    {
        owner.VerifyAccess();
        if (!_completed)
        {
            _completed = true;
            _reading = ReadState.None;
            Discard();
            owner.InputCompleted(exception);
        }
    }

    private ReadResult TakeResult()
    {
        if (_error is not null)
        {
            throw _error;
        }

        bool cancelled = _cancelNext;
        _reading = cancelled ? ReadState.Cancelled : ReadState.Active;
        _cancelNext = false;
        ReadOnlySequence<byte> bytes = _head is null
            ? default
            : new ReadOnlySequence<byte>(_head, _head.Start, _tail!, _tail!.End);
        return new ReadResult(bytes, cancelled, _ended);
    }

    private void VerifyCanRead()
    {
        owner.VerifyAccess();
        if (_completed)
        {
            throw new InvalidOperationException("Reading is not allowed after the reader was completed.");
        }

        if (_reading == ReadState.Active || IsReadPending)
        {
            throw new InvalidOperationException(
                "Reading is already in progress: call AdvanceTo after each read, and await one ReadAsync before the next.");
        }
    }

    private void VerifyAdvance(long taken, long seen)
    {
        if (taken < 0 || seen > Unconsumed)
        {
            throw new InvalidOperationException("The position given to AdvanceTo is not in the bytes that were read.");
        }

        if (seen < taken)
        {
            throw new InvalidOperationException("The examined position must not be before the consumed one.");
        }
    }
}

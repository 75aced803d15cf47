namespace SelectReactor.Buffers;

/// <content>What a reader must not do.</content>
internal sealed partial class InputBuffer
{
    /// <summary>So many reads in one tick that bring nothing new mean that the reader would go on for ever.</summary>
    private const int MaxIdleReads = 100;

    private int _idleReads;
    private long _tickOfReads;

    // A loop that forgets IsCompleted, or the examined position, never waits again: it would stop the whole reactor.
    private void RefuseEndlessReading()
    {
        if (_tickOfReads != owner.Tick)
        {
            _tickOfReads = owner.Tick;
            _idleReads = 0;
        }

        if (++_idleReads > MaxIdleReads)
        {
            throw new InvalidOperationException(
                $"{MaxIdleReads} reads in a row brought nothing new: stop reading when ReadResult.IsCompleted is "
                    + $"true, and "
                + "tell AdvanceTo the examined position, not only the consumed one.");
        }
    }

    private void VerifyCanRead()
    {
        owner.VerifyAccess();
        VerifyNotCompleted();
        if (_reader == ReaderState.HasResult || IsReadPending)
        {
            throw new InvalidOperationException(
                "Reading is already in progress: call AdvanceTo after each read, and await one ReadAsync before "
                    + "the next.");
        }
    }

    private void VerifyNotCompleted()
    {
        if (_reader == ReaderState.Completed)
        {
            throw new InvalidOperationException("Reading is not allowed after the reader was completed.");
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

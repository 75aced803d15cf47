using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>The water marks of our output, and how flushes wait where it differs on purpose from a
/// <see cref="Pipe"/>.</summary>
public sealed class OutputBufferFlushTests : OutputBufferFixture
{
    [Test]
    public void IsAboveMark_FromTheHighMarkDownToTheLowOne()
    {
        Buffer.TryAppend(new byte[High - 1]);
        Assert.That(Buffer.IsAboveMark, Is.False);
        Buffer.TryAppend([1]);
        Assert.That(Buffer.IsAboveMark, Is.True);

        Send(High - Low - 1);
        Assert.That((TimesTold, Buffer.IsAboveMark), Is.EqualTo((0, true)));
        Send(1);
        Assert.That((TimesTold, Buffer.IsAboveMark), Is.EqualTo((1, false)));
        SendAll();
        Assert.That(TimesTold, Is.EqualTo(1), "once");
    }

    [Test]
    public void BytesLeave_UnlikeAPipe_WithoutAFlush()
    {
        Buffer.Write((ReadOnlySpan<byte>)[1, 2, 3]);
        SendAll();

        Assert.That(Sink.Sent, Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(Buffer.UnflushedBytes, Is.EqualTo(3));
        Assert.That(Buffer.FlushAsync().AsTask().IsCompleted);
        Assert.That(Buffer.UnflushedBytes, Is.Zero);
    }

    [Test]
    public void AFlush_UnlikeAPipe_EndsAtTheLowMarkAndInALaterPhase()
    {
        Buffer.TryAppend(new byte[High]);
        Task<FlushResult> flush = Buffer.FlushAsync().AsTask();
        Send(High - Low);
        Assert.That(flush.IsCompleted, Is.False);

        Owner.RunDeferred();

        Assert.That(flush.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void AFlushWhoseQueueIsFullAgain_GoesOnWaiting()
    {
        Buffer.TryAppend(new byte[High]);
        Task<FlushResult> flush = Buffer.FlushAsync().AsTask();
        Send(High);
        Buffer.TryAppend(new byte[High]);
        Owner.RunDeferred();
        Assert.That(flush.IsCompleted, Is.False);

        Send(High);
        Owner.RunDeferred();

        Assert.That(flush.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void AWriteBesideAnAwaitedFlush_FailsAndQueuesNothing([Values(1, 2 * High)] int size)
    {
        UseLimits(High, Low, max: 2 * High);
        Buffer.TryAppend(new byte[High]);
        Task<FlushResult> flush = Buffer.FlushAsync().AsTask();
        Assert.That(async () => await Buffer.WriteAsync(new byte[size]), Throws.InvalidOperationException);
        Assert.That((Buffer.Queued, flush.IsCompleted), Is.EqualTo((High, false)));

        Send(High);
        Owner.RunDeferred();

        Assert.That(flush.IsCompletedSuccessfully, Is.True);
        Assert.That(Buffer.WriteAsync(new byte[1]).AsTask().IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void ATokenCancelledAfterCancelPendingFlush_LeavesNothingForTheNextFlush()
    {
        using var source = new CancellationTokenSource();
        Buffer.TryAppend(new byte[High]);
        Task<FlushResult> first = Buffer.FlushAsync(source.Token).AsTask();
        Buffer.CancelPendingFlush();
        source.Cancel();
        Owner.RunDeferred();
        Task<FlushResult> second = Buffer.FlushAsync().AsTask();

        Assert.That(first.Result.IsCanceled, Is.True);
        Assert.That(second.IsCompleted, Is.False);
        Send(High);
        Owner.RunDeferred();
        Assert.That(second.Result.IsCanceled, Is.False);
    }

    [Test]
    public void AFlushWhoseWaiterHasNotGoneOn_IsNotDisturbedByAnother()
    {
        var context = new QueueContext();
        Buffer.TryAppend(new byte[High]);
        Task<FlushResult> first = context.Run(async () => await Buffer.FlushAsync());
        Send(High);
        Owner.RunDeferred();
        Buffer.TryAppend(new byte[High]);

        Assert.That(async () => await Buffer.FlushAsync(), Throws.InvalidOperationException);
        context.RunAll();
        Assert.That(first.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void ASecondFlushAwaitedAtOnce_FailsByItself()
    {
        Buffer.TryAppend(new byte[High]);
        Task<FlushResult> first = Buffer.FlushAsync().AsTask();

        Assert.That(async () => await Buffer.FlushAsync(), Throws.InvalidOperationException);

        Assert.That(first.IsCompleted, Is.False);
        Send(High);
        Owner.RunDeferred();
        Assert.That(first.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public async Task AFlushThatNobodyAwaited_GivesWayToTheNext()
    {
        Buffer.TryAppend(new byte[High]);
        ValueTask<FlushResult> dropped = Buffer.FlushAsync();
        Task<FlushResult> flush = Buffer.FlushAsync().AsTask();

        Assert.That(async () => await dropped, Throws.InvalidOperationException);
        Assert.That(flush.IsCompleted, Is.False);
        Send(High);
        Owner.RunDeferred();
        Assert.That((await flush).IsCompleted, Is.False);
    }

    [Test]
    public void ARefusedWrite_IsToldOfItsRoom_AlsoBelowTheMark()
    {
        UseLimits(high: 1000, low: 0, max: 1000);
        Assert.That(Buffer.TryAppend(new byte[900]));
        Assert.That(Buffer.TryAppend(new byte[200]), Is.False);
        Send(99);
        Assert.That(TimesTold, Is.Zero);
        Send(1);

        Assert.That(TimesTold, Is.EqualTo(1));
        Assert.That(Buffer.TryAppend(new byte[200]));
    }

    [Test]
    public void AWriteThatNeverFits_IsToldOfTheEmptyQueue()
    {
        UseLimits(high: 1000, low: 0, max: 1000);
        Buffer.TryAppend(new byte[10]);
        Assert.That(Buffer.TryAppend(new byte[5000]), Is.False);
        SendAll();

        Assert.That(TimesTold, Is.EqualTo(1));
    }

    [Test]
    public void AMarkAboveTheLimit_IsTheLimit()
    {
        UseLimits(high: 64 * 1024, low: 32 * 1024, max: 1000);
        Buffer.TryAppend(new byte[1000]);

        Task<FlushResult> flush = Buffer.FlushAsync().AsTask();
        Assert.That(flush.IsCompleted, Is.False);
        SendAll();
        Owner.RunDeferred();
        Assert.That(flush.IsCompletedSuccessfully);
    }

    [Test]
    public void AFlushThatWaits_IsCompletedByTheClose_ThoughTheQueueIsStillSent()
    {
        Buffer.TryAppend(new byte[High]);
        Task<FlushResult> flush = Buffer.FlushAsync().AsTask();
        Buffer.DiscardWrites();
        Owner.RunDeferred();

        Assert.That(flush.Result.IsCompleted);
        Assert.That(Buffer.Queued, Is.EqualTo(High));
    }

    [Test]
    public void AWriterThatAsksForMuchAndUsesLittle_IsHeldBackByTheMemory([Values(100_000, 256 * 1024)] int hint)
    {
        int writes = 0;
        while (Buffer.FlushAsync().AsTask().IsCompleted && writes < 1000)
        {
            Buffer.GetMemory(hint);
            Buffer.Advance(100);
            writes++;
        }

        Assert.That(writes, Is.LessThan(1000));
        Assert.That(Pool.Outstanding, Is.LessThan(10), "segments");
        SendAll();
        Owner.RunDeferred();
        Assert.That(Buffer.IsAboveMark, Is.False);
    }

    [Test]
    public void FlushesThatIgnoreTheEnd_GiveTheLoopItsTurnNowAndThen()
    {
        Buffer.DiscardWrites();
        int waits = 0;
        for (int i = 0; i < 1000; i++)
        {
            Task<FlushResult> flush = Buffer.FlushAsync().AsTask();
            if (!flush.IsCompleted)
            {
                waits++;
                Owner.RunDeferred();
            }

            Assert.That(flush.Result.IsCompleted);
        }

        Assert.That(waits, Is.InRange(1, 100));
    }
}

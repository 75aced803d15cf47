using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>How our reads wait where it differs on purpose from a <see cref="Pipe"/>: nothing happens inside the
/// call.</summary>
public sealed class InputBufferWaitTests : InputBufferFixture
{
    [Test]
    public void CancelPendingRead_UnlikeAPipe_EndsTheWaitInALaterPhase()
    {
        Task<ReadResult> read = Buffer.ReadAsync().AsTask();

        Buffer.CancelPendingRead();

        Assert.That(read.IsCompleted, Is.False);
        Owner.RunDeferred();
        Assert.That(read.Result.IsCanceled, Is.True);
    }

    [Test]
    public void End_UnlikeAPipe_EndsTheWaitInALaterPhase()
    {
        Task<ReadResult> read = Buffer.ReadAsync().AsTask();

        Buffer.End();

        Assert.That(read.IsCompleted, Is.False);
        Owner.RunDeferred();
        Assert.That(read.Result.IsCompleted, Is.True);
    }

    [Test]
    public void ReadingWhileAReadWaits_UnlikeAPipe_Throws()
    {
        Task<ReadResult> read = Buffer.ReadAsync().AsTask();
        Assert.Multiple(() =>
        {
            Assert.That(() => Buffer.TryRead(out _), Throws.InvalidOperationException);
            Assert.That(() => Buffer.ReadAsync().AsTask(), Throws.InvalidOperationException);
            Assert.That(read.IsCompleted, Is.False);
        });
    }

    [Test]
    public void AReadWhoseWaiterHasNotGoneOn_IsStillPending()
    {
        // A context of the user's own: its continuation is posted there.
        var context = new QueueContext();
        Task<ReadResult> read = context.Run(async () => await Buffer.ReadAsync());
        Receive(new byte[1]);
        Assert.That(Buffer.CompletePendingRead(), Is.True);
        Receive(new byte[2]);

        Assert.Multiple(() =>
        {
            Assert.That(Buffer.IsReadPending, Is.True);
            Assert.That(() => Buffer.TryRead(out _), Throws.InvalidOperationException);
            Assert.That(Buffer.CompletePendingRead(), Is.True, "its turn, and not OnReadable's");
        });

        context.RunAll();
        Assert.That(read.Result.Buffer.Length, Is.EqualTo(3));
        Assert.That(Buffer.IsReadPending, Is.False);
    }

    [Test]
    public void CompletePendingRead_WithNobodyWaiting_IsFalse()
    {
        Receive(new byte[1]);

        Assert.That(Buffer.CompletePendingRead(), Is.False);
    }

    [Test]
    public void CompletePendingRead_WithNothingToRead_GoesOnWaiting()
    {
        Task<ReadResult> read = Buffer.ReadAsync().AsTask();

        Assert.That(Buffer.CompletePendingRead(), Is.True);

        Assert.That(read.IsCompleted, Is.False);
    }

    [Test]
    public async Task AReadThatIsAwaitedAgain_Throws()
    {
        ValueTask<ReadResult> read = Buffer.ReadAsync();
        Receive(new byte[1]);
        Buffer.CompletePendingRead();
        await read;

        Assert.That(async () => await read, Throws.InvalidOperationException);
        Assert.That(Buffer.Unconsumed, Is.EqualTo(1));
    }

    [Test]
    public void ATokenCancelledOnAnotherThread_EndsTheWaitOnTheReactors()
    {
        using var source = new CancellationTokenSource();
        int thread = 0;
        Task read = Observe();
        var other = new Thread(source.Cancel);
        other.Start();
        other.Join();
        Assert.That(read.IsCompleted, Is.False);

        Owner.RunDeferred();

        Assert.That(read.IsCanceled, Is.True);
        Assert.That(thread, Is.EqualTo(Environment.CurrentManagedThreadId));

        async Task Observe()
        {
            try
            {
                await Buffer.ReadAsync(source.Token).ConfigureAwait(false);
            }
            finally
            {
                thread = Environment.CurrentManagedThreadId;
            }
        }
    }

    [Test]
    public void ACancellationThatComesLate_LeavesTheNextWaitAlone()
    {
        using var source = new CancellationTokenSource();
        Task<ReadResult> first = Buffer.ReadAsync(source.Token).AsTask();
        source.Cancel();
        Receive(new byte[1]);
        Buffer.CompletePendingRead();
        Buffer.AdvanceTo(first.Result.Buffer.End);
        using var other = new CancellationTokenSource();
        Task<ReadResult> second = Buffer.ReadAsync(other.Token).AsTask();

        Owner.RunDeferred();

        Assert.That(second.IsCompleted, Is.False);
        Receive(new byte[1]);
        Buffer.CompletePendingRead();
        Assert.That(second.Result.Buffer.Length, Is.EqualTo(1));
    }

    [Test]
    public void ATokenCancelledAfterCancelPendingRead_LeavesNothingForTheNextRead()
    {
        using var source = new CancellationTokenSource();
        Task<ReadResult> first = Buffer.ReadAsync(source.Token).AsTask();
        Buffer.CancelPendingRead();
        source.Cancel();
        Owner.RunDeferred();
        Task<ReadResult> second = Buffer.ReadAsync().AsTask();

        Assert.That(first.Result.IsCanceled, Is.True);
        Assert.That(second.IsCompleted, Is.False);
        Receive(new byte[1]);
        Buffer.CompletePendingRead();
        Assert.That(second.Result.IsCanceled, Is.False);
    }

    [Test]
    public void AWaitThatIsOver_LeavesNothingAtItsToken()
    {
        using var source = new CancellationTokenSource();
        Task<ReadResult> read = Buffer.ReadAsync(source.Token).AsTask();
        Receive(new byte[1]);
        Buffer.CompletePendingRead();
        Assert.That(read.Result.Buffer.Length, Is.EqualTo(1));

        source.Cancel();

        Assert.That(Owner.HasDeferred, Is.False);
    }

    [Test]
    public void ReadingAgainInsideTheContinuation_Waits()
    {
        int reads = 0;
        Task loop = ReadForEver();
        for (int i = 1; i <= 100; i++)
        {
            Receive(new byte[1]);
            Buffer.CompletePendingRead();
            Assert.That(reads, Is.EqualTo(i));
        }

        Buffer.End();
        Owner.RunDeferred();
        Assert.That(loop.IsCompletedSuccessfully, Is.True);

        async Task ReadForEver()
        {
            while (true)
            {
                ReadResult result = await Buffer.ReadAsync().ConfigureAwait(false);
                if (result.IsCompleted)
                {
                    return;
                }

                reads++;
                Buffer.AdvanceTo(result.Buffer.End);
            }
        }
    }
}

/// <summary>A context that keeps what is posted to it, as a reactor's mailbox does.</summary>
internal sealed class QueueContext : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = new();

    public override void Post(SendOrPostCallback d, object? state) => _posted.Enqueue((d, state));

    public T Run<T>(Func<T> function)
    {
        SynchronizationContext? outer = Current;
        SetSynchronizationContext(this);
        try
        {
            return function();
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    public void RunAll() => Run(() =>
    {
        while (_posted.TryDequeue(out (SendOrPostCallback Callback, object? State) next))
        {
            next.Callback(next.State);
        }

        return true;
    });
}

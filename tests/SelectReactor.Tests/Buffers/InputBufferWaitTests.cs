using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>How our reads wait where it differs on purpose from a <see cref="Pipe"/>: nothing happens inside the call.</summary>
public sealed class InputBufferWaitTests
{
    private readonly BufferOwner _owner = new();
    private InputBuffer _buffer = null!;

    [SetUp]
    public void Create() => _buffer = new InputBuffer(new BufferPool(), _owner);

    [Test]
    public void CancelPendingRead_UnlikeAPipe_EndsTheWaitInALaterPhase()
    {
        Task<ReadResult> read = _buffer.ReadAsync().AsTask();

        _buffer.CancelPendingRead();

        Assert.That(read.IsCompleted, Is.False);
        _owner.RunDeferred();
        Assert.That(read.Result.IsCanceled, Is.True);
    }

    [Test]
    public void End_UnlikeAPipe_EndsTheWaitInALaterPhase()
    {
        Task<ReadResult> read = _buffer.ReadAsync().AsTask();

        _buffer.End();

        Assert.That(read.IsCompleted, Is.False);
        _owner.RunDeferred();
        Assert.That(read.Result.IsCompleted, Is.True);
    }

    [Test]
    public void ReadingWhileAReadWaits_UnlikeAPipe_Throws()
    {
        Task<ReadResult> read = _buffer.ReadAsync().AsTask();
        Assert.Multiple(() =>
        {
            Assert.That(() => _buffer.TryRead(out _), Throws.InvalidOperationException);
            Assert.That(() => _buffer.ReadAsync().AsTask(), Throws.InvalidOperationException);
            Assert.That(read.IsCompleted, Is.False);
        });
    }

    [Test]
    public void AReadWhoseWaiterHasNotGoneOn_IsStillPending()
    {
        var context = new QueueContext();
        Task<ReadResult> read = context.Run(async () => await _buffer.ReadAsync());
        Receive(1);
        Assert.That(_buffer.CompletePendingRead(), Is.True);
        Receive(2);

        Assert.Multiple(() =>
        {
            Assert.That(_buffer.IsReadPending, Is.True);
            Assert.That(() => _buffer.TryRead(out _), Throws.InvalidOperationException);
            Assert.That(_buffer.CompletePendingRead(), Is.True, "its turn, and not OnReadable's");
        });

        context.RunAll();
        Assert.That(read.Result.Buffer.Length, Is.EqualTo(3));
        Assert.That(_buffer.IsReadPending, Is.False);
    }

    [Test]
    public void CompletePendingRead_WithNobodyWaiting_IsFalse()
    {
        Receive(1);

        Assert.That(_buffer.CompletePendingRead(), Is.False);
    }

    [Test]
    public void CompletePendingRead_WithNothingToRead_GoesOnWaiting()
    {
        Task<ReadResult> read = _buffer.ReadAsync().AsTask();

        Assert.That(_buffer.CompletePendingRead(), Is.True);

        Assert.That(read.IsCompleted, Is.False);
    }

    [Test]
    public async Task AReadThatIsAwaitedAgain_Throws()
    {
        ValueTask<ReadResult> read = _buffer.ReadAsync();
        Receive(1);
        _buffer.CompletePendingRead();
        await read;

        Assert.That(async () => await read, Throws.InvalidOperationException);
        Assert.That(_buffer.Unconsumed, Is.EqualTo(1));
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

        _owner.RunDeferred();

        Assert.That(read.IsCanceled, Is.True);
        Assert.That(thread, Is.EqualTo(Environment.CurrentManagedThreadId));

        async Task Observe()
        {
            try
            {
                await _buffer.ReadAsync(source.Token).ConfigureAwait(false);
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
        Task<ReadResult> first = _buffer.ReadAsync(source.Token).AsTask();
        source.Cancel();
        Receive(1);
        _buffer.CompletePendingRead();
        _buffer.AdvanceTo(first.Result.Buffer.End);
        using var other = new CancellationTokenSource();
        Task<ReadResult> second = _buffer.ReadAsync(other.Token).AsTask();

        _owner.RunDeferred();

        Assert.That(second.IsCompleted, Is.False);
        Receive(1);
        _buffer.CompletePendingRead();
        Assert.That(second.Result.Buffer.Length, Is.EqualTo(1));
    }

    [Test]
    public void AWaitThatIsOver_LeavesNothingAtItsToken()
    {
        using var source = new CancellationTokenSource();
        Task<ReadResult> read = _buffer.ReadAsync(source.Token).AsTask();
        Receive(1);
        _buffer.CompletePendingRead();
        Assert.That(read.Result.Buffer.Length, Is.EqualTo(1));

        source.Cancel();

        Assert.That(_owner.HasDeferred, Is.False);
    }

    [Test]
    public void ReadingAgainInsideTheContinuation_Waits()
    {
        int reads = 0;
        Task loop = ReadForEver();
        for (int i = 1; i <= 100; i++)
        {
            Receive(1);
            _buffer.CompletePendingRead();
            Assert.That(reads, Is.EqualTo(i));
        }

        _buffer.End();
        _owner.RunDeferred();
        Assert.That(loop.IsCompletedSuccessfully, Is.True);

        async Task ReadForEver()
        {
            while (true)
            {
                ReadResult result = await _buffer.ReadAsync().ConfigureAwait(false);
                if (result.IsCompleted)
                {
                    return;
                }

                reads++;
                _buffer.AdvanceTo(result.Buffer.End);
            }
        }
    }

    private void Receive(int count)
    {
        _buffer.Reserve();
        _buffer.Commit(count);
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

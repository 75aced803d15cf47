using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>The water marks of our output, and how flushes wait where it differs on purpose from a <see cref="Pipe"/>.</summary>
public sealed class OutputBufferFlushTests
{
    private const int High = 64 * 1024;
    private const int Low = 32 * 1024;
    private readonly List<ArraySegment<byte>> _gather = [];
    private BufferPool _pool = null!;
    private BufferOwner _owner = null!;
    private SinkHandle _sink = null!;
    private OutputBuffer _buffer = null!;

    [SetUp]
    public void Create()
    {
        _pool = new BufferPool();
        _owner = new BufferOwner();
        _sink = new SinkHandle();
        _buffer = new OutputBuffer(_pool, _owner, High, Low);
    }

    [TearDown]
    public void NothingIsOutstanding()
    {
        _buffer.Discard();
        _sink.Dispose();
        Assert.That(_pool.Outstanding, Is.Zero);
    }

    [Test]
    public void IsAboveMark_FromTheHighMarkDownToTheLowOne()
    {
        _buffer.Append(new byte[High - 1]);
        Assert.That(_buffer.IsAboveMark, Is.False);
        _buffer.Append([1]);
        Assert.That(_buffer.IsAboveMark, Is.True);

        Send(High - Low - 1);
        Assert.That(_buffer.FallBelowMark(), Is.False);
        Assert.That(_buffer.IsAboveMark, Is.True);
        Send(1);
        Assert.That(_buffer.FallBelowMark(), Is.True);
        Assert.That(_buffer.FallBelowMark(), Is.False, "once");
        Assert.That(_buffer.IsAboveMark, Is.False);
    }

    [Test]
    public void BytesLeave_UnlikeAPipe_WithoutAFlush()
    {
        _buffer.Write((ReadOnlySpan<byte>)[1, 2, 3]);
        SendAll();

        Assert.That(_sink.Sent, Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(_buffer.UnflushedBytes, Is.Zero);
    }

    [Test]
    public void AFlush_UnlikeAPipe_EndsAtTheLowMarkAndInALaterPhase()
    {
        _buffer.Append(new byte[High]);
        Task<FlushResult> flush = _buffer.FlushAsync().AsTask();
        Send(High - Low);
        _buffer.FallBelowMark();
        Assert.That(flush.IsCompleted, Is.False);

        _owner.RunDeferred();

        Assert.That(flush.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void AFlushWhoseQueueIsFullAgain_GoesOnWaiting()
    {
        _buffer.Append(new byte[High]);
        Task<FlushResult> flush = _buffer.FlushAsync().AsTask();
        Send(High);
        _buffer.FallBelowMark();
        _buffer.Append(new byte[High]);
        _owner.RunDeferred();
        Assert.That(flush.IsCompleted, Is.False);

        Send(High);
        _buffer.FallBelowMark();
        _owner.RunDeferred();

        Assert.That(flush.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void AFlushWhoseWaiterHasNotGoneOn_IsNotDisturbedByAnother()
    {
        var context = new QueueContext();
        _buffer.Append(new byte[High]);
        Task<FlushResult> first = context.Run(async () => await _buffer.FlushAsync());
        Send(High);
        _buffer.FallBelowMark();
        _owner.RunDeferred();
        _buffer.Append(new byte[High]);

        Assert.That(async () => await _buffer.FlushAsync(), Throws.InvalidOperationException);
        context.RunAll();
        Assert.That(first.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void ASecondFlushAwaitedAtOnce_FailsByItself()
    {
        _buffer.Append(new byte[High]);
        Task<FlushResult> first = _buffer.FlushAsync().AsTask();

        Assert.That(async () => await _buffer.FlushAsync(), Throws.InvalidOperationException);

        Assert.That(first.IsCompleted, Is.False);
        Send(High);
        _buffer.FallBelowMark();
        _owner.RunDeferred();
        Assert.That(first.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public async Task AFlushThatNobodyAwaited_GivesWayToTheNext()
    {
        _buffer.Append(new byte[High]);
        ValueTask<FlushResult> dropped = _buffer.FlushAsync();
        Task<FlushResult> flush = _buffer.FlushAsync().AsTask();

        Assert.That(async () => await dropped, Throws.InvalidOperationException);
        Assert.That(flush.IsCompleted, Is.False);
        Send(High);
        _buffer.FallBelowMark();
        _owner.RunDeferred();
        Assert.That((await flush).IsCompleted, Is.False);
    }

    private void Send(int count)
    {
        for (long end = _buffer.Queued - count; _buffer.Queued > end;)
        {
            _sink.Appetite = (int)(_buffer.Queued - end);
            _buffer.Send(_sink, _gather, out _);
        }
    }

    private void SendAll() => Send((int)_buffer.Queued);
}

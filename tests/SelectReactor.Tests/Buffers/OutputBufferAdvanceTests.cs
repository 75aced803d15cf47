using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>What our output refuses, what it tells its owner, and how much it gives to one send.</summary>
public sealed class OutputBufferAdvanceTests
{
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
        _buffer = new OutputBuffer(_pool, _owner, 64 * 1024, 32 * 1024);
    }

    [TearDown]
    public void NothingIsOutstanding()
    {
        _buffer.Discard();
        _sink.Dispose();
        Assert.That(_pool.Outstanding, Is.Zero);
    }

    [Test]
    public void AfterComplete_BytesAreRefused_AlsoInMemoryLentBefore()
    {
        _buffer.Append([1, 2]);
        _buffer.GetMemory(10);
        _buffer.Complete();

        Assert.That(() => _buffer.Advance(1), Throws.InvalidOperationException);
        Assert.That(() => _buffer.Append([3]), Throws.InvalidOperationException);

        Assert.That((_buffer.Queued, _owner.OutputAdvances), Is.EqualTo((2, 1)));
    }

    [Test]
    public void AfterEnd_BytesAreRefused_AndNobodyIsTold()
    {
        _buffer.GetMemory(10);
        _buffer.End();

        Assert.That(() => _buffer.Advance(1), Throws.InvalidOperationException);
        Assert.That(() => _buffer.Append([3]), Throws.InvalidOperationException);

        Assert.That((_buffer.Queued, _owner.OutputAdvances, _owner.OutputCompletions.Count), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    public void EachAdvance_IsTold()
    {
        _buffer.GetMemory();
        _buffer.Advance(1);
        _buffer.Advance(2);

        Assert.That((_buffer.Queued, _owner.OutputAdvances), Is.EqualTo((3, 2)));
    }

    [Test]
    public void ASend_IsGivenSixteenSegmentsAtMost([Values(16, 17, 40)] int segments)
    {
        for (int i = 0; i < segments; i++)
        {
            _buffer.GetMemory(BufferPool.LargeSize);
            _buffer.Advance(BufferPool.LargeSize);
        }

        _buffer.Send(_sink, _gather, out int sent);

        Assert.That((_sink.LargestGather, sent), Is.EqualTo((16, 16 * BufferPool.LargeSize)));
        Assert.That(_pool.Outstanding, Is.EqualTo(segments - 16));
    }
}

using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>An output buffer for each test, and a handle that takes its bytes; afterwards all memory must be
/// back.</summary>
public abstract class OutputBufferFixture
{
    protected const int High = 64 * 1024;
    protected const int Low = 32 * 1024;
    private readonly List<ArraySegment<byte>> _gather = [];

    private protected BufferPool Pool { get; private set; } = null!;

    private protected BufferOwner Owner { get; private set; } = null!;

    private protected SinkHandle Sink { get; private set; } = null!;

    private protected OutputBuffer Buffer { get; private set; } = null!;

    /// <summary>How often the writer had to be told that it may go on.</summary>
    protected int TimesTold { get; private set; }

    [SetUp]
    public void Create()
    {
        Pool = new BufferPool();
        Owner = new BufferOwner();
        Sink = new SinkHandle();
        Buffer = Owner.CreateOutput(Pool, High, Low);
        TimesTold = 0;
    }

    [TearDown]
    public void NothingIsOutstanding()
    {
        Buffer.Discard();
        Sink.Dispose();
        Assert.That(Pool.Outstanding, Is.Zero);
        Assert.That(_gather, Is.Empty);
    }

    /// <summary>Takes a buffer with other limits from here on.</summary>
    protected void UseLimits(int high, int low, int max) => Buffer = Owner.CreateOutput(Pool, high, low, max);

    /// <summary>One send, as the connection does it.</summary>
    protected int SendOnce()
    {
        Buffer.Send(Sink, _gather, out int sent, out _);
        TimesTold += Buffer.Consume(sent) ? 1 : 0;
        return sent;
    }

    /// <summary>Sends exactly so many bytes.</summary>
    protected void Send(int count)
    {
        for (long end = Buffer.Queued - count; Buffer.Queued > end;)
        {
            Sink.Appetite = (int)(Buffer.Queued - end);
            SendOnce();
        }
    }

    protected void SendAll() => Send((int)Buffer.Queued);

    /// <summary>The holder of the memory may still write to it: nobody else may be given it.</summary>
    protected void AssertNotReused(Memory<byte> stale)
    {
        BufferSegment[] others = [.. Enumerable.Range(0, 4).SelectMany(_ => new[] { Pool.Rent(1), Pool.Rent(5000) })];
        stale.Span.Fill(9);
        foreach (BufferSegment other in others)
        {
            Assert.That(other.FreeSpan.Overlaps(stale.Span), Is.False);
            Pool.Return(other);
        }
    }
}

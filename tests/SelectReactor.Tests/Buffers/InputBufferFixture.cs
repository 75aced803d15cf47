using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>An input buffer for each test, filled as the loop does it; afterwards all memory must be back.</summary>
public abstract class InputBufferFixture
{
    private protected BufferPool Pool { get; private set; } = null!;

    private protected BufferOwner Owner { get; private set; } = null!;

    private protected InputBuffer Buffer { get; private set; } = null!;

    [SetUp]
    public void Create()
    {
        Pool = new BufferPool();
        Owner = new BufferOwner();
        Buffer = Owner.CreateInput(Pool);
    }

    [TearDown]
    public void NothingIsOutstanding()
    {
        Buffer.Release();
        Assert.That(Pool.Outstanding, Is.Zero);
    }

    /// <summary>Receives in pieces as large as the memory, or as <paramref name="random"/> cuts them.</summary>
    protected void Receive(ReadOnlySpan<byte> bytes, Random? random = null)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> room = Buffer.Reserve();
            int count = Math.Min(room.Length, bytes.Length);
            count = random is null ? count : random.Next(count + 1);
            bytes[..count].CopyTo(room);
            Buffer.Commit(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Reads what must be there, without advancing.</summary>
    protected ReadOnlySequence<byte> Read()
    {
        Assert.That(Buffer.TryRead(out ReadResult result), Is.True);
        return result.Buffer;
    }
}

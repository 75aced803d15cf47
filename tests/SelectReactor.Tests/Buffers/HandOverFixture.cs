using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>A pool, two inputs and two outputs that share it; afterwards all memory must be back.</summary>
public abstract class HandOverFixture
{
    protected const int High = 64 * 1024;
    private readonly List<ArraySegment<byte>> _gather = [];

    private protected BufferPool Pool { get; private set; } = null!;

    private protected InputBuffer[] Inputs { get; private set; } = [];

    private protected OutputBuffer[] Outputs { get; private set; } = [];

    private protected SinkHandle[] Sinks { get; private set; } = [];

    private protected InputBuffer Input => Inputs[0];

    private protected OutputBuffer Output => Outputs[0];

    [SetUp]
    public void Create()
    {
        Pool = new BufferPool();
        Inputs = [new BufferOwner().CreateInput(Pool), new BufferOwner().CreateInput(Pool)];
        Outputs = [NewOutput(int.MaxValue), NewOutput(int.MaxValue)];
        Sinks = [new SinkHandle(), new SinkHandle()];
    }

    [TearDown]
    public void NothingIsOutstanding()
    {
        Array.ForEach(Inputs, static input => input.Release());
        Array.ForEach(Outputs, static output => output.Discard());
        Array.ForEach(Sinks, static sink => sink.Dispose());
        Assert.That(Pool.Outstanding, Is.Zero);
        Assert.That(_gather, Is.Empty);
    }

    private protected OutputBuffer NewOutput(int max) => new BufferOwner().CreateOutput(Pool, High, High / 2, max);

    /// <summary>Receives in pieces as large as the memory, or as <paramref name="random"/> cuts them.</summary>
    private protected static void Receive(InputBuffer input, ReadOnlySpan<byte> bytes, Random? random = null)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> room = input.Reserve();
            int count = Math.Min(room.Length, bytes.Length);
            count = random is null ? count : random.Next(count + 1);
            bytes[..count].CopyTo(room);
            input.Commit(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Reads what must be there, without advancing.</summary>
    private protected static ReadOnlySequence<byte> Read(InputBuffer input)
    {
        Assert.That(input.TryRead(out ReadResult result), Is.True);
        return result.Buffer;
    }

    /// <summary>One send of an output to its sink.</summary>
    protected int SendOnce(int output)
    {
        int sent = SendTo(Outputs[output], Sinks[output]);
        Outputs[output].Consume(sent);
        return sent;
    }

    /// <summary>Offers the bytes of an output, and leaves them in its queue.</summary>
    private protected int SendTo(OutputBuffer output, Handle handle)
    {
        output.Send(handle, _gather, out int sent, out _);
        return sent;
    }

    protected void SendAll(int output)
    {
        Sinks[output].Appetite = int.MaxValue;
        while (Outputs[output].Queued > 0)
        {
            SendOnce(output);
        }
    }

    /// <summary>So many bytes that differ from place to place.</summary>
    protected static byte[] Bytes(int count, int seed = 0)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}

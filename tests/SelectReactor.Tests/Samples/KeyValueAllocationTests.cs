using System.Buffers;
using System.Text;
using KeyValueServer;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

public sealed class KeyValueAllocationTests
{
    private readonly RespParser _parser = new(new InlineSplitter());
    private readonly Commands _commands = new(new KeyValueStore(TimeProvider.System), () => 1);
    private readonly FixedWriter _output = new();

    [TestCase("*1\r\n$4\r\nPING\r\n", "+PONG\r\n")]
    [TestCase("PING\r\n", "+PONG\r\n")]
    [TestCase("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "$5\r\nvalue\r\n")]
    [TestCase("*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n", "$-1\r\n")]
    [TestCase("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n", "+OK\r\n")]
    [TestCase("*3\r\n$4\r\nMGET\r\n$1\r\nk\r\n$1\r\nk\r\n", "*2\r\n$5\r\nvalue\r\n$5\r\nvalue\r\n")]
    public void Command_InASteadyPipeline_AllocatesNothing(string command, string reply)
    {
        Execute("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n"u8);
        byte[] bytes = Encoding.ASCII.GetBytes(command);
        Execute(bytes);
        Assert.That(_output.Text, Is.EqualTo(reply));

        Repeat(bytes, 100);

        Assert.That(Allocations.Least(() => Repeat(bytes, 10_000)), Is.Zero);
    }

    [Test]
    public void Increment_OfANumberThatKeepsItsLength_AllocatesNothing()
    {
        Execute("*3\r\n$3\r\nSET\r\n$1\r\nn\r\n$6\r\n100000\r\n"u8);
        byte[] bytes = "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"u8.ToArray();
        Repeat(bytes, 100);

        Assert.That(Allocations.Least(() => Repeat(bytes, 10_000)), Is.Zero);
    }

    private void Repeat(byte[] bytes, int times)
    {
        for (int i = 0; i < times; i++)
        {
            Execute(bytes);
        }
    }

    private void Execute(ReadOnlySpan<byte> bytes)
    {
        if (_parser.Parse(bytes) != ParseStatus.Complete)
        {
            throw new InvalidOperationException("The command is not whole.");
        }

        _output.Clear();
        var reply = new RespWriter(_output);
        _commands.Execute(_parser.Request(bytes), ref reply);
        reply.Flush();
    }

    private sealed class FixedWriter : IBufferWriter<byte>
    {
        private readonly byte[] _bytes = new byte[4096];
        private int _written;

        public string Text => Encoding.ASCII.GetString(_bytes, 0, _written);

        public void Clear() => _written = 0;

        public void Advance(int count) => _written += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => _bytes.AsMemory(_written);

        public Span<byte> GetSpan(int sizeHint = 0) => _bytes.AsSpan(_written);
    }
}

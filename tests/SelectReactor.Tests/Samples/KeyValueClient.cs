using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using KeyValueServer;

namespace SelectReactor.Tests.Samples;

/// <summary>A session of the key-value server without a network: bytes in, bytes out, on one mocked
/// connection.</summary>
internal sealed class KeyValueClient
{
    private readonly Mock<Connection> _connection = new();
    private readonly Session _session;
    private readonly Pipe _input = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly ArrayBufferWriter<byte> _output = new();

    public KeyValueClient()
        : this(new Commands(new KeyValueStore(TimeProvider.System), () => 1))
    {
    }

    public KeyValueClient(Commands commands)
    {
        _session = new Session(commands, new InlineSplitter());
        _connection.Setup(c => c.IsWritable).Returns(true);
        _connection.Setup(c => c.Output).Returns(new PlainWriter(_output));
        _connection.Setup(c => c.Close()).Callback(() => IsClosed = true);
        Read(_input.Reader);
    }

    public bool IsClosed { get; private set; }

    public string Replies => Encoding.Latin1.GetString(_output.WrittenSpan);

    /// <summary>Lets the session read once what the reader has.</summary>
    public void Offer(PipeReader reader)
    {
        Read(reader);
        _session.OnReadable(_connection.Object);
        Read(_input.Reader);
    }

    public void Receive(ReadOnlySpan<byte> bytes)
    {
        _input.Writer.Write(bytes);
        _input.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
        _session.OnReadable(_connection.Object);
    }

    private void Read(PipeReader reader) => _connection.Setup(c => c.Input).Returns(reader);

    /// <summary>What a session uses of a <see cref="PipeWriter"/>.</summary>
    private sealed class PlainWriter(ArrayBufferWriter<byte> output) : PipeWriter
    {
        public override void Advance(int bytes) => output.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);

        public override void CancelPendingFlush() => throw new NotSupportedException();

        public override void Complete(Exception? exception = null) => throw new NotSupportedException();

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();
    }
}

using System.Buffers;
using System.IO.Pipelines;
using KeyValueServer;
using Microsoft.Extensions.Time.Testing;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>
/// Sessions of the key-value server on one mocked connection, which holds back output as a real one does: above its
/// mark it is not writable, and once all was sent it says so.
/// </summary>
internal sealed class SessionRun
{
    private readonly Mock<Connection> _connection = new();
    private readonly ArrayBufferWriter<byte> _output = new();
    private ArrivingReader _input = null!;
    private int _sent;

    public SessionRun()
    {
        _connection.Setup(c => c.IsWritable).Returns(() => !IsClosed && Queued < Session.Options.OutputHighWaterMark);
        _connection.Setup(c => c.Input).Returns(() => _input);
        _connection.Setup(c => c.Output).Returns(new OutputTo(_output));
        _connection.Setup(c => c.Close()).Callback(() => IsClosed = true);
    }

    public bool IsClosed { get; private set; }

    public int Consumed => _input.Consumed;

    public ReadOnlySpan<byte> Replies => _output.WrittenSpan;

    private int Queued => _output.WrittenCount - _sent;

    public static Commands FrozenCommands() => new(new KeyValueStore(new FakeTimeProvider()), static () => 1);

    /// <summary>A new session is given the input in pieces of these sizes, until it closes or has read all.</summary>
    public void Feed(byte[] input, int[] sizes, int[] segmentLengths)
    {
        IsClosed = false;
        _sent = 0;
        _output.ResetWrittenCount();
        _connection.Invocations.Clear();
        _input = new ArrivingReader(input, segmentLengths);
        var session = new Session(FrozenCommands(), new InlineSplitter());
        for (int turn = 0; _input.Arrived < input.Length && !IsClosed; turn++)
        {
            _input.Arrive(sizes[turn % sizes.Length]);
            session.OnReadable(_connection.Object);
            while (!IsClosed && _input.HasUnexamined)
            {
                bool isFull = Queued >= Session.Options.OutputHighWaterMark;
                Fuzz.Require(isFull, "left input behind without filling the output");
                _sent = _output.WrittenCount;
                session.OnWritable(_connection.Object);
            }
        }
    }

    /// <summary>What a session uses of a <see cref="PipeWriter"/>.</summary>
    private sealed class OutputTo(ArrayBufferWriter<byte> output) : PipeWriter
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

using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>A reader with the means to feed it, so that one set of cases runs over the stock pipe and over
/// ours.</summary>
public abstract class ReaderSubject
{
    public static IEnumerable<TestFixtureData> All { get; } =
    [
        new TestFixtureData((Func<ReaderSubject>)(static () => new StockReader())).SetArgDisplayNames("Pipe"),
        new TestFixtureData((Func<ReaderSubject>)(static () => new OurReader())).SetArgDisplayNames("InputBuffer"),
    ];

    public abstract PipeReader Reader { get; }

    /// <summary>Brings bytes, and lets a waiting read go on.</summary>
    public abstract void Produce(ReadOnlySpan<byte> bytes);

    public abstract void End(Exception? error = null);

    /// <summary>Lets happen what was put off.</summary>
    public abstract void Settle();

    private sealed class StockReader : ReaderSubject
    {
        private readonly Pipe _pipe = new(new PipeOptions(
            readerScheduler: PipeScheduler.Inline,
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 0,
            useSynchronizationContext: false));

        public override PipeReader Reader => _pipe.Reader;

        public override void Produce(ReadOnlySpan<byte> bytes) =>
            _pipe.Writer.WriteAsync(bytes.ToArray()).AsTask().Wait();

        public override void End(Exception? error = null) => _pipe.Writer.Complete(error);

        public override void Settle()
        {
        }
    }

    private sealed class OurReader : ReaderSubject
    {
        private readonly BufferOwner _owner = new();
        private readonly InputBuffer _buffer;

        public OurReader() => _buffer = _owner.CreateInput(new BufferPool());

        public override PipeReader Reader => _buffer;

        public override void Produce(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                Span<byte> room = _buffer.Reserve();
                int count = Math.Min(room.Length, bytes.Length);
                bytes[..count].CopyTo(room);
                _buffer.Commit(count);
                bytes = bytes[count..];
            }

            _buffer.CompletePendingRead();
        }

        public override void End(Exception? error = null)
        {
            if (error is null)
            {
                _buffer.End();
            }
            else
            {
                _owner.ReadError = (IOException)error;
                _buffer.Fail();
            }

            Settle();
        }

        public override void Settle() => _owner.RunDeferred();
    }
}

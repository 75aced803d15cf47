using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>A writer with the means to take its bytes, so that one set of cases runs over the stock pipe and over
/// ours.</summary>
public abstract class WriterSubject
{
    public const int High = 1000;
    public const int Low = 500;

    public static IEnumerable<TestFixtureData> All { get; } =
    [
        new TestFixtureData((Func<WriterSubject>)(static () => new StockWriter())).SetArgDisplayNames("Pipe"),
        new TestFixtureData((Func<WriterSubject>)(static () => new OurWriter())).SetArgDisplayNames("OutputBuffer"),
    ];

    public abstract PipeWriter Writer { get; }

    /// <summary>Takes bytes that were flushed, as far as there are some, and lets a waiting flush go on.</summary>
    public abstract byte[] Take(int count);

    /// <summary>Nobody takes any more.</summary>
    public abstract void EndReader();

    /// <summary>Lets happen what was put off.</summary>
    public abstract void Settle();

    private sealed class StockWriter : WriterSubject
    {
        private readonly Pipe _pipe = new(new PipeOptions(
            readerScheduler: PipeScheduler.Inline,
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: High,
            resumeWriterThreshold: Low,
            useSynchronizationContext: false));

        public override PipeWriter Writer => _pipe.Writer;

        public override byte[] Take(int count)
        {
            if (!_pipe.Reader.TryRead(out ReadResult result))
            {
                return [];
            }

            ReadOnlySequence<byte> taken = result.Buffer.Slice(0, Math.Min(count, result.Buffer.Length));
            byte[] bytes = taken.ToArray();
            _pipe.Reader.AdvanceTo(taken.End);
            return bytes;
        }

        public override void EndReader() => _pipe.Reader.Complete();

        public override void Settle()
        {
        }
    }

    private sealed class OurWriter : WriterSubject
    {
        private readonly BufferOwner _owner = new();
        private readonly SinkHandle _sink = new();
        private readonly List<ArraySegment<byte>> _gather = [];
        private readonly OutputBuffer _buffer;

        public OurWriter() => _buffer = _owner.CreateOutput(new BufferPool(), High, Low);

        public override PipeWriter Writer => _buffer;

        public override byte[] Take(int count)
        {
            _sink.Sent.Clear();
            while (_sink.Sent.Count < count && _buffer.Queued > 0)
            {
                _sink.Appetite = count - _sink.Sent.Count;
                _buffer.Send(_sink, _gather, out int sent, out _);
                _buffer.Consume(sent);
            }

            Settle();
            return [.. _sink.Sent];
        }

        public override void EndReader()
        {
            _buffer.Discard();
            Settle();
        }

        public override void Settle() => _owner.RunDeferred();
    }
}

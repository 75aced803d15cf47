using System.Buffers;
using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using SelectReactor.Buffers;

namespace SelectReactor.Benchmarks;

/// <summary>
/// The buffers' share of one echoed message, without any socket: bytes come into the input, are copied to the output,
/// and go out. Two stock pipes, as a connection would need, against the library's own pair, and against that pair when
/// the output takes the input's memory over.
/// </summary>
[MemoryDiagnoser]
public class BufferBenchmark
{
    private readonly Pipe _stockInput = new(Options());
    private readonly Pipe _stockOutput = new(Options());
    private readonly SilentOwner _owner = new();
    private readonly List<ArraySegment<byte>> _gather = [];
    private readonly SinkHandle _sink = new();
    private InputBuffer _input = null!;
    private OutputBuffer _output = null!;
    private byte[] _message = [];

    [Params(32, 1024, 4096, 16384, 65536)]
    public int MessageBytes { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        var pool = new BufferPool();
        _input = new InputBuffer(pool, _owner);
        _output = new OutputBuffer(pool, _owner, new OutputLimits(1024 * 1024, 1024 * 1024, int.MaxValue));
        _message = new byte[MessageBytes];
    }

    [Benchmark(Baseline = true)]
    public long StockPipes()
    {
        for (int left = MessageBytes; left > 0;)
        {
            Span<byte> room = _stockInput.Writer.GetSpan();
            int count = Math.Min(left, room.Length);
            _message.AsSpan(0, count).CopyTo(room);
            _stockInput.Writer.Advance(count);
            left -= count;
        }

        Flush(_stockInput);
        Copy(_stockInput.Reader, _stockOutput.Writer);
        Flush(_stockOutput);
        _stockOutput.Reader.TryRead(out ReadResult result);
        long sent = result.Buffer.Length;
        _stockOutput.Reader.AdvanceTo(result.Buffer.End);
        return sent;
    }

    [Benchmark]
    public long OwnBuffers()
    {
        Receive();
        Copy(_input, _output);
        return Send();
    }

    [Benchmark]
    public long OwnBuffersByReference()
    {
        Receive();
        _input.TryRead(out ReadResult result);
        _output.Append(result.Buffer);
        _input.AdvanceTo(result.Buffer.End);
        return Send();
    }

    private void Receive()
    {
        for (int left = MessageBytes; left > 0;)
        {
            Span<byte> room = _input.Reserve();
            int count = Math.Min(left, room.Length);
            _message.AsSpan(0, count).CopyTo(room);
            _input.Commit(count);
            left -= count;
        }
    }

    private long Send()
    {
        long sent = 0;
        while (_output.Queued > 0)
        {
            _output.Send(_sink, _gather, out int now, out _);
            _output.Consume(now);
            sent += now;
        }

        return sent;
    }

    private static void Flush(Pipe pipe)
    {
        ValueTask<FlushResult> flush = pipe.Writer.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException("Without a threshold a flush completes at once.");
        }
    }

    private static void Copy(PipeReader from, PipeWriter to)
    {
        from.TryRead(out ReadResult result);
        foreach (ReadOnlyMemory<byte> segment in result.Buffer)
        {
            to.Write(segment.Span);
        }

        from.AdvanceTo(result.Buffer.End);
    }

    private static PipeOptions Options() => new(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 0,
        useSynchronizationContext: false);
}

using System.Buffers;
using BenchmarkDotNet.Attributes;
using SelectReactor.Buffers;

namespace SelectReactor.Benchmarks;

/// <summary>One message to the outputs of a thousand connections, without any socket: a copy for each against one
/// payload that all share. The message is in all queues
/// before any is sent, as in one tick of the loop.</summary>
[MemoryDiagnoser]
public class BroadcastBenchmark
{
    private const int Connections = 1000;
    private readonly BufferPool _pool = new();
    private readonly List<ArraySegment<byte>> _gather = [];
    private readonly SinkHandle _sink = new();
    private OutputBuffer[] _outputs = [];
    private byte[] _message = [];

    [Params(100, 1024, 16384)]
    public int MessageBytes { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        var owner = new SilentOwner();
        var limits = new OutputLimits(1024 * 1024, 1024 * 1024, int.MaxValue);
        _outputs = [.. Enumerable.Range(0, Connections).Select(_ => new OutputBuffer(_pool, owner, limits))];
        _message = new byte[MessageBytes];
    }

    [Benchmark(Baseline = true)]
    public long Copied()
    {
        foreach (OutputBuffer output in _outputs)
        {
            output.TryAppend(_message);
        }

        return SendAll();
    }

    [Benchmark]
    public long Shared()
    {
        using (var payload = new SharedPayload(_pool))
        {
            payload.Write(_message);
            foreach (OutputBuffer output in _outputs)
            {
                output.Append(payload.Bytes);
            }
        }

        return SendAll();
    }

    private long SendAll()
    {
        long sent = 0;
        foreach (OutputBuffer output in _outputs)
        {
            while (output.Queued > 0)
            {
                output.Send(_sink, _gather, out int now, out _);
                output.Consume(now);
                sent += now;
            }
        }

        return sent;
    }
}

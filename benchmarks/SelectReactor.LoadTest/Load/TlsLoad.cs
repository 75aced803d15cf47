using System.Diagnostics;

namespace SelectReactor.LoadTest.Load;

/// <summary>
/// Messages, connections or bulk over TLS. The clients are tasks on the thread pool and cost more than the server:
/// compare the server's processor time.
/// </summary>
internal sealed class TlsLoad
{
    private const int ChunkBytes = 256 * 1024;
    private readonly LoadOptions _options;
    private readonly Meter _meter;
    private readonly Lock _counting = new();
    private readonly byte[] _batch;
    private long _batches;
    private long _allocated;

    private TlsLoad(LoadOptions options)
    {
        _options = options;
        _meter = new Meter(options);
        _batch = ClientSocket.CreatePattern(options.Depth * options.Size);
    }

    public static LoadResult Run(LoadOptions options)
    {
        try
        {
            return new TlsLoad(options).RunAsync().GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is IOException or System.Security.Authentication.AuthenticationException)
        {
            throw new LoadTestException($"TLS: {error.Message}");
        }
    }

    private async Task<LoadResult> RunAsync()
    {
        await TlsClient.CheckResumptionAsync(_options);
        switch (_options.Mode)
        {
            case LoadMode.Echo:
                TlsClient[] clients = await TlsClient.OpenManyAsync(_options, _options.Connections);
                return await MeasureAsync([.. clients.Select(EchoAsync)]);
            case LoadMode.Accept:
                return await MeasureAsync([.. Enumerable.Range(0, _options.Connections).Select(_ => LiveAsync())]);
            case LoadMode.Bulk:
                return await TransferAsync();
            default:
                throw new LoadTestException($"there is no TLS in {_options.Mode} mode");
        }
    }

    // The tasks never end, unless one fails.
    private async Task<LoadResult> MeasureAsync(Task[] clients)
    {
        await RunForAsync(_options.Warmup, clients);
        lock (_counting)
        {
            _batches = 0;
            Start();
        }

        await RunForAsync(_options.Seconds, clients);
        lock (_counting)
        {
            return Stop(_batches * _options.Depth, _batches * _batch.Length);
        }
    }

    private static async Task RunForAsync(double seconds, Task[] clients) =>
        await await Task.WhenAny([.. clients, Task.Delay(TimeSpan.FromSeconds(seconds))]);

    private async Task EchoAsync(TlsClient client)
    {
        byte[] reply = new byte[_batch.Length];
        while (true)
        {
            long started = Stopwatch.GetTimestamp();
            await client.EchoAsync(_batch, reply);
            Count(started);
        }
    }

    private async Task LiveAsync()
    {
        byte[] reply = new byte[_batch.Length];
        while (true)
        {
            long started = Stopwatch.GetTimestamp();
            using TlsClient client = await TlsClient.OpenAsync(_options);
            await client.EchoAsync(_batch, reply);
            await client.EndAsync(reply);
            Count(started);
        }
    }

    private void Count(long started)
    {
        lock (_counting)
        {
            _meter.Record(Stopwatch.GetTimestamp() - started);
            _batches++;
        }
    }

    private async Task<LoadResult> TransferAsync()
    {
        using TlsClient client = (await TlsClient.OpenManyAsync(_options, 1))[0];
        byte[] chunk = ClientSocket.CreatePattern(ChunkBytes);
        byte[] received = new byte[ChunkBytes];
        long warm = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(warm).TotalSeconds < _options.Warmup)
        {
            await TransferAsync(client, chunk, received, 64);
        }

        Start();
        await TransferAsync(client, chunk, received, _options.Bytes / ChunkBytes);
        return Stop(1, _options.Bytes / ChunkBytes * ChunkBytes);
    }

    // Every byte is compared: that costs little beside decrypting it.
    private static async Task TransferAsync(TlsClient client, byte[] chunk, byte[] received, long chunks)
    {
        Task sending = SendAsync();
        for (long i = 0; i < chunks; i++)
        {
            await client.ReceiveAsync(received);
            if (!received.AsSpan().SequenceEqual(chunk))
            {
                throw new LoadTestException("other bytes came back than were sent");
            }
        }

        await sending;

        async Task SendAsync()
        {
            for (long i = 0; i < chunks; i++)
            {
                await client.SendAsync(chunk);
            }
        }
    }

    private void Start()
    {
        _allocated = GC.GetTotalAllocatedBytes();
        _meter.Start();
    }

    private LoadResult Stop(long messages, long bytes) => _meter.Stop(messages, bytes) with
    {
        LoadAllocatedBytes = GC.GetTotalAllocatedBytes() - _allocated,
    };
}

using System.Diagnostics;

namespace SelectReactor.LoadTest.Load;

/// <summary>
/// Keeps a batch of messages in flight on each active connection: sends it whole, and sends the next one when the last
/// byte of it came back. The idle connections lie between the active ones, as in a real server. Flooding ones do the
/// same with batches of a megabyte, and are not measured.
/// </summary>
internal sealed class EchoLoad
{
    private const int FloodBytes = 1024 * 1024;
    private readonly LoadOptions _options;
    private readonly Poller _poller = new();
    private readonly Meter _meter;
    private readonly byte[] _batch;
    private readonly byte[] _flood;
    private readonly byte[] _received = new byte[256 * 1024];
    private readonly Client[] _clients;
    private long _batches;

    private EchoLoad(LoadOptions options)
    {
        _options = options;
        _meter = new Meter(options);
        _batch = ClientSocket.CreatePattern(options.Depth * options.Size);
        _flood = ClientSocket.CreatePattern(options.Flooding > 0 ? FloodBytes : 0);
        int[] descriptors = ClientSocket.OpenChecked(
            options.Port, options.Connections + options.Flooding + options.Idle);
        _clients = new Client[options.Connections + options.Flooding];
        for (int i = 0; i < _clients.Length; i++)
        {
            _clients[i].Descriptor = descriptors[(int)((long)i * descriptors.Length / _clients.Length)];
            _poller.Add(_clients[i].Descriptor, i, Libc.EpollIn);
        }
    }

    /// <summary>The results of each interval.</summary>
    public static LoadResult[] Run(LoadOptions options) => [.. new EchoLoad(options).Run()];

    private IEnumerable<LoadResult> Run()
    {
        for (int i = 0; i < _clients.Length; i++)
        {
            StartBatch(i, Stopwatch.GetTimestamp());
        }

        RunFor(_options.Warmup);
        for (int i = 0; i < _options.Intervals; i++)
        {
            _batches = 0;
            _meter.Start();
            RunFor(_options.Seconds);
            yield return _meter.Stop(_batches * _options.Depth, _batches * _batch.Length);
        }
    }

    private void RunFor(double seconds)
    {
        long now = Stopwatch.GetTimestamp();
        long end = now + (long)(seconds * Stopwatch.Frequency);
        for (; now < end; now = Stopwatch.GetTimestamp())
        {
            int count = _poller.WaitUntil(end, now);
            for (int i = 0; i < count; i++)
            {
                (int index, uint events) = _poller[i];
                if ((events & Libc.EpollOut) != 0)
                {
                    Send(index);
                }

                if ((events & ~Libc.EpollOut) != 0)
                {
                    Receive(index);
                }
            }
        }
    }

    private byte[] BatchOf(int index) => index < _options.Connections ? _batch : _flood;

    private void StartBatch(int index, long now)
    {
        ref Client client = ref _clients[index];
        client.Started = now;
        client.Unsent = client.Unreceived = BatchOf(index).Length;
        Send(index);
    }

    private void Send(int index)
    {
        ref Client client = ref _clients[index];
        if (client.Unsent > 0)
        {
            nint sent = Libc.Send(client.Descriptor, BatchOf(index).AsSpan(^client.Unsent..));
            if (sent < 0 && Libc.LastError != Libc.Again)
            {
                throw new LoadTestException($"send: {Libc.LastErrorText}");
            }

            client.Unsent -= (int)Math.Max(sent, 0);
        }

        bool waits = client.Unsent > 0;
        if (waits != client.WaitsToSend)
        {
            client.WaitsToSend = waits;
            _poller.Modify(client.Descriptor, index, waits ? Libc.EpollIn | Libc.EpollOut : Libc.EpollIn);
        }
    }

    private void Receive(int index)
    {
        ref Client client = ref _clients[index];
        int received = ClientSocket.Receive(client.Descriptor, _received);
        if (received == 0)
        {
            return;
        }

        client.Unreceived -= received;
        if (client.Unreceived < client.Unsent)
        {
            throw new LoadTestException("more bytes came back than were sent");
        }

        if (client.Unreceived == 0)
        {
            long now = Stopwatch.GetTimestamp();
            if (index < _options.Connections)
            {
                _meter.Record(now - client.Started);
                _batches++;
            }

            StartBatch(index, now);
        }
    }

    private struct Client
    {
        public int Descriptor;
        public int Unsent;
        public int Unreceived;
        public bool WaitsToSend;
        public long Started;
    }
}

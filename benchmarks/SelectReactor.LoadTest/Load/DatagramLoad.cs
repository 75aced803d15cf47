using System.Diagnostics;

namespace SelectReactor.LoadTest.Load;

/// <summary>
/// Keeps a batch of datagrams in flight from each of many sockets, and sends the next one when the last answer has
/// come. Loopback loses a datagram only if a buffer is full, which is an error here: keep few of them in flight.
/// </summary>
internal sealed class DatagramLoad
{
    private static readonly long _patience = 2 * Stopwatch.Frequency;
    private readonly LoadOptions _options;
    private readonly Poller _poller = new();
    private readonly Meter _meter;
    private readonly byte[] _datagram;
    private readonly byte[] _received = new byte[64 * 1024];
    private readonly Client[] _clients;
    private long _batches;

    private DatagramLoad(LoadOptions options)
    {
        _options = options;
        _meter = new Meter(options);
        _datagram = ClientSocket.CreatePattern(options.Size);
        _clients = new Client[options.Connections];
        for (int i = 0; i < _clients.Length; i++)
        {
            _clients[i].Descriptor = ClientSocket.OpenDatagram(options.Port);
            _poller.Add(_clients[i].Descriptor, i, Libc.EpollIn);
        }
    }

    public static LoadResult Run(LoadOptions options) => new DatagramLoad(options).Run();

    private LoadResult Run()
    {
        for (int i = 0; i < _clients.Length; i++)
        {
            StartBatch(i, Stopwatch.GetTimestamp());
        }

        RunFor(_options.Warmup);
        _batches = 0;
        _meter.Start();
        RunFor(_options.Seconds);
        CheckNoneIsLost();
        long datagrams = _batches * _options.Depth;
        return _meter.Stop(datagrams, datagrams * _datagram.Length);
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
                Receive(_poller[i].Index);
            }
        }
    }

    private void StartBatch(int index, long now)
    {
        ref Client client = ref _clients[index];
        client.Started = now;
        client.Unreceived = _options.Depth;
        for (int i = 0; i < _options.Depth; i++)
        {
            if (!ClientSocket.TrySend(client.Descriptor, _datagram))
            {
                throw new LoadTestException("the send buffer is full");
            }
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

        if (!_received.AsSpan(0, received).SequenceEqual(_datagram))
        {
            throw new LoadTestException("the server sends back other bytes than it got");
        }

        if (--client.Unreceived == 0)
        {
            long now = Stopwatch.GetTimestamp();
            _meter.Record(now - client.Started);
            _batches++;
            StartBatch(index, now);
        }
    }

    private void CheckNoneIsLost()
    {
        long now = Stopwatch.GetTimestamp();
        if (_clients.Any(client => now - client.Started > Math.Min(_patience, _options.Seconds * Stopwatch.Frequency)))
        {
            throw new LoadTestException("datagrams were lost: keep fewer in flight");
        }
    }

    private struct Client
    {
        public int Descriptor;
        public int Unreceived;
        public long Started;
    }
}

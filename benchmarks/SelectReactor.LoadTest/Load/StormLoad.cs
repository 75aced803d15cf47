using System.Diagnostics;

namespace SelectReactor.LoadTest.Load;

/// <summary>
/// Clients that come all at once, as after a restart of the server: each begins to connect as soon as the one before
/// has, whatever became of that one, sends a message and stays. It is served when the message has come back: a connect
/// alone succeeds while the client still waits in the queue of the listener. A client whose SYN was dropped because
/// that queue was full tries again after a second; it makes the storm longer and is no failure. Meanwhile other
/// connections talk with one message in flight each.
/// </summary>
internal sealed class StormLoad
{
    // It takes about as long as the talkers' messages of one turn: half of the generator's time makes clients.
    private const int ConnectsInTurn = 32;
    private const int OtherDescriptors = 100;
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);
    private readonly LoadOptions _options;
    private readonly Poller _poller = new();
    private readonly Meter _meter;
    private readonly byte[] _message;
    private readonly byte[] _received = new byte[4096];
    private readonly Client[] _clients;
    private readonly long[] _served;
    private int _opened;
    private int _servedCount;
    private long _messages;

    private StormLoad(LoadOptions options)
    {
        _options = options;
        _meter = new Meter(options);
        _message = ClientSocket.CreatePattern(options.Size);
        _clients = new Client[options.Connections + options.Storm];
        _served = new long[options.Storm];
        _opened = options.Connections;
        Libc.ReserveDescriptors(_clients.Length + OtherDescriptors);
        int[] talkers = ClientSocket.OpenChecked(options.Port, options.Connections);
        for (int i = 0; i < talkers.Length; i++)
        {
            _clients[i].Descriptor = talkers[i];
            _poller.Add(talkers[i], i, Libc.EpollIn);
        }
    }

    private enum Stage
    {
        Talking,
        Connecting,
        Echoing,
        Staying,
    }

    public static LoadResult Run(LoadOptions options) => new StormLoad(options).Run();

    private LoadResult Run()
    {
        for (int i = 0; i < _options.Connections; i++)
        {
            Talk(i, Stopwatch.GetTimestamp());
        }

        Latency? quiet = _options.Fresh ? null : MeasureQuiet();
        (long overflows, long drops) = ListenQueue.Read();
        _meter.Start();
        long start = Stopwatch.GetTimestamp();
        RunStorm(start);
        LoadResult result = _meter.Stop(_options.Storm, _options.Storm * (long)_message.Length);
        (long overflowsAfter, long dropsAfter) = ListenQueue.Read();
        foreach (ref Client client in _clients.AsSpan())
        {
            ClientSocket.Reset([client.Descriptor]);
        }

        Array.Sort(_served);
        return result with
        {
            Storm = new StormResult
            {
                Quiet = quiet,
                MedianClientSeconds = _served[_served.Length / 2] / (double)Stopwatch.Frequency,
                LastClientSeconds = _served[^1] / (double)Stopwatch.Frequency,
                ListenOverflows = overflowsAfter - overflows,
                ListenDrops = dropsAfter - drops,
            },
        };
    }

    private Latency? MeasureQuiet()
    {
        RunFor(_options.Warmup);
        _messages = 0;
        _meter.Start();
        RunFor(_options.Seconds);
        return _meter.Stop(_messages, 0).Latency;
    }

    private void RunFor(double seconds)
    {
        long now = Stopwatch.GetTimestamp();
        long end = now + (long)(seconds * Stopwatch.Frequency);
        for (; now < end; now = Stopwatch.GetTimestamp())
        {
            Serve(_poller.WaitUntil(end, now));
        }
    }

    private void RunStorm(long start)
    {
        long end = start + (long)(_bound.TotalSeconds * Stopwatch.Frequency);
        while (_servedCount < _options.Storm)
        {
            int stop = Math.Min(_opened + ConnectsInTurn, _clients.Length);
            while (_opened < stop)
            {
                Open(_opened++);
            }

            Serve(_opened < _clients.Length ? _poller.Peek() : _poller.WaitUntil(end, Stopwatch.GetTimestamp()));
            if (Stopwatch.GetTimestamp() >= end)
            {
                throw new LoadTestException(
                    $"only {_servedCount} of {_options.Storm} clients were served in {_bound.TotalSeconds} seconds");
            }
        }
    }

    private void Serve(int count)
    {
        for (int i = 0; i < count; i++)
        {
            (int index, _) = _poller[i];
            if (_clients[index].Stage == Stage.Connecting)
            {
                Send(index, interest: Libc.EpollModify);
            }
            else
            {
                Receive(index);
            }
        }
    }

    private void Talk(int index, long now)
    {
        ref Client client = ref _clients[index];
        client.Started = now;
        client.Unreceived = _message.Length;
        if (Libc.Send(client.Descriptor, _message) != _message.Length)
        {
            throw new LoadTestException($"send: {Libc.LastErrorText}");
        }
    }

    private void Open(int index)
    {
        ref Client client = ref _clients[index];
        client.Started = Stopwatch.GetTimestamp();
        client.Stage = Stage.Connecting;
        client.Unreceived = _message.Length;
        client.Descriptor = ClientSocket.BeginConnect(_options.Port);

        // On loopback the handshake is over by now, unless the SYN was dropped; no event is needed to know it.
        Send(index, interest: Libc.EpollAdd);
    }

    private void Send(int index, int interest)
    {
        ref Client client = ref _clients[index];
        if (ClientSocket.TrySend(client.Descriptor, _message))
        {
            client.Stage = Stage.Echoing;
        }

        uint events = client.Stage == Stage.Connecting ? Libc.EpollOut : Libc.EpollIn;
        if (interest == Libc.EpollAdd)
        {
            _poller.Add(client.Descriptor, index, events);
        }
        else if (client.Stage == Stage.Echoing)
        {
            _poller.Modify(client.Descriptor, index, events);
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
        if (client.Unreceived < 0)
        {
            throw new LoadTestException("more bytes came back than were sent");
        }

        if (client.Unreceived > 0)
        {
            return;
        }

        long now = Stopwatch.GetTimestamp();
        if (client.Stage == Stage.Echoing)
        {
            client.Stage = Stage.Staying;
            _served[_servedCount++] = now - client.Started;
        }
        else
        {
            _meter.Record(now - client.Started);
            _messages++;
            Talk(index, now);
        }
    }

    private struct Client
    {
        public int Descriptor;
        public int Unreceived;
        public Stage Stage;
        public long Started;
    }
}

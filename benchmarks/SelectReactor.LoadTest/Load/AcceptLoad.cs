using System.Diagnostics;

namespace SelectReactor.LoadTest.Load;

/// <summary>
/// Lives of a connection, a bounded number at a time: connect, one message there and back, end of stream there and
/// back. It ends as most connections do, with FIN and not with a reset; the ports left in TIME_WAIT are spread over
/// many source addresses.
/// </summary>
internal sealed class AcceptLoad
{
    private readonly LoadOptions _options;
    private readonly Poller _poller = new();
    private readonly Meter _meter;
    private readonly byte[] _message;
    private readonly byte[] _received = new byte[4096];
    private readonly Client[] _clients;
    private int _opened;
    private long _lives;

    private AcceptLoad(LoadOptions options)
    {
        _options = options;
        _meter = new Meter(options);
        _message = ClientSocket.CreatePattern(options.Size);
        _clients = new Client[options.Connections];
        ClientSocket.Reset(ClientSocket.OpenChecked(options.Port, 1));
    }

    private enum Stage
    {
        Connecting,
        Echoing,
        Ending,
    }

    public static LoadResult Run(LoadOptions options) => new AcceptLoad(options).Run();

    private LoadResult Run()
    {
        for (int i = 0; i < _clients.Length; i++)
        {
            Open(i);
        }

        RunFor(_options.Warmup);
        _lives = 0;
        _meter.Start();
        RunFor(_options.Seconds);
        return _meter.Stop(_lives, _lives * _message.Length);
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
    }

    private void Open(int index)
    {
        ref Client client = ref _clients[index];
        client.Started = Stopwatch.GetTimestamp();
        client.Stage = Stage.Connecting;
        client.Unreceived = _message.Length;
        client.Descriptor = ClientSocket.BeginConnectFrom(_opened++, _options.Port);

        // On loopback the handshake is over by now; no event is needed to know it.
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
        nint received = Libc.Receive(client.Descriptor, _received);
        if (received < 0)
        {
            if (Libc.LastError == Libc.Again)
            {
                return;
            }

            throw new LoadTestException($"recv: {Libc.LastErrorText}");
        }

        client.Unreceived -= (int)received;
        if (client.Unreceived < 0 || (received == 0 && client.Stage == Stage.Echoing))
        {
            throw new LoadTestException("the server does not echo before it closes");
        }

        if (received == 0)
        {
            Close(index);
        }
        else if (client.Unreceived == 0)
        {
            client.Stage = Stage.Ending;
            ClientSocket.Check(Libc.Shutdown(client.Descriptor, Libc.ShutdownSend), "shutdown");
        }
    }

    private void Close(int index)
    {
        ref Client client = ref _clients[index];
        ClientSocket.Check(Libc.Close(client.Descriptor), "close");
        _meter.Record(Stopwatch.GetTimestamp() - client.Started);
        _lives++;
        Open(index);
    }

    private struct Client
    {
        public int Descriptor;
        public int Unreceived;
        public Stage Stage;
        public long Started;
    }
}

using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

/// <summary>
/// An error queue that nobody reads (IP_RECVERR, SO_TIMESTAMPING): the system reports an error (POLLERR) for as long
/// as there is something in it, whatever the socket is watched for, and no receive or send takes it away. The tests
/// count how often the loop wakes up, and do not look at the clock.
/// </summary>
[Platform("Linux")]
[TestFixtureSource(typeof(SelectorKind), nameof(SelectorKind.All))]
public sealed class QueuedErrorTests(SelectorKind kind)
{
    /// <summary>64 before the pauses begin, and one each 10 ms.</summary>
    private const int MaxWakeUps = 64 + (2 * TimeMilliseconds / 10);

    private const int TimeMilliseconds = 500;

    private readonly ScriptedHandler _handler = new();
    private ISelector _selector = null!;
    private Reactor _reactor = null!;

    private static IPEndPoint AnyPort => new(IPAddress.Loopback, 0);

    [SetUp]
    public void Open() => _reactor = new Reactor(new ReactorOptions
    {
        SelectorFactory = () => _selector = kind.Create(),
        HandleFactory = kind.Handles,
    });

    [TearDown]
    public void Close()
    {
        _reactor.Dispose();
        _handler.Events.Clear();
        _handler.Connections.Clear();
    }

    [Test]
    public void Handle_OfItsOwn_DoesNotSpin([Values(Interest.None, Interest.Read)] Interest interest)
    {
        using Handle handle = kind.Handles.CreateDatagram(AddressFamily.InterNetwork);
        handle.Connect(PortOfNobody());
        QueueErrors(handle.Socket!);
        handle.Send([1], out _);
        SelectionKey key = _reactor.Register(handle, interest, new Look(() => handle.Receive(new byte[1], out _)));

        AssertQuiet();
        key.Cancel();
    }

    [Test]
    public void Handle_WhoseErrorIsGone_IsWatchedAsBefore()
    {
        using Handle handle = kind.Handles.CreateDatagram(AddressFamily.InterNetwork);
        IPEndPoint address = PortOfNobody();
        handle.Connect(address);
        QueueErrors(handle.Socket!);
        handle.Send([1], out _);
        int received = 0;
        _reactor.Register(handle, Interest.Read, new Look(() =>
            received += handle.Receive(new byte[1], out _) == SocketError.Success ? 1 : 0));
        AssertQuiet();

        // Switched off, the queue is emptied.
        handle.Socket!.SetRawSocketOption(0, 11, [0, 0, 0, 0]);
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        peer.Bind(address);
        for (int i = 1; i <= 3; i++)
        {
            peer.SendTo([1], handle.LocalEndPoint!);
            RunUntil(() => received == i);
        }

        Assert.That(WakeUpsInTheTime(), Is.LessThan(10));
    }

    [Test]
    public void DatagramSocket_DoesNotSpin_AndReceives() => AssertThatADatagramSocketIsQuiet_AndReceives();

    [Test]
    public void Connection_DoesNotSpin_AndGoesOn([Values] bool paused, [Values] bool blocked)
    {
        using Listener listener = _reactor.Listen(AnyPort, _handler);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint);
        RunUntil(() => _handler.IsConnected);
        Connection connection = _handler.Connection;
        QueueTimeStamps(connection.GetFeature<Socket>()!);
        connection.TryWrite([1]);
        RunUntil(() => client.Available == 1);
        if (paused)
        {
            connection.PauseReading();
        }

        while (blocked && connection.IsWritable)
        {
            connection.TryWrite(new byte[16 * 1024]);
            _reactor.RunOnce(TimeSpan.Zero);
        }

        AssertQuiet();
        if (paused)
        {
            connection.ResumeReading();
        }

        client.Send([1, 2, 3]);
        RunUntil(() => connection.Statistics.BytesReceived == 3);
        byte[] bytes = new byte[64 * 1024];
        RunUntil(() =>
        {
            _ = client.Available > 0 ? client.Receive(bytes) : 0;
            return connection.QueuedOutputBytes == 0;
        });
    }

    [Test]
    public void DatagramSocketAmongMany_DoesNotSpin_AndReceives()
    {
        using Listener listener = _reactor.Listen(AnyPort, _handler);
        Socket[] clients = Connect(listener);
        AssertThatADatagramSocketIsQuiet_AndReceives();
        Array.ForEach(clients, static client => client.Dispose());
    }

    [Test]
    public void ConnectionAmongMany_DoesNotSpin()
    {
        using Listener listener = _reactor.Listen(AnyPort, _handler);
        Socket[] clients = Connect(listener);
        QueueTimeStamps(clients, 3);
        AssertQuiet();
        clients[0].Send([1]);
        clients[50].Send([1]);
        RunUntil(() => _handler.Connections.Sum(static connection => connection.Statistics.BytesReceived) == 2);
        Array.ForEach(clients, static client => client.Dispose());
    }

    // Each post ends a wait, so that pauses end at each place of a tick.
    [Test]
    public void ConnectionAmongMany_WhileAnotherThreadPosts_GoesOn()
    {
        const int Posts = 2000;
        using Listener listener = _reactor.Listen(AnyPort, _handler);
        Socket[] clients = Connect(listener);
        QueueTimeStamps(clients, 50);
        int posted = 0, received = 0;
        var poster = Task.Run(() =>
        {
            while (Volatile.Read(ref posted) < Posts)
            {
                int before = Volatile.Read(ref posted);
                _reactor.TryPost(() => Volatile.Write(ref posted, before + 1));
                SpinWait.SpinUntil(() => Volatile.Read(ref posted) > before, TimeSpan.FromSeconds(20));
            }
        });
        while (posted < Posts)
        {
            _reactor.RunOnce(TimeSpan.FromSeconds(1));
            if (posted % 100 == 0)
            {
                clients[posted % clients.Length].Send([1]);
                received++;
            }
        }

        RunUntil(() => _handler.Connections.Sum(static connection => connection.Statistics.BytesReceived) == received);
        RunUntil(() => poster.IsCompleted);
        Array.ForEach(clients, static client => client.Dispose());
    }

    [Test]
    public void PausedListener_WithClientsThatWait_DoesNotSpin()
    {
        using Listener listener = _reactor.Listen(AnyPort, _handler);
        listener.Pause();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint);

        AssertQuiet();
    }

    // IP_RECVERR of ip(7).
    private static void QueueErrors(Socket socket) => socket.SetRawSocketOption(0, 11, [1, 0, 0, 0]);

    // SO_TIMESTAMPING: SOF_TIMESTAMPING_SOFTWARE, SOF_TIMESTAMPING_TX_SOFTWARE and SOF_TIMESTAMPING_TX_ACK.
    private static void QueueTimeStamps(Socket socket) => socket.SetRawSocketOption(1, 37, [0x12, 0x02, 0, 0]);

    private static IPEndPoint PortOfNobody()
    {
        using var gone = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        gone.Bind(AnyPort);
        return (IPEndPoint)gone.LocalEndPoint!;
    }

    private Socket[] Connect(Listener listener)
    {
        Socket[] clients = [.. Enumerable.Range(0, 100).Select(_ =>
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(listener.LocalEndPoint);
            return client;
        })];
        RunUntil(() => _handler.Connections.Count == clients.Length);
        return clients;
    }

    private void QueueTimeStamps(Socket[] clients, int count)
    {
        foreach (Connection connection in _handler.Connections.Take(count))
        {
            QueueTimeStamps(connection.GetFeature<Socket>()!);
            connection.TryWrite([1]);
        }

        RunUntil(() => clients.Sum(static client => client.Available) == count);
    }

    private void AssertThatADatagramSocketIsQuiet_AndReceives()
    {
        var script = new DatagramScript();
        IPEndPoint address = PortOfNobody();
        DatagramSocket socket = _reactor.ConnectDatagram(address, script);
        QueueErrors(socket.GetFeature<Socket>()!);
        socket.TrySend([1]);
        AssertQuiet();

        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        peer.Bind(address);
        peer.SendTo([7], socket.LocalEndPoint!);
        RunUntil(() => script.Datagrams.Count == 1);
    }

    private void AssertQuiet() => Assert.That(WakeUpsInTheTime(), Is.LessThan(MaxWakeUps));

    // SelectSelector may go on with a wait that brought nothing.
    private int WakeUpsInTheTime()
    {
        bool isOver = false;
        int ticks = 0, waits = Waits();
        _reactor.Schedule(TimeSpan.FromMilliseconds(TimeMilliseconds), () => isOver = true);
        for (; !isOver; ticks++)
        {
            _reactor.RunOnce(Timeout.InfiniteTimeSpan);
        }

        return Math.Max(ticks, Waits() - waits);

        int Waits() => _selector is SelectSelector selector ? selector.FullWaits : 0;
    }

    private void RunUntil(Func<bool> condition)
    {
        var bound = TimeSpan.FromSeconds(20);
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.That(TimeProvider.System.GetElapsedTime(start), Is.LessThan(bound));
            _reactor.RunOnce(TimeSpan.FromMilliseconds(10));
        }
    }

    private sealed class Look(Action look) : IEventHandler
    {
        public void OnReady(SelectionKey key) => look();
    }
}

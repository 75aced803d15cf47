using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hostile;

/// <summary>Datagrams on networks that a loopback interface does not show.</summary>
[TestFixture("select", false)]
[TestFixture("select", true)]
[TestFixture("epoll", false)]
[TestFixture("epoll", true)]
public sealed class DatagramNetworkTests(string selector, bool isV6)
{
    private const int Port = 9;

    // A neighbour that is known, and that says nothing.
    private const string Neighbour =
        "ip link add near type veth peer name far; ip link set far up; ip link set near up; "
        + "ip addr add 192.0.2.1/24 dev near; ip -6 addr add 2001:db8::1/64 dev near nodad; "
        + "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev near; "
        + "ip -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev near; ";

    // A router in a namespace of its own, and behind it a network with short packets.
    private const string Router =
        "unshare -n sleep 20 > /dev/null 2>&1 & router=$!; "
        + "while [ \"$(readlink /proc/self/ns/net)\" = \"$(readlink /proc/$router/ns/net)\" ]; do sleep 0.01; done; "
        + "ip link add near type veth peer name far netns $router; ip link set near up; "
        + "ip addr add 192.0.2.1/24 dev near; ip -6 addr add 2001:db8::1/64 dev near nodad; "
        + "nsenter -t $router -n bash -ec '"
        + "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; ip link set far up; "
        + "ip addr add 192.0.2.2/24 dev far; ip -6 addr add 2001:db8::2/64 dev far nodad; "
        + "ip link add behind mtu 1280 type veth peer name beyond; ip link set beyond up; ip link set behind up; "
        + "ip addr add 198.51.100.1/24 dev behind; ip -6 addr add 2001:db8:1::1/64 dev behind nodad'; "
        + "ip route add 198.51.100.0/24 via 192.0.2.2; ip -6 route add 2001:db8:1::/64 via 2001:db8::2; ";

    private readonly int _headers = isV6 ? 48 : 28;

    private static DatagramOptions Whole => new() { DontFragment = true };

    [Test]
    public void DatagramOverTheMtuOfTheInterface_IsTooLong_AndTheSocketGoesOn([Values] bool isConnected) =>
        IsolatedNetwork.Run($"{Neighbour} ip link set near mtu 1300", () =>
        {
            var handler = new Recorder();
            using Reactor reactor = NewReactor();
            IPEndPoint peer = To("192.0.2.2", "2001:db8::2");
            DatagramSocket socket = Open(reactor, peer, handler, Whole, isConnected);
            DatagramSocket splits = Open(reactor, peer, handler, new DatagramOptions(), isConnected);

            Assert.That(Send(socket, peer, 1300 - _headers), Is.EqualTo(DatagramSendResult.Sent));
            Assert.That(Send(socket, peer, 1301 - _headers), Is.EqualTo(DatagramSendResult.TooLong));
            Assert.That(Send(splits, peer, 1301 - _headers), Is.EqualTo(DatagramSendResult.Sent), "in two packets");
            Assert.That(Send(socket, peer, 1300 - _headers), Is.EqualTo(DatagramSendResult.Sent));
            TicksIn(reactor, TimeSpan.FromMilliseconds(50));

            Assert.That(handler.Errors, Is.Empty, "the result has said it");
            Assert.That((socket.Statistics.Sent, socket.Statistics.SendErrors), Is.EqualTo((2L, 1L)));
        });

    [Test]
    public void DatagramTooLongForARouter_IsLost_AndTheNextOneIsTooLong([Values] bool isConnected) =>
        IsolatedNetwork.Run(Router, () =>
        {
            var handler = new Recorder();
            using Reactor reactor = NewReactor();
            IPEndPoint peer = To("198.51.100.2", "2001:db8:1::2");
            DatagramSocket socket = Open(reactor, peer, handler, Whole, isConnected);
            if (isConnected)
            {
                SendUntil(reactor, socket, peer, () => handler.Errors.Count > 0);
                Assert.That(handler.Errors, Is.EqualTo(new[] { SocketError.MessageSize }));
                Assert.That(
                    (socket.Statistics.NetworkErrors, socket.Statistics.DroppedTooLong), Is.EqualTo((1L, 0L)));
            }

            RunUntil(reactor, () => Send(socket, peer, 1281 - _headers) == DatagramSendResult.TooLong);
            Assert.That(Send(socket, peer, 1280 - _headers), Is.EqualTo(DatagramSendResult.Sent));
            Assert.That(handler.Errors, Has.Count.EqualTo(isConnected ? 1 : 0));
            Assert.That(TicksIn(reactor, TimeSpan.FromMilliseconds(100)), Is.LessThan(10));
        });

    [Test]
    public void DatagramTooLongForARouter_IsLost_AndTheNextOneIsSplit([Values] bool isConnected) =>
        IsolatedNetwork.Run(Router, () =>
        {
            var handler = new Recorder();
            using Reactor reactor = NewReactor();
            IPEndPoint peer = To("198.51.100.2", "2001:db8:1::2");
            DatagramSocket splits = Open(reactor, peer, handler, new DatagramOptions(), isConnected);
            DatagramSocket whole = Open(reactor, peer, new Recorder(), Whole, isConnected: false);
            SendUntil(reactor, splits, peer, () => handler.Errors.Count > 0 || !isConnected);
            RunUntil(reactor, () => Send(whole, peer, 1300) == DatagramSendResult.TooLong);
            int errors = handler.Errors.Count;
            for (int i = 0; i < 5; i++)
            {
                Assert.That(Send(splits, peer, 1300), Is.EqualTo(DatagramSendResult.Sent));
                TicksIn(reactor, TimeSpan.FromMilliseconds(10));
            }

            Assert.That(handler.Errors, Has.Count.EqualTo(errors), "what is split is not too long");
            Assert.That(handler.Errors, Is.All.EqualTo(SocketError.MessageSize));
        });

    // The kernel reports the error for as long as it is in the queue, also while the socket waits for room only.
    [Test]
    public void QueuedError_WhileTheSocketAwaitsRoom_DoesNotSpin() =>
        IsolatedNetwork.Run($"{Neighbour} tc qdisc add dev near root tbf rate 8kbit burst 2000 limit 1000000", () =>
        {
            var handler = new Recorder();
            using Reactor reactor = NewReactor();
            IPEndPoint peer = To("192.0.2.2", "2001:db8::2");
            DatagramSocket socket = reactor.ConnectDatagram(
                peer, handler, new DatagramOptions { DontFragment = true, SendBufferBytes = 5000 });
            int level = isV6 ? 41 : 0, receiveErrors = isV6 ? 25 : 11;
            socket.GetFeature<Socket>()!.SetRawSocketOption(level, receiveErrors, [1, 0, 0, 0]);
            Assert.That(Send(socket, peer, 3000), Is.EqualTo(DatagramSendResult.TooLong));

            handler.OnWritable(socket);
            Assert.That(handler.Last, Is.EqualTo(DatagramSendResult.WouldBlock));
            Assert.That(TicksIn(reactor, TimeSpan.FromMilliseconds(500)), Is.LessThan(64 + 200));
            Assert.That(handler.Last, Is.EqualTo(DatagramSendResult.WouldBlock), "it waited for room all the time");
        });

    private static DatagramSocket Open(
        Reactor reactor, IPEndPoint peer, DatagramHandler handler, DatagramOptions options, bool isConnected)
    {
        IPAddress any = peer.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
        return isConnected
            ? reactor.ConnectDatagram(peer, handler, options)
            : reactor.BindDatagram(new IPEndPoint(any, 0), handler, options);
    }

    private static DatagramSendResult Send(DatagramSocket socket, IPEndPoint peer, int bytes) =>
        socket.TrySend(new byte[bytes], peer.Serialize());

    // A link that has just come up may lose the first ones.
    private static void SendUntil(Reactor reactor, DatagramSocket socket, IPEndPoint peer, Func<bool> condition)
    {
        int rounds = 0;
        RunUntil(reactor, () =>
        {
            if (rounds++ % 50 == 0)
            {
                Assert.That(Send(socket, peer, 1300), Is.EqualTo(DatagramSendResult.Sent));
            }

            return condition();
        });
    }

    private static int TicksIn(Reactor reactor, TimeSpan time)
    {
        bool isOver = false;
        int ticks = 0;
        reactor.Schedule(time, () => isOver = true);
        for (; !isOver; ticks++)
        {
            reactor.RunOnce(Timeout.InfiniteTimeSpan);
        }

        return ticks;
    }

    private static void RunUntil(Reactor reactor, Func<bool> condition) => Client.Await(
        () =>
        {
            reactor.RunOnce(TimeSpan.FromMilliseconds(5));
            return condition();
        },
        "the condition");

    private IPEndPoint To(string v4, string v6) => new(IPAddress.Parse(isV6 ? v6 : v4), Port);

    private Reactor NewReactor() =>
        new(selector == "epoll" ? new ReactorOptions().UseEpoll() : new ReactorOptions());

    /// <summary>Keeps the errors, and sends for as long as there is room.</summary>
    private sealed class Recorder : DatagramHandler
    {
        public List<SocketError> Errors { get; } = [];

        public DatagramSendResult Last { get; private set; }

        public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram)
        {
        }

        public override void OnError(DatagramSocket socket, SocketError error) => Errors.Add(error);

        public override void OnWritable(DatagramSocket socket)
        {
            do
            {
                Last = socket.TrySend(new byte[1000]);
            }
            while (Last == DatagramSendResult.Sent);
        }
    }
}

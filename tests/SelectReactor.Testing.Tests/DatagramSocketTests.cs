using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests;

/// <summary>Datagram sockets of reactors on a simulated network.</summary>
public sealed class DatagramSocketTests
{
    private const int Port = 7007;
    private static readonly IPAddress _group = IPAddress.Parse("239.1.2.3");

    [Test]
    public void Echo_OverABadNetwork_AnswersWhatArrives_AndASeedIsOneRun([Values(1, 2, 3)] int seed)
    {
        var bad = new SimulatedNetworkOptions
        {
            MaxLatency = TimeSpan.FromMilliseconds(50),
            DatagramLossChance = 0.2,
            DatagramDuplicationChance = 0.2,
        };
        DatagramStatistics first = default;
        ulong hash = SimulatedNetwork.Try(seed, bad, network => first = Exchange(network));

        Assert.That(first.Received, Is.InRange(50, 180));
        Assert.That(SimulatedNetwork.Try(seed, bad, network => Exchange(network)), Is.EqualTo(hash));
    }

    [Test]
    public void LongDatagram_TravelsInFragments_OrIsRefused([Values] bool dontFragment, [Values] bool isV6)
    {
        using var network = new SimulatedNetwork(1, new SimulatedNetworkOptions());
        (SimulatedHost server, SimulatedHost client) = (network.AddHost("server"), network.AddHost("client"));
        var address = new IPEndPoint(isV6 ? server.AddressV6 : server.Address, Port);
        var received = new Collector();
        server.Reactor.BindDatagram(address, received);
        DatagramSocket socket = client.Reactor.ConnectDatagram(
            address, new Collector(), new DatagramOptions { DontFragment = dontFragment });
        int room = isV6 ? 1452 : 1472;

        Assert.That(socket.TrySend(new byte[room]), Is.EqualTo(DatagramSendResult.Sent));
        Assert.That(
            socket.TrySend(new byte[room + 1]),
            Is.EqualTo(dontFragment ? DatagramSendResult.TooLong : DatagramSendResult.Sent));
        network.RunUntilIdle();

        Assert.That(
            received.Lengths, Is.EquivalentTo(dontFragment ? new[] { room } : [room, room + 1]));
    }

    [Test]
    public void ADatagramOfManyFragments_IsLostMoreOften()
    {
        using var network = new SimulatedNetwork(
            1,
            SimulatedNetworkOptions.Ideal with
            {
                DatagramLossChance = 0.1,
                MaxPacketBytes = 1500,
                ReceiveWindowBytes = 10_000_000,
            });
        (SimulatedHost server, SimulatedHost client) = (network.AddHost("server"), network.AddHost("client"));
        var received = new Collector();
        server.Reactor.BindDatagram(server.EndPoint(Port), received);
        DatagramSocket socket = client.Reactor.ConnectDatagram(server.EndPoint(Port), new Collector());
        for (int i = 0; i < 200; i++)
        {
            socket.TrySend(new byte[100]);
            socket.TrySend(new byte[10 * 1472]);
        }

        network.RunUntilIdle();
        Assert.That(received.Lengths.Count(static length => length == 100), Is.InRange(160, 195));
        Assert.That(received.Lengths.Count(static length => length > 100), Is.InRange(40, 100), "0.9^10 is 35 %");
    }

    [Test]
    public void Group_ReachesItsMembersOnEveryHost()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        SimulatedHost[] hosts = [network.AddHost("a"), network.AddHost("b"), network.AddHost("c")];
        Collector[] collectors = [new(), new(), new()];
        DatagramSocket[] sockets =
        [
            .. hosts.Zip(collectors, static (host, collector) =>
                host.Reactor.BindDatagram(new IPEndPoint(IPAddress.Any, Port), collector)),
        ];
        sockets[0].JoinGroup(_group);
        sockets[1].JoinGroup(_group, source: hosts[0].Address);
        sockets[2].JoinGroup(_group, source: hosts[1].Address);
        sockets[0].TrySend([1], new IPEndPoint(_group, Port).Serialize());
        network.RunUntilIdle();

        Assert.That(collectors.Select(static each => each.Lengths.Count), Is.EqualTo(new[] { 1, 1, 0 }));
    }

    [Test]
    public void MulticastTimeToLiveOfZero_StaysOnTheHost()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        (SimulatedHost one, SimulatedHost other) = (network.AddHost("one"), network.AddHost("other"));
        (var here, var there) = (new Collector(), new Collector());
        one.Reactor.BindDatagram(new IPEndPoint(IPAddress.Any, Port), here).JoinGroup(_group);
        other.Reactor.BindDatagram(new IPEndPoint(IPAddress.Any, Port), there).JoinGroup(_group);
        DatagramSocket sender = one.Reactor.BindDatagram(
            new IPEndPoint(IPAddress.Any, 0), new Collector(), new DatagramOptions { MulticastTimeToLive = 0 });
        sender.TrySend([1], new IPEndPoint(_group, Port).Serialize());
        network.RunUntilIdle();

        Assert.That((here.Lengths.Count, there.Lengths.Count), Is.EqualTo((1, 0)));
    }

    // Not so on the loopback interface of a real system, which sends everything back.
    [Test]
    public void WithoutMulticastLoopback_OtherHostsOnlyAreReached()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        (SimulatedHost one, SimulatedHost other) = (network.AddHost("one"), network.AddHost("other"));
        (var here, var there) = (new Collector(), new Collector());
        DatagramSocket sender = one.Reactor.BindDatagram(
            new IPEndPoint(IPAddress.Any, Port), here, new DatagramOptions { MulticastLoopback = false });
        sender.JoinGroup(_group);
        other.Reactor.BindDatagram(new IPEndPoint(IPAddress.Any, Port), there).JoinGroup(_group);
        sender.TrySend([1], new IPEndPoint(_group, Port).Serialize());
        network.RunUntilIdle();

        Assert.That((here.Lengths.Count, there.Lengths.Count), Is.EqualTo((0, 1)));
    }

    [Test]
    public void UnreachablePort_IsTold_AfterARoundTrip()
    {
        var latency = TimeSpan.FromMilliseconds(30);
        using var network = new SimulatedNetwork(
            1, SimulatedNetworkOptions.Ideal with { MinLatency = latency, MaxLatency = latency });
        (SimulatedHost server, SimulatedHost client) = (network.AddHost("server"), network.AddHost("client"));
        var collector = new Collector();
        DatagramSocket socket = client.Reactor.ConnectDatagram(server.EndPoint(Port), collector);
        socket.TrySend([1]);
        network.RunFor(TimeSpan.FromMilliseconds(59));
        Assert.That(collector.Errors, Is.Empty);
        network.RunFor(TimeSpan.FromMilliseconds(2));

        Assert.That(collector.Errors, Is.EqualTo(new[] { SocketError.ConnectionRefused }));
        Assert.That(socket.IsClosed, Is.False);
    }

    [Test]
    public void MaxPacketBytes_IsChecked() =>
        Assert.That(
            static () => new SimulatedNetworkOptions { MaxPacketBytes = 67 },
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("MaxPacketBytes"));

    private static DatagramStatistics Exchange(SimulatedNetwork network)
    {
        (SimulatedHost server, SimulatedHost client) = (network.AddHost("server"), network.AddHost("client"));
        var answers = new Collector();
        DatagramSocket echo = server.Reactor.BindDatagram(server.EndPoint(Port), new Echo());
        DatagramSocket socket = client.Reactor.ConnectDatagram(server.EndPoint(Port), answers);
        for (int i = 0; i < 100; i++)
        {
            socket.TrySend(new byte[i]);
        }

        network.RunUntilIdle();
        Assert.That(echo.Statistics.Sent, Is.EqualTo(echo.Statistics.Received));
        Assert.That(answers.Lengths, Has.Count.EqualTo(socket.Statistics.Received));
        return echo.Statistics;
    }

    private sealed class Echo : DatagramHandler
    {
        public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram) =>
            Assert.That(socket.TrySend(datagram, remote), Is.EqualTo(DatagramSendResult.Sent));
    }

    private sealed class Collector : DatagramHandler
    {
        public List<int> Lengths { get; } = [];

        public List<SocketError> Errors { get; } = [];

        public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram) =>
            Lengths.Add(datagram.Length);

        public override void OnError(DatagramSocket socket, SocketError error) => Errors.Add(error);
    }
}

using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests;

/// <summary>What a simulated network does to datagrams.</summary>
public sealed class DatagramNetworkTests
{
    private const int Port = 7007;
    private const int Count = 200;
    private readonly SocketAddress _sender = new(AddressFamily.InterNetwork);

    [Test]
    public void DatagramsOfAGoodNetwork_ArriveOnce_InAnyOrder()
    {
        byte[] arrived = Arrivals(1, new SimulatedNetworkOptions());

        Assert.That(arrived, Is.EquivalentTo(Sent()));
        Assert.That(arrived, Is.Not.Ordered, "each takes a time of its own");
    }

    [Test]
    public void DatagramsThatTakeTheSameTime_ArriveInOrder() =>
        Assert.That(Arrivals(1, SimulatedNetworkOptions.Ideal), Is.EqualTo(Sent()));

    [Test]
    public void SomeAreLost([Values(1, 2, 3)] int seed)
    {
        byte[] arrived = Arrivals(seed, SimulatedNetworkOptions.Ideal with { DatagramLossChance = 0.3 });

        Assert.That(arrived, Has.Length.InRange(Count / 2, Count - 10).And.Ordered.And.Unique);
    }

    [Test]
    public void SomeArriveTwice([Values(1, 2, 3)] int seed)
    {
        byte[] arrived = Arrivals(
            seed,
            SimulatedNetworkOptions.Ideal with { DatagramDuplicationChance = 0.3, ReceiveWindowBytes = 1_000_000 });

        Assert.That(arrived, Has.Length.InRange(Count + 10, Count * 3 / 2));
        Assert.That(arrived.Distinct(), Is.EqualTo(Sent()));
    }

    [Test]
    public void ASeed_IsOneRun()
    {
        ulong[] hashes = [.. new[] { 1, 1, 2 }.Select(seed => SimulatedNetwork.Try(seed, Bad, Exchange))];

        Assert.That(hashes[1], Is.EqualTo(hashes[0]));
        Assert.That(hashes[2], Is.Not.EqualTo(hashes[0]));
    }

    [Test]
    public void DrawnConditions_LoseAndDoubleOnSomeSeeds()
    {
        SimulatedNetworkOptions[] drawn = [.. Enumerable.Range(1, 50).Select(SimulatedNetworkOptions.Draw)];

        Assert.That(drawn.Count(static options => options.DatagramLossChance > 0), Is.InRange(10, 40));
        Assert.That(drawn.Count(static options => options.DatagramDuplicationChance > 0), Is.InRange(5, 35));
    }

    [Test]
    public void Chances_AreChecked() => Assert.Multiple(static () =>
    {
        Assert.That(
            static () => new SimulatedNetworkOptions { DatagramLossChance = 1 },
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("DatagramLossChance"));
        Assert.That(
            static () => new SimulatedNetworkOptions { DatagramDuplicationChance = -0.1 },
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("DatagramDuplicationChance"));
    });

    [Test]
    public void Partition_SwallowsDatagrams_ForGood()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        (SimulatedHost one, SimulatedHost other) = (network.AddHost("one"), network.AddHost("other"));
        Handle client = New(one), server = Bound(other);
        network.Partition(one, other);
        client.SendTo([1], other.EndPoint(Port).Serialize(), out _);
        network.RunUntilIdle();
        network.HealAll();
        client.SendTo([2], other.EndPoint(Port).Serialize(), out _);
        network.RunUntilIdle();

        Assert.That(Drain(server), Is.EqualTo(new byte[] { 2 }));
    }

    [Test]
    public void StalledHost_StillReceives_AsFarAsItsBufferGoes()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal with { ReceiveWindowBytes = 2_570 });
        (SimulatedHost one, SimulatedHost other) = (network.AddHost("one"), network.AddHost("other"));
        Handle client = New(one), server = Bound(other);
        other.Stall(TimeSpan.FromMinutes(1));
        for (byte i = 0; i < 20; i++)
        {
            client.SendTo([i], other.EndPoint(Port).Serialize(), out _);
        }

        network.RunFor(TimeSpan.FromSeconds(1));
        Assert.That(Drain(server), Is.EqualTo(Sent().Take(10)), "each takes 257 bytes");
    }

    [Test]
    public void Sender_IsTheAddressOfItsHost()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        (SimulatedHost one, SimulatedHost other) = (network.AddHost("one"), network.AddHost("other"));
        Handle client = New(one), server = Bound(other);
        client.SendTo([1], other.EndPoint(Port).Serialize(), out _);
        network.RunUntilIdle();

        Drain(server);
        Assert.That(
            new IPEndPoint(IPAddress.Any, 0).Create(_sender),
            Is.EqualTo(one.EndPoint(((IPEndPoint)client.LocalEndPoint!).Port)));
    }

    [Test]
    public void Broadcast_ReachesEveryHost_AndSkipsHandlesOnOneAddress()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        SimulatedHost[] hosts = [network.AddHost("a"), network.AddHost("b"), network.AddHost("c")];
        Handle[] servers = [.. hosts.Select(Bound)];
        Handle client = New(network.AddHost("d")), single = New(network.AddHost("e"));
        single.Bind(network.Hosts[4].EndPoint(Port));
        client.SetOption(SocketOptionLevel.Socket, SocketOptionName.Broadcast, 1);

        client.SendTo([1], new IPEndPoint(IPAddress.Broadcast, Port).Serialize(), out _);
        network.RunUntilIdle();

        Assert.That(servers.Select(Drain), Is.All.EqualTo(new byte[] { 1 }));
        Assert.That(Drain(single), Is.Empty);
    }

    [Test]
    public void HostThatDoesNotExist_TellsNothing()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        Handle client = New(network.AddHost("one"));
        client.Connect(new IPEndPoint(IPAddress.Parse("10.9.9.9"), Port));

        Assert.That(client.Send([1], out _), Is.EqualTo(SocketError.Success));
        network.RunUntilIdle();
        Assert.That(client.Receive(new byte[1], out _), Is.EqualTo(SocketError.WouldBlock));
    }

    [Test]
    public void UnreachablePort_OfAnotherHost_IsToldAfterARoundTrip()
    {
        var latency = TimeSpan.FromMilliseconds(30);
        using var network = new SimulatedNetwork(
            1, SimulatedNetworkOptions.Ideal with { MinLatency = latency, MaxLatency = latency });
        (SimulatedHost one, SimulatedHost other) = (network.AddHost("one"), network.AddHost("other"));
        Handle client = New(one);
        client.Connect(other.EndPoint(Port));
        client.Send([1], out _);

        network.RunFor(TimeSpan.FromMilliseconds(59));
        Assert.That(client.Receive(new byte[1], out _), Is.EqualTo(SocketError.WouldBlock));
        network.RunFor(TimeSpan.FromMilliseconds(1));
        Assert.That(client.Receive(new byte[1], out _), Is.EqualTo(SocketError.ConnectionRefused));
    }

    [Test]
    public void LoopbackSource_DoesNotReachAnotherHost()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        (SimulatedHost one, SimulatedHost other) = (network.AddHost("one"), network.AddHost("other"));
        Handle client = New(one);
        client.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        Assert.That(
            client.SendTo([1], other.EndPoint(Port).Serialize(), out _), Is.EqualTo(SocketError.InvalidArgument));
    }

    [Test]
    public void Handles_UseUpDescriptors_AndGiveThemBack()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        SimulatedHost host = network.AddHost("one");
        host.MaxDescriptors = 2;
        Handle first = New(host);
        Handle spare = host.Handles.CreateSpare(AddressFamily.InterNetwork)!;

        Assert.That(
            () => New(host),
            Throws.InstanceOf<SocketException>().With.Property(nameof(SocketException.SocketErrorCode))
                .EqualTo(SocketError.TooManyOpenSockets));
        first.Close();
        spare.Close();
        Assert.That(host.OpenDescriptors, Is.Zero);
    }

    private static SimulatedNetworkOptions Bad { get; } = new()
    {
        MaxLatency = TimeSpan.FromMilliseconds(50),
        DatagramLossChance = 0.2,
        DatagramDuplicationChance = 0.2,
    };

    private static IEnumerable<byte> Sent() => Enumerable.Range(0, Count).Select(static i => (byte)i);

    private static Handle New(SimulatedHost host) => host.Handles.CreateDatagram(AddressFamily.InterNetwork);

    private static Handle Bound(SimulatedHost host)
    {
        Handle handle = New(host);
        Assert.That(handle.Bind(new IPEndPoint(IPAddress.Any, Port)), Is.EqualTo(SocketError.Success));
        return handle;
    }

    private byte[] Arrivals(int seed, SimulatedNetworkOptions options)
    {
        byte[] arrived = [];
        SimulatedNetwork.Try(seed, options, network => arrived = Send(network));
        return arrived;
    }

    private void Exchange(SimulatedNetwork network) => Send(network);

    private byte[] Send(SimulatedNetwork network)
    {
        (SimulatedHost one, SimulatedHost other) = (network.AddHost("one"), network.AddHost("other"));
        Handle server = Bound(other), client = New(one);
        var reader = new Reader(() => Drain(server));
        other.Reactor.Register(server, Interest.Read, reader);
        foreach (byte i in Sent())
        {
            Assert.That(
                client.SendTo([i], other.EndPoint(Port).Serialize(), out _), Is.EqualTo(SocketError.Success));
        }

        network.RunUntilIdle();
        return [.. reader.Bytes];
    }

    private byte[] Drain(Handle handle)
    {
        var bytes = new List<byte>();
        byte[] buffer = new byte[1];
        while (handle.ReceiveFrom(buffer, _sender, out _) == SocketError.Success)
        {
            bytes.Add(buffer[0]);
        }

        return [.. bytes];
    }

    private sealed class Reader(Func<byte[]> drain) : IEventHandler
    {
        public List<byte> Bytes { get; } = [];

        public void OnReady(SelectionKey key) => Bytes.AddRange(drain());
    }
}

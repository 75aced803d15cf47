using System.Buffers;
using System.IO.Pipelines;
using PortForwarder;
using SelectReactor.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

/// <summary>The forwarder between a client and a target on networks of all kinds.</summary>
public sealed class PortForwarderSimulationTests
{
    private const int Seeds = 100;

    private static readonly ConnectionOptions _patient = new()
    {
        WriteProgressTimeout = Timeout.InfiniteTimeSpan,
        LingerTimeout = TimeSpan.Zero,
        PauseReadingWhenOutputIsFull = false,
    };

    [Test]
    public void BytesAndEnds_ReachTheOtherSide() => SimulatedNetwork.Explore(Seeds, static network =>
    {
        End client = new(seed: 1, network.Random.Next(10_000)), server = new(seed: 2, network.Random.Next(10_000));
        SimulatedHost forwarder = Start(network, client, server);

        network.RunUntil(() => client.Reason is not null && server.Reason is not null);
        Assert.That((client.Reason!.Value.Kind, client.Received), Is.EqualTo((CloseKind.PeerClosed, server.Total)));
        Assert.That((server.Reason!.Value.Kind, server.Received), Is.EqualTo((CloseKind.PeerClosed, client.Total)));
        network.RunUntil(() => forwarder.Reactor.Connections.Count == 0);
    });

    [Test]
    public void Reset_ReachesTheOtherSide() => SimulatedNetwork.Explore(Seeds, static network =>
    {
        End client = new(seed: 1, 10_000), server = new(seed: 2, 10_000);
        (End first, End second) = network.Random.Next(2) == 0 ? (client, server) : (server, client);
        first.MaxReceived = network.Random.Next(5_000);
        SimulatedHost forwarder = Start(network, client, server);

        network.RunUntil(() => second.Reason is not null);
        Assert.That(second.Reason!.Value.Kind, Is.EqualTo(CloseKind.PeerReset));
        network.RunUntil(() => forwarder.Reactor.Connections.Count == 0);
    });

    [Test]
    public void UnreachableTarget_ResetsTheClient_AndSaysWhy()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        SimulatedHost forwarder = network.AddHost("forwarder");
        SimulatedHost target = network.AddHost("target");
        List<string> log = [];
        forwarder.Reactor.Listen(
            forwarder.EndPoint(1), new Forwarder(target.EndPoint(2), log.Add), Forwarder.ListenerOptions);
        var client = new End(seed: 1, total: 100);
        network.AddHost("client").Reactor.ConnectAsync(forwarder.EndPoint(1), client);

        network.RunUntil(() => client.Reason is not null);
        Assert.That(client.Reason!.Value.Kind, Is.EqualTo(CloseKind.PeerReset));
        Assert.That(log.Single(), Does.StartWith($"Can't connect to {target.EndPoint(2)}: "));
        Assert.That(forwarder.Reactor.Connections, Is.Empty);
    }

    private static SimulatedHost Start(SimulatedNetwork network, End client, End server)
    {
        SimulatedHost forwarder = network.AddHost("forwarder");
        SimulatedHost target = network.AddHost("target");
        target.Reactor.Listen(target.EndPoint(2), server, new ListenerOptions { Connection = _patient });
        forwarder.Reactor.Listen(
            forwarder.EndPoint(1), new Forwarder(target.EndPoint(2), static _ => { }), Forwarder.ListenerOptions);
        network.AddHost("client").Reactor.ConnectAsync(
            forwarder.EndPoint(1), client, new ConnectOptions { Connection = _patient });
        return forwarder;
    }

    /// <summary>Sends its own pattern, ends its stream, and checks that the other pattern arrives.</summary>
    private sealed class End(int seed, int total) : ConnectionHandler
    {
        private readonly BytePattern _own = new(seed);
        private readonly BytePattern _other = new(3 - seed);
        private int _sent;

        /// <summary>It resets the connection when it has received more, and does not end its stream before.</summary>
        public int MaxReceived { get; set; } = int.MaxValue;

        public CloseReason? Reason { get; private set; }

        public int Total => total;

        public int Received { get; private set; }

        public override void OnConnected(Connection connection) => Send(connection);

        public override void OnWritable(Connection connection) => Send(connection);

        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                Assert.That(_other.Matches(result.Buffer.ToArray(), Received));
                Received += (int)result.Buffer.Length;
                connection.Input.AdvanceTo(result.Buffer.End);
                if (Received > MaxReceived)
                {
                    connection.Abort();
                }
            }
        }

        public override void OnInputEnded(Connection connection)
        {
        }

        public override void OnClosed(Connection connection, CloseReason reason) => Reason = reason;

        private void Send(Connection connection)
        {
            while (_sent < total && connection.IsWritable)
            {
                ReadOnlyMemory<byte> next = _own.At(_sent, Math.Min(total - _sent, 16 * 1024));
                connection.Output.Write(next.Span);
                _sent += next.Length;
            }

            if (_sent == total && MaxReceived == int.MaxValue)
            {
                connection.CloseOutput();
            }
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using SelectReactor.Testing;

namespace SelectReactor.Benchmarks;

/// <summary>What an hour on the simulated network costs: ten clients, each of which sends a message every second and
/// gets it back, 36,000 messages there and back in all.</summary>
public class SimulationBenchmark
{
    private const int Clients = 10;
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    [Benchmark]
    public int AnHour()
    {
        using var network = new SimulatedNetwork(seed: 1, new SimulatedNetworkOptions());
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), new Echo());
        var handlers = Enumerable.Range(0, Clients).Select(static _ => new Client()).ToArray();
        foreach (Client handler in handlers) client.Reactor.ConnectAsync(server.EndPoint(7), handler);
        network.RunFor(TimeSpan.FromHours(1));
        return handlers.Sum(static handler => handler.Received);
    }

    private sealed class Echo : IConnectionHandler
    {
        public void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                foreach (ReadOnlyMemory<byte> segment in result.Buffer) connection.Output.Write(segment.Span);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }

    private sealed class Client : IConnectionHandler
    {
        public int Received { get; private set; }

        public void OnConnected(Connection connection) => connection.Reactor.SchedulePeriodic(
            _interval, _interval, () => connection.Output.Write("a message of thirty-two bytes   "u8));

        public void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                Received += (int)result.Buffer.Length;
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }
}

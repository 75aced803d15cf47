using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>A hub that hands on what it receives without copying it, while connections come to their ends.</summary>
internal static class HandOverFaults
{
    private const int Clients = 3;

    /// <summary>L18: each client gets what was handed over to it, in order, and nothing else, whoever else had the
    /// memory; and all memory comes back.</summary>
    public static void Hub(SimulatedNetwork network)
    {
        var hub = new HubHandler(network);
        SimulatedHost host = network.AddHost("hub");
        host.Reactor.Listen(host.EndPoint(7), hub, new ListenerOptions
        {
            Connection = new ConnectionOptions
            {
                // Two that wait for each other would wait for ever, and what is too much is cut.
                PauseReadingWhenOutputIsFull = false,
                MaxOutputBytes = network.Random.Coin() ? 50_000 : 16 * 1024 * 1024,
            },
        });
        List<List<byte>> received = [];
        for (int i = 0; i < Clients; i++)
        {
            List<byte> bytes = [];
            received.Add(bytes);
            var client = new Recorder { Readable = connection => bytes.AddRange(Recorder.ReadAll(connection)) };
            network.AddHost($"client{i}").Reactor.ConnectAsync(host.EndPoint(7), client);
            network.RunUntil(() => hub.Count == received.Count && client.Connections == 1);
            hub.Clients.Add(client.Connection);
        }

        int cut = network.Random.Next(2 * Clients);
        for (int step = 0; step < 30; step++)
        {
            SendSome(network, hub.Clients[network.Random.Next(Clients)]);
            network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(20)));
            if (step == 15 && cut < Clients)
            {
                hub.Clients[cut].Abort();
            }
        }

        hub.Stop();
        network.RunUntil(() => hub.IsDone);
        network.RunUntilIdle();
        for (int i = 0; i < Clients; i++)
        {
            Require.That(received[i].Count <= hub.Sent[i].Count);
            Require.That(hub.WasCut(i) || received[i].Count == hub.Sent[i].Count);
            Require.That(hub.Sent[i].Take(received[i].Count).SequenceEqual(received[i]));
        }

        Require.Equal(host.Reactor.Buffers.Outstanding, 0);
    }

    private static void SendSome(SimulatedNetwork network, Connection client)
    {
        byte[] bytes = new byte[network.Random.Next(1, network.Random.Next(8) == 0 ? 10_000 : 300)];
        network.Random.NextBytes(bytes);
        if (client.State == ConnectionState.Open)
        {
            client.Reactor.Post(() => client.TryWrite(bytes));
        }
    }

    private sealed class HubHandler(SimulatedNetwork network) : ConnectionHandler
    {
        private readonly List<Connection> _connections = [];
        private readonly HashSet<Connection> _cut = [];
        private int _closed;

        public int Count => _connections.Count;

        public List<Connection> Clients { get; } = [];

        public List<List<byte>> Sent { get; } = [];

        public bool IsDone => _closed == _connections.Count;

        public bool WasCut(int number) => _cut.Contains(_connections[number]);

        public void Stop() => _connections[0].Reactor.Post(() => _connections.ForEach(static c => c.Close()));

        public override void OnConnected(Connection connection)
        {
            _connections.Add(connection);
            Sent.Add([]);
        }

        public override void OnReadable(Connection connection)
        {
            if (!connection.Input.TryRead(out ReadResult result))
            {
                return;
            }

            ReadOnlySequence<byte> all = result.Buffer;
            for (int pieces = network.Random.Next(4); pieces > 0; pieces--)
            {
                int start = network.Random.Next((int)all.Length);
                int length = network.Random.Next((int)all.Length - start + 1);
                Deliver(network.Random.Next(Count), all.Slice(start, length));
            }

            connection.Input.AdvanceTo(
                network.Random.Coin() ? all.End : all.GetPosition(network.Random.Next((int)all.Length + 1)), all.End);
        }

        public override void OnInputEnded(Connection connection)
        {
        }

        public override void OnClosed(Connection connection, CloseReason reason)
        {
            _closed++;
            if (reason.Kind != CloseKind.Local || reason.UnsentBytes > 0)
            {
                _cut.Add(connection);
            }
        }

        private void Deliver(int number, ReadOnlySequence<byte> bytes)
        {
            Connection target = _connections[number];
            if (target.State != ConnectionState.Open)
            {
                return;
            }

            if (network.Random.Next(4) == 0 && target.TryWrite("-"u8))
            {
                Sent[number].Add((byte)'-');
            }

            Sent[number].AddRange(bytes.ToArray());
            target.Append(bytes);
        }
    }
}

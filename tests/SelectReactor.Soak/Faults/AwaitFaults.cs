using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Handlers that are asynchronous methods: whatever ends the connection must end their waits.</summary>
internal static class AwaitFaults
{
    /// <summary>F1, F7: a handler that awaits input or room for output comes to its end when the peer closes, cuts,
    /// falls silent or goes on for ever, and when its own side closes, aborts or shuts down; on the reactor's thread,
    /// and once.</summary>
    public static void WaitsEnd(SimulatedNetwork network)
    {
        // A handler whose output somebody else ends may find itself writing to it.
        SimulatedHost server = network.AddHost("server", new ReactorOptions { Logger = NullLogger.Instance });
        SimulatedHost client = network.AddHost("client");
        var handler = new Server();
        var options = new ConnectionOptions
        {
            SendBufferBytes = 100,
            OutputHighWaterMark = 50,
            OutputLowWaterMark = 10,
            ReadIdleTimeout = TimeSpan.FromSeconds(20),
            WriteProgressTimeout = TimeSpan.FromSeconds(20),
        };
        server.Reactor.Listen(server.EndPoint(7), handler, new ListenerOptions { Connection = options });
        RawPeer[] peers =
            [.. Enumerable.Range(0, 3).Select(_ => new RawPeer(client, server.EndPoint(7), receiveBufferBytes: 100))];
        network.RunUntil(() => handler.Begun == peers.Length);
        foreach (RawPeer peer in peers)
        {
            network.Schedule(network.Random.UpTo(TimeSpan.FromSeconds(1)), () => peer.Send(network.Random.Bytes(50)));
            network.Schedule(network.Random.UpTo(TimeSpan.FromSeconds(1)), () => peer.Receive(60));
            Action end =
                network.Random.GetItems<Action>([peer.Close, peer.Abort, peer.EndOutput, static () => { }], 1)[0];
            network.Schedule(network.Random.UpTo(TimeSpan.FromSeconds(3)), end);
        }

        network.RunFor(network.Random.UpTo(TimeSpan.FromSeconds(3)));
        foreach (Connection connection in server.Reactor.Connections)
        {
            Action end = network.Random.GetItems<Action>(
                [connection.Close, () => connection.Abort(), connection.CloseOutput, static () => { }], 1)[0];
            server.Reactor.Post(end);
        }

        bool isShutDown = network.Random.Next(4) == 0;
        if (isShutDown)
        {
            server.Reactor.ShutdownAsync(network.Random.UpTo(TimeSpan.FromSeconds(5)));
        }

        // Twice the longest time-out, and the linger time after it.
        network.RunFor(TimeSpan.FromMinutes(1));
        Require.Equal((handler.Begun, handler.Over, handler.Strays), (peers.Length, peers.Length, 0));
        Array.ForEach(peers, static peer => peer.Abort());
        Leaks.None(network, listeners: isShutDown ? 0 : 1);
    }

    private sealed class Server : AsyncConnectionHandler
    {
        public int Begun { get; private set; }

        public int Over { get; private set; }

        /// <summary>How often it went on elsewhere than on the reactor's thread.</summary>
        public int Strays { get; private set; }

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            Begun++;
            try
            {
                while (true)
                {
                    ReadResult read = await connection.Input.ReadAsync();
                    Strays += SynchronizationContext.Current == connection.Reactor.SynchronizationContext ? 0 : 1;
                    if (read.Buffer.IsEmpty && read.IsCompleted)
                    {
                        return;
                    }

                    connection.Input.AdvanceTo(read.Buffer.End);
                    connection.Output.Write(new byte[80]);
                    FlushResult flushed = await connection.Output.FlushAsync();
                    Strays += SynchronizationContext.Current == connection.Reactor.SynchronizationContext ? 0 : 1;
                    if (flushed.IsCompleted)
                    {
                        return;
                    }
                }
            }
            finally
            {
                Over++;
            }
        }
    }
}

using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Clients of requests and responses whose network and server fail at any moment.</summary>
internal static class ClientFaults
{
    private const int Port = 7;
    private const int Steps = 12;
    private static readonly MessageDecoder<string> _lines = new LineDecoder(1000).AsText();
    private static readonly LineEncoder _encoder = new();

    /// <summary>Whatever breaks and comes back: a response belongs to its request, each request ends, and the client
    /// is connected again at last.</summary>
    public static void Reconnects(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost host = network.AddHost("client");
        Listener listener = server.Reactor.Listen(server.EndPoint(Port), new Answering(network));
        var client = new RequestClient<string, string>(
            host.Reactor,
            new Requests(),
            _lines,
            new RequestClientOptions
            {
                MaxInFlight = network.Random.Next(1, 5),
                RequestTimeout = TimeSpan.FromSeconds(30),
                WhenDisconnected = network.Random.Coin() ? WhenDisconnected.Wait : WhenDisconnected.Fail,
            });
        var connecting = new ReconnectingClient(
            host.Reactor,
            server.EndPoint(Port),
            client.Handler,
            new ReconnectOptions { Random = network.Random, MaxDelay = TimeSpan.FromSeconds(5) });
        connecting.Start();

        List<(string Request, Task<string> Response)> all = [];
        for (int step = 0; step < Steps; step++)
        {
            string request = $"request {step}";
            host.Reactor.Post(() => all.Add((request, client.SendAsync(request))));
            network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(500)));
            switch (network.Random.Next(8))
            {
                case 0:
                    network.Reset(host, server);
                    break;
                case 1:
                    host.Reactor.Post(() => connecting.Connection?.Close());
                    break;
                case 2:
                    listener.Dispose();
                    network.Reset(host, server);
                    network.RunFor(network.Random.UpTo(TimeSpan.FromSeconds(5)));
                    listener = server.Reactor.Listen(server.EndPoint(Port), new Answering(network));
                    break;
            }
        }

        network.RunUntil(() => all.Count == Steps && all.TrueForAll(static pair => pair.Response.IsCompleted));
        foreach ((string request, Task<string> response) in all)
        {
            Require.That(!response.IsCompletedSuccessfully || response.Result == request);
            Require.That(
                response.IsCompletedSuccessfully || response.Exception?.InnerException is IOException
                    or TimeoutException);
        }

        network.RunUntil(() => connecting.State == ReconnectState.Connected);
        Task stop = connecting.StopAsync();
        network.RunUntil(() => stop.IsCompleted);
        listener.Dispose();

        // A server that has paused reading notices the end when it goes on, or within ten seconds.
        network.RunUntil(() => server.Reactor.Connections.Count + host.Reactor.Connections.Count == 0);
        Leaks.None(network, listeners: 0);
    }

    /// <summary>Whatever breaks: no caller gets the answer to another one's question, no more connections are rented
    /// than allowed, and each caller ends.</summary>
    public static void Pooled(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost host = network.AddHost("client");
        Listener listener = server.Reactor.Listen(server.EndPoint(Port), new Answering(network));
        int max = network.Random.Next(1, 4);
        var pool = new ConnectionPool(host.Reactor, server.EndPoint(Port), new ConnectionPoolOptions
        {
            MaxConnections = max,
            MaxConnecting = network.Random.Next(1, 3),
            IdleTimeout = TimeSpan.FromSeconds(2),
            RentTimeout = TimeSpan.FromSeconds(20),
        });
        int done = 0;
        int most = 0;
        for (int step = 0; step < Steps; step++)
        {
            string question = $"question {step}";
            bool givesUp = network.Random.Next(4) == 0;
            host.Reactor.Post(() => _ = ExchangeAsync(question, givesUp));
            network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(500)));
            if (network.Random.Next(6) == 0)
            {
                network.Reset(host, server);
            }
        }

        network.RunUntil(() => done == Steps);
        Require.That(most <= max);
        Task end = pool.DisposeAsync().AsTask();
        network.RunUntil(() => end.IsCompleted);
        listener.Dispose();

        // A server that has paused reading notices the end when it goes on, or within ten seconds.
        network.RunUntil(() => server.Reactor.Connections.Count + host.Reactor.Connections.Count == 0);
        Leaks.None(network, listeners: 0);

        async Task ExchangeAsync(string question, bool givesUp)
        {
            try
            {
                using ConnectionLease lease = await pool.RentAsync();
                most = Math.Max(most, pool.Statistics.Rented);
                lease.Connection.Send(_encoder, question);
                if (givesUp)
                {
                    return;
                }

                string answer = await lease.Connection.ReadMessageAsync(_lines);
                lease.Return();
                Require.Equal(answer, question);
            }
            catch (Exception exception) when (exception is IOException or TimeoutException
                or System.Net.Sockets.SocketException)
            {
                // The network's fault, which is told to the caller.
            }
            finally
            {
                done++;
            }
        }
    }

    private sealed class Requests : MessageEncoder<string>
    {
        public override void Encode(string message, System.Buffers.IBufferWriter<byte> output) =>
            _encoder.Encode(message, output);
    }

    /// <summary>Answers each line with itself, at times late, and at times breaks off before or after it.</summary>
    private sealed class Answering(SimulatedNetwork network)
        : MessageHandler<string, ReadOnlySpan<char>>(_lines, _encoder)
    {
        protected override void OnMessage(Connection connection, string message)
        {
            switch (network.Random.Next(12))
            {
                case 0:
                    connection.Abort();
                    break;
                case 1:
                    connection.Close();
                    break;
                case 2:
                    Send(connection, message);
                    connection.Close();
                    break;
                case 3:
                    connection.PauseReading();
                    connection.Schedule(network.Random.UpTo(TimeSpan.FromSeconds(1)), () =>
                    {
                        Send(connection, message);
                        connection.ResumeReading();
                    });
                    break;
                default:
                    Send(connection, message);
                    break;
            }
        }
    }
}

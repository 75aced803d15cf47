using System.Buffers;
using System.Net;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Proxies that send their PROXY headers late, in pieces, in part or not at all.</summary>
internal static class ProxyFaults
{
    private const int Port = 7;

    private enum Ending
    {
        Close,
        Abort,
        Silence,
    }

    /// <summary>F40, L15: a connection opens only with a whole header, with the addresses in it, and with the bytes
    /// behind it; of the others nothing is left.</summary>
    public static void HeadersCutAnywhere(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost proxy = network.AddHost("proxy");
        var received = new Dictionary<int, List<byte>>();
        var served = new Recorder
        {
            Connected = connection => received.Add(NumberOf(connection), []),
            Readable = connection => received[NumberOf(connection)].AddRange(Recorder.ReadAll(connection)),
        };
        Listener listener = server.Reactor.Listen(server.EndPoint(Port), served, new ListenerOptions
        {
            ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [IPNetwork.Parse("0.0.0.0/0")] },
        });
        Client[] clients = [.. Enumerable.Range(1, 5).Select(number => new Client(network, proxy, server, number))];
        network.RunUntil(() => clients.All(static client => client.IsOver));
        network.RunFor(TimeSpan.FromMinutes(1));
        Array.ForEach(clients, static client => client.Close());
        network.RunUntil(() => served.Closed == served.Connections && listener.ConnectionCount == 0);

        foreach (Client client in clients)
        {
            bool opened = received.TryGetValue(client.Number, out List<byte>? bytes);
            Require.That(!opened || client.SendsHeader, "nothing opens without a header");
            Require.That(opened || !client.SendsHeader || client.Ending == Ending.Abort, "a whole header opens");
            Require.That(
                !opened || client.Body.AsSpan().StartsWith(bytes!.ToArray()), "what follows the header is received");
            Require.That(
                !opened || client.Ending == Ending.Abort || bytes!.Count == client.Body.Length, "all of it");
        }

        Require.Equal(listener.Accepted, served.Connections);
        Leaks.None(network);
    }

    /// <summary>L15: while proxies hold back their headers, the listener's limit holds, and the others come in when
    /// the time is over.</summary>
    public static void SilentProxies(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost proxy = network.AddHost("proxy");
        int limit = network.Random.Next(1, 4);
        var served = new Recorder();
        Listener listener = server.Reactor.Listen(server.EndPoint(Port), served, new ListenerOptions
        {
            MaxConnections = limit,
            ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [IPNetwork.Parse("0.0.0.0/0")] },
        });
        RawPeer[] silent = [.. Enumerable.Range(0, limit).Select(_ => new RawPeer(proxy, server.EndPoint(Port)))];
        network.RunUntil(() => listener.ConnectionCount == limit);
        var late = new Recorder();
        proxy.Reactor.ConnectAsync(
            server.EndPoint(Port), late, new ConnectOptions { ProxyProtocol = ProxyHeader.Local });
        network.RunFor(TimeSpan.FromSeconds(2));
        Require.Equal(served.Connections, 0);
        Require.Equal(listener.ConnectionCount, limit);

        network.RunUntil(() => served.Connections == 1);
        Require.That(listener.Refused >= 1, "a silent one was dropped");
        late.Connection.Close();
        network.RunUntil(() => served.Closed == 1 && late.Closed == 1 && listener.ConnectionCount == 0);
        Array.ForEach(silent, static peer => peer.Close());
        Leaks.None(network);
    }

    private static int NumberOf(Connection connection) => ((IPEndPoint)connection.RemoteEndPoint!).Port;

    private sealed class Client
    {
        private readonly Recorder _handler;
        private readonly int _sent;

        public Client(SimulatedNetwork network, SimulatedHost proxy, SimulatedHost server, int number)
        {
            Random random = network.Random;
            Number = number;
            Body = new byte[random.Next(0, 60)];
            random.NextBytes(Body);
            byte[] stream = [.. HeaderOf(number, random), .. Body];
            Ending = (Ending)random.Next(3);
            _sent = random.Coin() ? stream.Length : random.Next(stream.Length);
            SendsHeader = _sent >= stream.Length - Body.Length;
            Body = SendsHeader ? Body[..^(stream.Length - _sent)] : Body;
            int first = random.Next(_sent + 1);
            var pause = TimeSpan.FromMilliseconds(random.Next(3000));
            _handler = new Recorder
            {
                Connected = connection =>
                {
                    connection.Output.Write(stream.AsSpan(0, first));
                    connection.Schedule(pause, () => SendRest(connection, stream.AsSpan(first, _sent - first)));
                },
                InputEnded = static connection => connection.Close(),
            };
            proxy.Reactor.ConnectAsync(server.EndPoint(Port), _handler);
        }

        public int Number { get; }

        public byte[] Body { get; }

        public Ending Ending { get; }

        public bool SendsHeader { get; }

        public bool IsOver { get; private set; }

        public void Close()
        {
            if (_handler.Closed == 0)
            {
                _handler.Connection.Close();
            }
        }

        private static byte[] HeaderOf(int number, Random random)
        {
            var source = new IPEndPoint(IPAddress.Parse("192.0.2.1"), number);
            var destination = new IPEndPoint(IPAddress.Parse("198.51.100.2"), 443);
            ProxyHeader header = random.Coin()
                ? new(source, destination) { Version = ProxyProtocolVersion.Version1 }
                : new(source, destination)
                {
                    HasChecksum = random.Coin(),
                    Tlvs = [new(ProxyTlvType.Authority, new byte[random.Next(400)])],
                };
            var output = new ArrayBufferWriter<byte>();
            header.WriteTo(output);
            return output.WrittenSpan.ToArray();
        }

        private void SendRest(Connection connection, ReadOnlySpan<byte> rest)
        {
            IsOver = true;
            connection.Output.Write(rest);
            if (Ending == Ending.Abort)
            {
                connection.Abort();
            }
            else if (Ending == Ending.Close)
            {
                connection.Close();
            }
        }
    }
}

using System.Buffers;
using System.Net;
using SelectReactor.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>A proxy and a server over simulated networks of all kinds, which cut headers wherever they like.</summary>
public sealed class HeaderNetworkTests
{
    private const int Clients = 20;

    [Test]
    public void EveryClient_IsKnownByItsAddress_AndGetsItsAnswer() =>
        SimulatedNetwork.Explore(60, network =>
        {
            SimulatedHost server = network.AddHost("server");
            SimulatedHost proxy = network.AddHost("proxy");
            var handler = new Greeting();
            using Listener listener = Listen(server, handler, TimeSpan.FromMinutes(10));
            Asking[] clients = [.. Enumerable.Range(1, Clients).Select(static _ => new Asking())];
            for (int number = 1; number <= Clients; number++)
            {
                proxy.Reactor.ConnectAsync(
                    server.EndPoint(7),
                    clients[number - 1],
                    new ConnectOptions { ProxyProtocol = HeaderOf(number, network) });
            }

            network.RunUntil(() => clients.All(static client => client.Closed is not null));

            Assert.That(
                clients.Select(static client => client.Answer),
                Is.EqualTo(Enumerable.Range(1, Clients).Select(static number => $"?192.0.2.{number}:{number}")));
            Assert.That(handler.Count, Is.EqualTo(Clients));
            Assert.That(clients.Select(static client => client.Closed?.UnsentBytes), Is.All.Zero);
        });

    /// <summary>Cut or stalled anywhere, a header opens nothing, and nothing of it is left.</summary>
    [Test]
    public void AHeaderThatIsCutOrStalls_OpensNothing([Values] bool stalls) =>
        SimulatedNetwork.Explore(60, network =>
        {
            SimulatedHost server = network.AddHost("server");
            SimulatedHost proxy = network.AddHost("proxy");
            var handler = new Greeting();
            using Listener listener = Listen(server, handler, TimeSpan.FromSeconds(5));
            byte[] header = HeaderBytes.Of(HeaderOf(1, network));
            int length = network.Random.Next(0, header.Length);
            CloseReason? reason = null;
            proxy.Reactor.ConnectAsync(server.EndPoint(7), new ServeHandler(async connection =>
            {
                connection.Output.Write(header.AsSpan(0, length));
                if (!stalls)
                {
                    connection.CloseOutput();
                }

                reason = await connection.Completion;
            }));
            network.RunUntil(() => reason is not null);

            Assert.That(handler.Count, Is.Zero);
            Assert.That((listener.ConnectionCount, listener.Refused), Is.EqualTo((0, 1L)));
        });

    private static Listener Listen(SimulatedHost server, IConnectionHandler handler, TimeSpan timeout) =>
        server.Reactor.Listen(server.EndPoint(7), handler, new ListenerOptions
        {
            ProxyProtocol = new ProxyProtocolOptions
            {
                TrustedNetworks = [IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")],
                Timeout = timeout,
            },
        });

    private static ProxyHeader HeaderOf(int number, SimulatedNetwork network)
    {
        var source = new IPEndPoint(IPAddress.Parse($"192.0.2.{number}"), number);
        return network.Random.Next(2) == 0
            ? new ProxyHeader(source, HeaderBytes.Destination) { Version = ProxyProtocolVersion.Version1 }
            : new ProxyHeader(source, HeaderBytes.Destination)
            {
                HasChecksum = network.Random.Next(2) == 0,
                Tlvs = [new(ProxyTlvType.Authority, new byte[network.Random.Next(1000)])],
            };
    }

    private sealed class Asking : ConnectionHandler
    {
        public string Answer { get; private set; } = "";

        public CloseReason? Closed { get; private set; }

        public override void OnConnected(Connection connection)
        {
            connection.Output.Write("?"u8);
            connection.CloseOutput();
        }

        public override void OnReadable(Connection connection) =>
            Answer += System.Text.Encoding.ASCII.GetString(ScriptedHandler.ReadAll(connection));

        public override void OnClosed(Connection connection, CloseReason reason) => Closed = reason;
    }

    private sealed class Greeting : ConnectionHandler
    {
        public int Count { get; private set; }

        public override void OnConnected(Connection connection) => Count++;

        public override void OnReadable(Connection connection)
        {
            connection.Output.Write(ScriptedHandler.ReadAll(connection));
            connection.Output.Write(System.Text.Encoding.ASCII.GetBytes($"{connection.RemoteEndPoint}"));
        }
    }
}

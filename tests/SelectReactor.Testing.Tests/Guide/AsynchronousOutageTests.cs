using System.IO.Pipelines;
using System.Net;

namespace SelectReactor.Testing.Tests.Guide;

public sealed class AsynchronousOutageTests
{
    [Test]
    public void AsynchronousPings_SurviveAnOutage() => SimulatedNetwork.Explore(100, AsynchronousOutage);

    private static void AsynchronousOutage(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(6380), new PingHandler());
        Task<int> pongs = client.Reactor.InvokeAsync(() => PingAsync(client.Reactor, count: 10));

        network.Schedule(TimeSpan.FromSeconds(0.5), () => network.Partition(server, client));
        network.Schedule(TimeSpan.FromSeconds(5), network.HealAll);

        network.RunUntil(() => pongs.IsCompleted);
        Assert.That(pongs.GetAwaiter().GetResult(), Is.EqualTo(10));
    }

    private static async Task<int> PingAsync(Reactor reactor, int count)
    {
        await using Connection connection = await reactor.ConnectAsync(new DnsEndPoint("server", 6380));
        for (int i = 0; i < count; i++)
        {
            connection.TryWrite("PING\r\n"u8);
            ReadResult result = await connection.Input.ReadAtLeastAsync("+PONG\r\n".Length);
            connection.Input.AdvanceTo(result.Buffer.End);
        }

        return count;
    }
}

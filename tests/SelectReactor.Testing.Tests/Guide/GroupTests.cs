namespace SelectReactor.Testing.Tests.Guide;

public sealed class GroupTests
{
    [Test]
    public void Pings_SurviveThatAReactorIsDrained() => SimulatedNetwork.Explore(200, Drain);

    private static void Drain(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        ReactorGroup group = server.AddGroup(3);
        Task<GroupListener> listening = group.ListenAsync(server.EndPoint(6380), _ => new PingHandler());
        network.RunUntil(() => listening.IsCompleted);

        Pinger[] pingers = [.. Enumerable.Range(0, 20).Select(static _ => new Pinger(count: 10))];
        foreach (Pinger pinger in pingers)
        {
            network.Schedule(
                TimeSpan.FromMilliseconds(network.Random.Next(1000)),
                () => client.Reactor.ConnectAsync(server.EndPoint(6380), pinger));
        }

        var minute = TimeSpan.FromMinutes(1);
        network.Schedule(TimeSpan.FromSeconds(0.5), () => group.DrainAsync(group.Reactors[0], minute));
        network.RunUntil(() => pingers.All(static pinger => pinger.Reason is not null));
        Assert.That(pingers.Select(static pinger => pinger.Pongs), Is.All.EqualTo(10));
    }
}

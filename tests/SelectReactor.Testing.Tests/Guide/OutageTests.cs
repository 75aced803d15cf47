using System.Net;

namespace SelectReactor.Testing.Tests.Guide;

/// <summary>The tests on a simulated network of docs/testing.md.</summary>
public sealed class OutageTests
{
    [Test]
    public void Pings_SurviveAnOutage() => SimulatedNetwork.Explore(1000, Outage);

    private static void Outage(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(6380), new PingHandler());

        var pinger = new Pinger(count: 10);
        client.Reactor.ConnectAsync(new DnsEndPoint("server", 6380), pinger);

        var outage = TimeSpan.FromMilliseconds(network.Random.Next(1000));
        network.Schedule(outage, () => network.Partition(server, client));
        network.Schedule(TimeSpan.FromSeconds(5), network.HealAll);

        network.RunUntil(() => pinger.Reason is not null);
        Assert.That(pinger.Pongs, Is.EqualTo(10));
        network.RunUntil(() => server.Reactor.Connections.Count == 0);
    }

    [Test]
    public void Failure_ReadsAsInTheGuide()
    {
        var failure = Assert.Throws<SimulationException>(static () => SimulatedNetwork.Explore(100, HastyOutage))!;
        TestContext.Out.WriteLine(failure.Message);

        string[] lines = failure.Message.Split('\n');
        Assert.That(lines[0], Does.Match(@"^Seed \d+ failed: "));
        Assert.That(
            failure.Message,
            Does.Match(@"\nRun it again with SimulatedNetwork\.Replay\(\d+\)\. The trace ends with:\n +\d+\.\d{7} "));
    }

    [Test]
    [Explicit("Run it by hand, with a seed that failed.")]
    public void Replay()
    {
        using var network = SimulatedNetwork.Replay(seed: 7);
        try
        {
            Outage(network);
        }
        finally
        {
            TestContext.Out.WriteLine(network.Trace);
        }
    }

    [Test]
    public void Outage_Replays()
    {
        ulong hash = SimulatedNetwork.Try(seed: 7, Outage);
        Assert.That(SimulatedNetwork.Try(seed: 7, Outage), Is.EqualTo(hash));
    }

    [Test]
    public void Pings_SurviveABadLine()
    {
        for (int seed = 1; seed <= 100; seed++)
        {
            SimulatedNetwork.Try(seed, SimulatedNetworkOptions.Draw(seed) with { LossChance = 0.2 }, Outage);
        }
    }

    [Test]
    public void Clock_IsAllTheTimeThereIs()
    {
        using var network = new SimulatedNetwork(seed: 1, SimulatedNetworkOptions.Ideal);
        SimulatedHost host = network.AddHost("host");
        int beats = 0;
        host.Reactor.SchedulePeriodic(TimeSpan.FromDays(1), TimeSpan.FromDays(1), () => beats++);
        network.RunFor(TimeSpan.FromDays(365.5));
        Assert.That(beats, Is.EqualTo(365));

        network.Clock.StepWallClock(TimeSpan.FromDays(-365));
        network.RunFor(TimeSpan.FromDays(1));
        Assert.That(beats, Is.EqualTo(366), "the wall clock does not matter to timers");

        host.Reactor.Post(() => host.Spend(TimeSpan.FromHours(30)));
        network.RunFor(TimeSpan.FromHours(31));
        Assert.That(beats, Is.EqualTo(367), "late, and once");
    }

    // A client with too little patience for an outage, and no second attempt.
    private static void HastyOutage(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(6380), new PingHandler());
        var pinger = new Pinger(count: 10);
        client.Reactor.ConnectAsync(
            server.EndPoint(6380),
            pinger,
            new ConnectOptions { Connection = new ConnectionOptions { ReadIdleTimeout = TimeSpan.FromSeconds(2) } });
        network.Schedule(
            TimeSpan.FromMilliseconds(network.Random.Next(1000)), () => network.Partition(server, client));
        network.Schedule(TimeSpan.FromSeconds(5), network.HealAll);
        network.RunUntil(() => pinger.Reason is not null);
        Assert.That(pinger.Reason!.Value.Kind, Is.EqualTo(CloseKind.Local));
    }
}

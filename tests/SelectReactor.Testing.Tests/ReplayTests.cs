using System.Net;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

public sealed class ReplayTests
{
    private static readonly byte[] _bytes = [.. Enumerable.Range(0, 5000).Select(static i => (byte)i)];

    [Test]
    public void Echo_ComesBackWhole_UnderEveryConditions() => SimulatedNetwork.Explore(500, EchoScenario);

    [Test]
    public void SameSeed_IsTheSameRun([Range(1, 40)] int seed)
    {
        ulong first = SimulatedNetwork.Try(seed, EchoScenario);

        Assert.That(SimulatedNetwork.Try(seed, EchoScenario), Is.EqualTo(first));
    }

    [Test]
    public void OtherSeeds_AreOtherRuns() => Assert.That(
        Enumerable.Range(1, 40).Select(static seed => SimulatedNetwork.Try(seed, EchoScenario)), Is.Unique);

    [Test]
    public void Failure_NamesItsSeed_WhichReplaysIt()
    {
        var failure = Assert.Throws<SimulationException>(static () => SimulatedNetwork.Explore(100, static network =>
        {
            EchoScenario(network);
            Assert.That(network.Seed, Is.LessThan(7));
        }))!;
        Assert.That(failure.Message, Does.Contain("Seed 7 failed").And.Contain("SimulatedNetwork.Replay(7)"));

        using var first = SimulatedNetwork.Replay(7);
        EchoScenario(first);
        Assert.That(first.Trace.Lines.Count(), Is.EqualTo(first.Trace.Count));
        Assert.That(failure.Message, Does.EndWith(string.Join('\n', first.Trace.Lines.TakeLast(20))));
    }

    [Test]
    public void Failure_IsNotHiddenByWhatComesOfIt()
    {
        var failure = Assert.Throws<SimulationException>(static () => SimulatedNetwork.Try(1, static network =>
        {
            Reactor reactor = network.AddHost("host").Reactor;
            reactor.Post(static () => throw new NotSupportedException("later"));
            throw new NotSupportedException("first");
        }))!;

        Assert.That(failure.Message, Does.Contain("first"));
    }

    [Test]
    public void FailureOfTheLastCallbacks_IsTold() => Assert.That(
        static () =>
        {
            using var network = new SimulatedNetwork(1);
            network.AddHost("host").Reactor.Post(static () => throw new NotSupportedException("last"));
        },
        Throws.TypeOf<NotSupportedException>());

    private static void EchoScenario(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), new Echo());
        var sender = new Sender(_bytes);
        client.Reactor.ConnectAsync(new DnsEndPoint("server", 7), sender);
        network.RunUntil(() => sender.IsClosed);
        network.RunUntilIdle();

        Assert.That(sender.Received, Is.EqualTo(_bytes));
        Assert.That(sender.Reason!.Value.Kind, Is.EqualTo(CloseKind.Local));
        Assert.That(client.OpenDescriptors, Is.Zero);
        Assert.That(server.OpenDescriptors, Is.EqualTo(2), "the listener and its spare");
        Assert.That(server.RegisteredKeys, Is.EqualTo(1));
    }
}

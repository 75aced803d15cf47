namespace SelectReactor.Testing.Tests;

public sealed class OptionsTests
{
    private static readonly Func<SimulatedNetworkOptions>[] _nonsense =
    [
        static () => new() { MinLatency = TimeSpan.FromTicks(-1) },
        static () => new() { MaxLatency = TimeSpan.FromTicks(-1) },
        static () => new() { BytesPerSecond = 0 },
        static () => new() { LossChance = 1 },
        static () => new() { LossChance = double.NaN },
        static () => new() { ResetChance = -0.1 },
        static () => new() { SpuriousReadinessChance = 1 },
        static () => new() { MaxSegmentBytes = 0 },
        static () => new() { SendBufferBytes = 1 },
        static () => new() { ReceiveWindowBytes = 0 },
        static () => new() { MaxDescriptors = 0 },
        static () => new() { TickTime = TimeSpan.FromTicks(-1) },
        static () => new() { MaxSteps = 0 },
        static () => new() { TraceCapacity = 0 },
    ];

    [Test]
    public void Nonsense_IsRefused([Range(0, 13)] int index) =>
        Assert.That(
            () => _nonsense[index](),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("SimulatedNetworkOptions."));

    [Test]
    public void Refusals_NameTheOption_TheValue_AndWhatIsAllowed()
    {
        Assert.That(
            static () => new SimulatedNetworkOptions { MaxSegmentBytes = -3 },
            Throws.Exception.With.Message.StartsWith(
                "SimulatedNetworkOptions.MaxSegmentBytes must be at least 1, not -3."));
        Assert.That(
            static () => new SimulatedNetworkOptions { LossChance = 1 },
            Throws.Exception.With.Message.StartsWith(
                "SimulatedNetworkOptions.LossChance must be from 0 to below 1, not 1."));
    }

    [Test]
    public void ANetwork_DoesNotFollowItsOptions()
    {
        var options = new SimulatedNetworkOptions { MaxSteps = 1000 };
        using var network = new SimulatedNetwork(1, options);
        options.MaxSteps = 1;
        network.Options.MaxSteps = 1;
        SimulatedNetworkOptions.Ideal.MaxSteps = 1;

        Assert.That(network.Options.MaxSteps, Is.EqualTo(1000));
        Assert.That(SimulatedNetworkOptions.Ideal.MaxSteps, Is.GreaterThan(1));
        SimulatedHost host = network.AddHost("host");
        host.Reactor.Post(static () => { });
        Assert.That(() => network.RunFor(TimeSpan.FromSeconds(1)), Throws.Nothing, "it needs more than one step");
    }

    [Test]
    public void LatenciesTheWrongWayRound_AreRefused() => Assert.That(
        static () => new SimulatedNetwork(1, new SimulatedNetworkOptions { MinLatency = TimeSpan.FromSeconds(1) }),
        Throws.ArgumentException.With.Message.Contains("MinLatency"));

    [Test]
    public void DrawnConditions_AreTheSameForOneSeed_AndDifferForMost()
    {
        SimulatedNetworkOptions[] drawn = [.. Enumerable.Range(1, 100).Select(SimulatedNetworkOptions.Draw)];

        Assert.That(drawn, Is.EqualTo(Enumerable.Range(1, 100).Select(SimulatedNetworkOptions.Draw)));
        Assert.That(drawn.Distinct().Count(), Is.GreaterThan(60));
    }
}

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
        Assert.That(() => _nonsense[index](), Throws.InstanceOf<ArgumentOutOfRangeException>());

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

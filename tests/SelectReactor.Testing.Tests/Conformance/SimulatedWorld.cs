using SelectReactor.Testing.Network;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>The loopback network of one simulated host, in virtual time: a wait runs the network.</summary>
internal sealed class SimulatedWorld : World
{
    private readonly SimulatedNetwork _network;

    public SimulatedWorld(int seed, SimulatedNetworkOptions options)
    {
        _network = new SimulatedNetwork(seed, options);
        SimulatedHost host = _network.AddHost("host");
        Handles = host.Handles;

        // Beside the one of the host's reactor, which has nothing to do here.
        Selector = new SimulatedLoop(host).Selector;
    }

    public override IHandleFactory Handles { get; }

    public override ISelector Selector { get; }

    public override TimeSpan Now => _network.Clock.Elapsed;

    public override TimeSpan Bound { get; } = TimeSpan.FromMinutes(10);

    public override TimeSpan Quiet { get; } = TimeSpan.FromSeconds(30);

    public override bool IsHonest => _network.Options.SpuriousReadinessChance == 0;

    public override void Dispose()
    {
        Selector.Dispose();
        _network.Dispose();
    }
}

using SelectReactor.Testing;
using SelectReactor.Testing.Network;

namespace SelectReactor.Soak;

/// <summary>Finds the simulated TCP stream below a connection.</summary>
internal static class Streams
{
    /// <summary>The stream of a connection that is open on one of the network's hosts.</summary>
    public static SimulatedStream StreamOf(this SimulatedNetwork network, Connection connection)
    {
        SimulatedHost host = network.Hosts.Single(host => host.Reactor == connection.Reactor);
        return (SimulatedStream)host.Entries.First(entry => entry.Key!.Attachment == connection).Handle;
    }
}

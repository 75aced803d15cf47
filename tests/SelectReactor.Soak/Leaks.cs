using SelectReactor.Testing;

namespace SelectReactor.Soak;

/// <summary>What must not be left once all connections are closed.</summary>
internal static class Leaks
{
    /// <summary>Runs until all is done, and looks whether every descriptor, key and segment came back.</summary>
    /// <param name="network">Its hosts have no open connection, and each listener keeps its spare descriptor.</param>
    /// <param name="listeners">How many listeners are open on all hosts: one that was forgotten would look like
    /// these.</param>
    public static void None(SimulatedNetwork network, int listeners = 1)
    {
        network.RunUntilIdle();
        Require.Equal(network.Hosts.Sum(static host => host.RegisteredKeys), listeners,
            "keys of all hosts, one for each listener,");
        foreach (SimulatedHost host in network.Hosts)
        {
            Require.Equal(host.Reactor.Connections.Count, 0, $"open connections of {host.Name}");
            Require.Equal(host.Reactor.Buffers.Outstanding, 0, $"segments not given back by {host.Name}");
            Require.Equal(host.EvictedKeys, 0, $"handles of {host.Name} that were closed while registered");
            Require.Equal(
                host.OpenDescriptors, 2 * host.RegisteredKeys, $"descriptors of {host.Name}, two for each listener,");
        }
    }
}

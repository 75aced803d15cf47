using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing;

/// <summary>The names of a <see cref="SimulatedNetwork"/> and their addresses. An answer takes one round trip of the
/// network.</summary>
public sealed class SimulatedNameResolver : INameResolver
{
    private readonly Dictionary<string, IPAddress[]> _addresses = new(StringComparer.OrdinalIgnoreCase);
    private readonly SimulatedNetwork _network;

    internal SimulatedNameResolver(SimulatedNetwork network)
    {
        _network = network;
        Set("localhost", IPAddress.Loopback, IPAddress.IPv6Loopback);
    }

    /// <summary>Sets the addresses of a name, best first. Nobody answers at an address that no host has.</summary>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public void Set(string name, params IPAddress[] addresses)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(addresses);
        _addresses[name] = [.. addresses];
    }

    /// <summary>Removes a name: resolving it fails.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public void Remove(string name) => _addresses.Remove(name);

    /// <inheritdoc/>
    public Task<IPAddress[]> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<IPAddress[]>();
        TimeSpan latency = _network.InternalRandom.Between(
            _network.Conditions.MinLatency, _network.Conditions.MaxLatency);
        _network.ScheduleEvent(2 * latency, () => _network.CallUser(() => Answer(answer, host, family)));
        return answer.Task;
    }

    private void Answer(TaskCompletionSource<IPAddress[]> answer, string host, AddressFamily family)
    {
        _network.Note($"the name {host} is asked for ({family})");
        IPAddress[] found =
            [.. _addresses.GetValueOrDefault(host, []).Where(address => address.AddressFamily == family)];
        if (found.Length > 0)
        {
            answer.SetResult(found);
        }
        else
        {
            answer.SetException(new SocketException((int)SocketError.HostNotFound));
        }
    }
}

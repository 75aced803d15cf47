using System.Net;

namespace SelectReactor.Testing.Network;

/// <summary>The ports of a host: the handles that are bound to each, and its listeners.</summary>
internal sealed class PortTable(SeededRandom random)
{
    private const int FirstEphemeral = 32768;
    private const int LastEphemeral = 60999;
    private readonly Dictionary<int, List<SimulatedHandle>> _bound = [];

    /// <summary>Zero when there is none.</summary>
    public int FindEphemeral()
    {
        int first = random.Between(FirstEphemeral, LastEphemeral);
        for (int port = first; port <= LastEphemeral; port++)
        {
            if (!_bound.ContainsKey(port))
            {
                return port;
            }
        }

        for (int port = FirstEphemeral; port < first; port++)
        {
            if (!_bound.ContainsKey(port))
            {
                return port;
            }
        }

        return 0;
    }

    /// <summary>Whether a handle may bind to an address, or begin to listen on the one that it has.</summary>
    public bool IsFree(IPEndPoint endPoint, SimulatedHandle handle) =>
        !_bound.TryGetValue(endPoint.Port, out List<SimulatedHandle>? others)
        || others.TrueForAll(other => other == handle
            || (other.SharesAddress && !other.IsListening)
            || (other.ReusesPort && handle.ReusesPort)
            || !Overlaps(other.Local!.Address, endPoint.Address));

    public void Add(SimulatedHandle handle)
    {
        if (!_bound.TryGetValue(handle.Local!.Port, out List<SimulatedHandle>? handles))
        {
            _bound[handle.Local.Port] = handles = [];
        }

        handles.Add(handle);
    }

    public void Remove(SimulatedHandle handle)
    {
        List<SimulatedHandle> handles = _bound[handle.Local!.Port];
        handles.Remove(handle);
        if (handles.Count == 0)
        {
            _bound.Remove(handle.Local.Port);
        }
    }

    /// <summary>A listener of this end point. Null if there is none.</summary>
    public SimulatedListener? ListenerOn(IPEndPoint endPoint)
    {
        if (!_bound.TryGetValue(endPoint.Port, out List<SimulatedHandle>? handles))
        {
            return null;
        }

        SimulatedListener[] listeners =
        [
            .. handles.OfType<SimulatedListener>().Where(
                listener => listener.IsListening && listener.Answers(endPoint.Address)),
        ];
        return listeners.Length == 0 ? null : listeners[listeners.Length == 1 ? 0 : random.Below(listeners.Length)];
    }

    /// <summary>The handles that receive a datagram for a port.</summary>
    public IEnumerable<SimulatedDatagram> DatagramsOn(int port) =>
        _bound.TryGetValue(port, out List<SimulatedHandle>? handles) ? handles.OfType<SimulatedDatagram>() : [];

    public static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static bool Overlaps(IPAddress one, IPAddress other) =>
        one.AddressFamily == other.AddressFamily && (IsAny(one) || IsAny(other) || one.Equals(other));
}

using System.Collections.Concurrent;

namespace SelectReactor.Diagnostics;

/// <summary>
/// The numbers of one reactor. It keeps no reactor alive. For the reactor's thread, except what is said to be for any
/// thread.
/// </summary>
internal sealed class ReactorCounts
{
    private readonly Instruments? _instruments;
    private readonly WeakReference<ILoopGauges>? _gauges;
    private readonly ConcurrentDictionary<EndpointTags, ConnectionCounts> _connections = new();
    private readonly ConcurrentDictionary<string, DatagramCounts> _datagrams = new();

    /// <summary>For the totals of reactors that have ended. They report to no meter.</summary>
    public ReactorCounts()
    {
    }

    public ReactorCounts(Instruments instruments, ILoopGauges? gauges)
    {
        _instruments = instruments;
        _gauges = gauges is null ? null : new WeakReference<ILoopGauges>(gauges);
    }

    public Instruments Instruments => _instruments ?? throw new InvalidOperationException("Totals have no meter.");

    /// <summary>Any thread.</summary>
    public IEnumerable<ConnectionCounts> Connections => _connections.Select(static pair => pair.Value);

    /// <summary>Any thread.</summary>
    public IEnumerable<DatagramCounts> Datagrams => _datagrams.Select(static pair => pair.Value);

    /// <summary>Null once the reactor is collected. Any thread.</summary>
    public ILoopGauges? Gauges => _gauges is not null && _gauges.TryGetTarget(out ILoopGauges? gauges) ? gauges : null;

    /// <summary>Lets those who ask for numbers find these.</summary>
    public void Begin()
    {
        Instruments.Registry.Add(this);
        ReactorEventSource.Instance.Registry.Add(this);
    }

    /// <summary>The reactor has ended. Idempotent.</summary>
    public void End()
    {
        Instruments.Registry.End(this);
        ReactorEventSource.Instance.Registry.End(this);
    }

    public ConnectionCounts Of(EndpointTags tags) => Exactly(Instruments.Registry.Limit(tags));

    public DatagramCounts DatagramsOf(string transport) =>
        _datagrams.GetOrAdd(transport, static transport => new DatagramCounts(transport));

    /// <summary>Adds all numbers of another reactor, which has ended.</summary>
    public void Add(ReactorCounts other)
    {
        foreach (ConnectionCounts counts in other.Connections)
        {
            Exactly(counts.Tags).Add(counts);
        }

        foreach (DatagramCounts counts in other.Datagrams)
        {
            DatagramsOf(counts.Transport).Add(counts);
        }
    }

    private ConnectionCounts Exactly(EndpointTags tags) =>
        _connections.GetOrAdd(tags, static (tags, instruments) => new(tags, instruments), _instruments);
}

using System.Net;
using System.Runtime.ExceptionServices;
using SelectReactor.Testing.InMemory;
using SelectReactor.Testing.Network;

namespace SelectReactor.Testing;

/// <summary>
/// A network of hosts in memory, each with reactors of its own, in virtual time: no socket, no thread, no sleep.
/// A seed decides everything random, so the same program on the same seed is the same run, to the last packet. Use it
/// on one thread.
/// </summary>
/// <remarks>It simulates TCP and UDP over IPv4 and IPv6, but no Unix-domain sockets. Code outside the reactors, such
/// as on the thread pool, does not replay. Results and readiness are those of Linux, with these exceptions: there are
/// no out-of-band bytes, buffers have other exact sizes, most socket options are accepted without effect, a stream
/// handle can't listen, and a listening handle can't connect.</remarks>
/// <example>
/// <code>
/// using var network = new SimulatedNetwork(seed: 1);
/// SimulatedHost server = network.AddHost("server"), client = network.AddHost("client");
/// server.Reactor.Listen(server.EndPoint(7), new EchoHandler());
/// client.Reactor.ConnectAsync(server.EndPoint(7), handler);
/// network.RunUntil(() => handler.HasAnswer);
/// </code>
/// </example>
public sealed partial class SimulatedNetwork : IDisposable
{
    private readonly List<SimulatedHost> _hosts = [];
    private readonly List<SimulatedLoop> _loops = [];
    private readonly HashSet<(SimulatedHost From, SimulatedHost To)> _cuts = [];
    private readonly List<Link> _held = [];

    /// <summary>Later failures are often consequences: the first one is the one to report.</summary>
    private bool _hasFailed;

    /// <summary>Makes a network with conditions that are drawn from the seed
    /// (<see cref="SimulatedNetworkOptions.Draw"/>).</summary>
    public SimulatedNetwork(int seed)
        : this(seed, SimulatedNetworkOptions.Draw(seed))
    {
    }

    /// <summary>Makes a network with conditions of your own. The seed decides everything that is random.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">MinLatency is above MaxLatency.</exception>
    public SimulatedNetwork(int seed, SimulatedNetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.MinLatency > options.MaxLatency)
        {
            throw new ArgumentException(
                $"MinLatency ({options.MinLatency}) is above MaxLatency ({options.MaxLatency}).", nameof(options));
        }

        Seed = seed;
        Conditions = options with { };
        InternalRandom = new SeededRandom(seed);
        Random = new Random(seed ^ 0x0DD5);
        Trace = new NetworkTrace(options.TraceCapacity);
        Clock = new SimulatedClock(this);
        Names = new SimulatedNameResolver(this);
    }

    /// <summary>The seed, which decides everything random.</summary>
    public int Seed { get; }

    /// <summary>A copy of the conditions.</summary>
    public SimulatedNetworkOptions Options => Conditions with { };

    /// <summary>The clock of all hosts.</summary>
    public SimulatedClock Clock { get; }

    /// <summary>Random numbers for the test. The seed decides them.</summary>
    public Random Random { get; }

    /// <summary>The events so far.</summary>
    public NetworkTrace Trace { get; }

    /// <summary>Host names and their addresses. Each host is known by its own name.</summary>
    public SimulatedNameResolver Names { get; }

    /// <summary>The hosts, in the order in which they were added.</summary>
    public IReadOnlyList<SimulatedHost> Hosts => _hosts;

    internal SeededRandom InternalRandom { get; }

    internal SimulatedNetworkOptions Conditions { get; }

    /// <summary>
    /// Makes the network of <see cref="SimulatedNetwork(int)"/>, but keeps its whole trace. Run the scenario that
    /// failed on this seed with it.
    /// </summary>
    public static SimulatedNetwork Replay(int seed) => Replay(seed, SimulatedNetworkOptions.Draw(seed));

    /// <summary>Makes a network that keeps its whole trace, with the conditions of the run that failed.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    public static SimulatedNetwork Replay(int seed, SimulatedNetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new SimulatedNetwork(seed, options with { TraceCapacity = int.MaxValue });
    }

    /// <summary>Runs a scenario on the seeds 1 to
    /// <paramref name="seeds"/>, each on a network of its own with conditions drawn from the seed.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="scenario"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="seeds"/> is not above zero.</exception>
    /// <exception cref="SimulationException">The scenario threw. The message names the seed and ends with the last
    /// lines of the trace; the inner exception is the one of the scenario.</exception>
    public static void Explore(int seeds, Action<SimulatedNetwork> scenario)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentOutOfRangeException.ThrowIfLessThan(seeds, 1);
        for (int seed = 1; seed <= seeds; seed++)
        {
            Try(seed, scenario);
        }
    }

    /// <summary>Runs a scenario on one seed, with conditions drawn from it.</summary>
    /// <inheritdoc cref="Try(int, SimulatedNetworkOptions, Action{SimulatedNetwork})"/>
    public static ulong Try(int seed, Action<SimulatedNetwork> scenario) =>
        Try(seed, SimulatedNetworkOptions.Draw(seed), scenario);

    /// <summary>Runs a scenario on one seed, with conditions of your own.</summary>
    /// <returns>The hash of the run's trace.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="SimulationException">The scenario threw. The message names the seed and ends with the last
    /// lines of the trace; the inner exception is the one of the scenario.</exception>
    public static ulong Try(int seed, SimulatedNetworkOptions options, Action<SimulatedNetwork> scenario)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        var network = new SimulatedNetwork(seed, options);
        try
        {
            scenario(network);
            ulong hash = network.Trace.Hash;
            network.Dispose();
            return hash;
        }
        catch (Exception exception)
        {
            SimulationException failure = network.Failure(exception);
            network.Dispose();
            throw failure;
        }
    }

    /// <summary>Adds a host with a reactor. An exception of a handler, a timer or a posted callback has the same
    /// consequences as in production, and is then thrown by the member that runs the network, so that a test does not
    /// overlook it. If exceptions are part of the test, use the other overload.</summary>
    /// <inheritdoc cref="AddHost(string, ReactorOptions)"/>
    public SimulatedHost AddHost(string name)
    {
        var faults = new FaultLog();
        return AddHost(name, new ReactorOptions { Logger = faults }, faults);
    }

    /// <summary>Adds a host with a reactor. Its addresses are 10.0.0.n and fd00::n, n from 1 on.</summary>
    /// <param name="name">The name that resolves to the host, and that the trace shows.</param>
    /// <param name="options">The reactor's options. Its clock, selector, handles and resolver are always those of the
    /// network.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">A host has this name.</exception>
    public SimulatedHost AddHost(string name, ReactorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return AddHost(name, options, faults: null);
    }
    /// <summary>Separates two hosts, in both directions, until <see cref="Heal(SimulatedHost, SimulatedHost)"/>.
    /// Packets are lost meanwhile, and TCP sends them again afterwards. A connection without an acknowledgement for
    /// fifteen minutes fails with <see cref="System.Net.Sockets.SocketError.TimedOut"/>.</summary>
    /// <exception cref="ArgumentNullException">A host is null.</exception>
    public void Partition(SimulatedHost one, SimulatedHost other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        Note($"{one.Name} and {other.Name} are cut off from each other");
        _cuts.Add((one, other));
        _cuts.Add((other, one));
    }

    /// <summary>Ends a <see cref="Partition"/>. Does nothing if there is none.</summary>
    /// <exception cref="ArgumentNullException">A host is null.</exception>
    public void Heal(SimulatedHost one, SimulatedHost other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        Note($"{one.Name} and {other.Name} reach each other");
        _cuts.Remove((one, other));
        _cuts.Remove((other, one));
        ReleaseHeld();
    }

    /// <summary>Ends every <see cref="Partition"/>.</summary>
    public void HealAll()
    {
        Note("all hosts reach each other");
        _cuts.Clear();
        ReleaseHeld();
    }

    /// <summary>Resets every connection between two hosts at both ends, as a firewall that forgets them does. Pass a
    /// host twice for its connections to itself.</summary>
    /// <exception cref="ArgumentNullException">A host is null.</exception>
    public void Reset(SimulatedHost one, SimulatedHost other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        Note($"the connections between {one.Name} and {other.Name} are cut");
        SimulatedStream[] streams =
        [
            .. one.Streams.Where(stream => stream.PeerHost == other),
            .. other.Streams.Where(stream => stream.PeerHost == one),
        ];
        foreach (SimulatedStream stream in streams)
        {
            stream.Cut();
        }
    }

    /// <summary>Adds a line to the trace, and so to its hash.</summary>
    public void Note(string text) => Trace.Add(Now, text);

    /// <summary>Disposes all reactors, which closes their connections and listeners. Throws the first exception of
    /// their last callbacks once all are disposed, unless the run has failed before. Idempotent.</summary>
    public void Dispose()
    {
        ExceptionDispatchInfo? first = null;
        foreach (SimulatedLoop loop in _loops)
        {
            try
            {
                loop.Reactor.Dispose();
                loop.Host.ThrowFault();
            }
            catch (Exception exception)
            {
                first ??= ExceptionDispatchInfo.Capture(exception);
            }
        }

        if (!_hasFailed)
        {
            first?.Throw();
        }
    }

    /// <summary>The host with this address. Null if there is none: packets to it are lost.</summary>
    internal SimulatedHost? HostOf(SimulatedHost from, IPAddress address) =>
        from.Has(address) ? from : _hosts.Find(host => !IPAddress.IsLoopback(address) && host.Has(address));

    internal void Add(SimulatedLoop loop) => _loops.Add(loop);

    internal bool IsCut(SimulatedHost from, SimulatedHost to) => _cuts.Contains((from, to));

    internal void Hold(Link link) => _held.Add(link);

    private SimulatedHost AddHost(string name, ReactorOptions options, FaultLog? faults)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (_hosts.Exists(host => host.Name == name))
        {
            throw new ArgumentException($"There is a host named {name}.", nameof(name));
        }

        var host = new SimulatedHost(this, name, _hosts.Count + 1, options, faults);
        _hosts.Add(host);
        Names.Set(name, host.Address, host.AddressV6);
        return host;
    }

    private SimulationException Failure(Exception cause)
    {
        _hasFailed = true;
        string arguments = Conditions == SimulatedNetworkOptions.Draw(Seed) ? $"{Seed}" : $"{Seed}, options";
        return new SimulationException(
            $"Seed {Seed} failed: {cause.Message}\nRun it again with SimulatedNetwork.Replay({arguments}). "
            + $"The trace ends with:\n{string.Join('\n', Trace.Lines.TakeLast(20))}",
            cause);
    }

    private void ReleaseHeld()
    {
        Link[] free = [.. _held.Where(link => !IsCut(link.From, link.To))];
        foreach (Link link in free)
        {
            _held.Remove(link);
            link.Release();
        }
    }
}

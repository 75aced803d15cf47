using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Testing.InMemory;
using SelectReactor.Testing.Network;

namespace SelectReactor.Testing;

/// <summary>
/// A machine on a <see cref="SimulatedNetwork"/>. It has addresses, a table of descriptors, and a
/// <see cref="SelectReactor.Reactor"/> that the network runs; <see cref="AddGroup(int)"/> adds more.
/// <see cref="SimulatedNetwork.AddHost(string)"/> makes it. Use it on the network's thread.
/// </summary>
public sealed class SimulatedHost
{
    private readonly List<SimulatedLoop> _loops = [];
    private readonly FaultLog? _faults;
    private readonly ILogger _logger;
    private SocketError _acceptError;
    private int _acceptErrorsLeft;

    internal SimulatedHost(SimulatedNetwork network, string name, int number, ReactorOptions options, FaultLog? faults)
    {
        _faults = faults;
        _logger = options.Logger;
        Network = network;
        Name = name;
        Address = new IPAddress([10, 0, (byte)(number >> 8), (byte)number]);
        AddressV6 = IPAddress.Parse($"fd00::{number:x}");
        Descriptors = new DescriptorTable(network.Conditions.MaxDescriptors);
        Ports = new PortTable(network.InternalRandom);
        DatagramPorts = new PortTable(network.InternalRandom);
        Handles = new SimulatedHandleFactory(this);
        Reactor = AddReactor(options);
    }

    /// <summary>The name by which the other hosts find it.</summary>
    public string Name { get; }

    /// <summary>Its IPv4 address; it also has 127.0.0.1 for itself.</summary>
    public IPAddress Address { get; }

    /// <summary>Its IPv6 address; it also has ::1 for itself.</summary>
    public IPAddress AddressV6 { get; }

    /// <summary>Its reactor: the first, if <see cref="AddGroup(int)"/> has added others.</summary>
    public Reactor Reactor { get; }

    /// <summary>Makes handles on this host, for a peer without a reactor. A test may connect, send and receive with
    /// them in any order.</summary>
    public IHandleFactory Handles { get; }

    /// <summary>How many descriptors the host may have open. Lower it to run out of descriptors for a
    /// while.</summary>
    public int MaxDescriptors
    {
        get => Descriptors.Capacity;
        set => Descriptors.Capacity = value;
    }

    /// <summary>How many descriptors are open: listeners, connections, and the spare one that each listener
    /// keeps.</summary>
    public int OpenDescriptors => Descriptors.Open;

    /// <summary>How many handles the selectors of its reactors watch.</summary>
    public int RegisteredKeys => _loops.Sum(static loop => loop.Selector.Entries.Count);

    /// <summary>How many handles were closed while they were still registered.</summary>
    public int EvictedKeys => _loops.Sum(static loop => loop.Selector.Evicted);

    /// <summary>How many ticks its reactors have run. If there are more than events and timers explain, a loop
    /// spins.</summary>
    public long Ticks => _loops.Sum(static loop => loop.Ticks);

    internal SimulatedNetwork Network { get; }

    internal DescriptorTable Descriptors { get; }

    /// <summary>The ports of TCP.</summary>
    internal PortTable Ports { get; }

    /// <summary>The ports of UDP.</summary>
    internal PortTable DatagramPorts { get; }

    /// <summary>How many of the next changes of interest the selector of its first reactor refuses.</summary>
    internal int SelectorUpdatesToFail
    {
        get => _loops[0].Selector.UpdatesToFail;
        set => _loops[0].Selector.UpdatesToFail = value;
    }

    /// <summary>What the selector of its first reactor watches.</summary>
    internal IReadOnlyList<SelectorEntry> Entries => _loops[0].Selector.Entries;

    /// <summary>How many bytes its system has taken for its programs, without those that a reset discarded.</summary>
    internal long TakenBytes { get; set; }

    /// <summary>The open ends on this host.</summary>
    internal List<SimulatedStream> Streams { get; } = [];

    /// <summary>An address of this host with a port, to listen on or to connect to.</summary>
    public IPEndPoint EndPoint(int port) => new(Address, port);

    /// <summary>Adds a group of reactors, which the network runs beside the host's own. They share its addresses and
    /// descriptors. An exception of a handler is treated as on the host's own reactor.</summary>
    /// <inheritdoc cref="AddGroup(int, ReactorGroupOptions)"/>
    public ReactorGroup AddGroup(int count) => AddGroup(count, new ReactorGroupOptions());

    /// <summary>Adds a group of reactors, which the network runs beside the host's own. They share its addresses and
    /// descriptors.</summary>
    /// <param name="count">How many reactors, at least one.</param>
    /// <param name="options">The options of the group. The clock, the selectors, the handles and the resolver of its
    /// reactors are always those of the network, and they have no threads. Where the logger is the default, it is
    /// that of the host's own reactor.</param>
    /// <returns>The group. The network disposes of it.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below one.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    public ReactorGroup AddGroup(int count, ReactorGroupOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentNullException.ThrowIfNull(options);
        List<SimulatedLoop> loops = [];
        var group = new ReactorGroup(count, new ReactorGroupOptions
        {
            StartThreads = false,
            Sharing = options.Sharing,
            MaxConnections = options.MaxConnections,
            Reactor = OnNetwork(options.Reactor, () =>
            {
                loops.Add(new SimulatedLoop(this));
                return loops[^1].Selector;
            }),
        });
        for (int i = 0; i < count; i++)
        {
            loops[i].Reactor = group.Reactors[i];
            Add(loops[i]);
        }

        return group;
    }

    /// <summary>Stops all its reactors for this long, as a stopped process or an overloaded machine does. The host's
    /// system still receives and acknowledges. If stalls overlap, the last end counts.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    public void Stall(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        Note($"is stalled for {time}");
        _loops.ForEach(loop => loop.Stall(time));
    }

    /// <summary>Stops one of its reactors for this long, as a callback that computes, or a system that runs other
    /// threads, does. If stalls overlap, the last end counts.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    /// <exception cref="ArgumentException"><paramref name="reactor"/> is not one of this host.</exception>
    public void Stall(Reactor reactor, TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        int index = IndexOf(reactor);
        Note($"reactor {index} is stalled for {time}");
        _loops[index].Stall(time);
    }

    /// <summary>Lets the next wait of one of its reactors fail, as epoll_wait(2) does when the epoll descriptor was
    /// closed. The exception ends that reactor's loop, which closes everything of it. The exception is
    /// logged, and the run goes on.</summary>
    /// <param name="reactor">One of this host.</param>
    /// <param name="error">The exception of the selector.</param>
    /// <exception cref="ArgumentNullException"><paramref name="error"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="reactor"/> is not one of this host.</exception>
    public void FailLoop(Reactor reactor, Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        int index = IndexOf(reactor);
        Note($"the selector of reactor {index} fails: {error.Message}");
        _faults?.Expect(error);
        _loops[index].Selector.Fault = error;
        _loops[index].Touch();
    }

    /// <summary>Simulates a callback that takes this long: call it in a callback of one of this host's reactors. The
    /// rest of the network runs meanwhile. If two reactors spend time at once, the one that began first ends
    /// last.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called outside this host's callbacks.</exception>
    public void Spend(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        SynchronizationContext? current = SynchronizationContext.Current;
        SimulatedLoop spending = _loops.Find(loop => loop.Reactor.SynchronizationContext == current)
            ?? throw new InvalidOperationException(
                $"Only a callback of a reactor of {Name} can spend its time; see Stall.");
        Note($"spends {time}");
        spending.Wait(static () => false, Network.After(time));
    }

    /// <summary>Lets the next accepts that find a client fail. Each failure loses that client, as
    /// <see cref="SocketError.ConnectionAborted"/> of accept(2) does.</summary>
    /// <param name="error">The error of these accepts.</param>
    /// <param name="count">How many accepts fail.</param>
    public void FailAccepts(SocketError error, int count)
    {
        Note($"fails {count} accepts with {error}");
        _acceptError = error;
        _acceptErrorsLeft = count;
    }

    /// <summary>Throws the first exception of the user's code since the last call, unless the test has its own
    /// logger.</summary>
    internal void ThrowFault() => _faults?.ThrowFirst();

    internal SocketError TakeAcceptError() =>
        _acceptErrorsLeft > 0 && _acceptErrorsLeft-- > 0 ? _acceptError : SocketError.Success;

    internal bool Has(IPAddress address) =>
        address.Equals(Address) || address.Equals(AddressV6) || IPAddress.IsLoopback(address);

    internal void Note(string text) => Network.Note($"{Name} {text}");

    /// <summary>Something happened that may concern its reactors.</summary>
    internal void Touch() => _loops.ForEach(static loop => loop.Touch());

    private int IndexOf(Reactor reactor)
    {
        int index = _loops.FindIndex(loop => loop.Reactor == reactor);
        return index >= 0 ? index
            : throw new ArgumentException($"The reactor is not one of {Name}.", nameof(reactor));
    }

    private Reactor AddReactor(ReactorOptions options)
    {
        var loop = new SimulatedLoop(this);
        loop.Reactor = new Reactor(OnNetwork(options, () => loop.Selector));
        Add(loop);
        return loop.Reactor;
    }

    private void Add(SimulatedLoop loop)
    {
        _loops.Add(loop);
        Network.Add(loop);
    }

    private ReactorOptions OnNetwork(ReactorOptions options, Func<ISelector> selectorFactory) => new()
    {
        TimeProvider = Network.Clock,
        SelectorFactory = selectorFactory,
        HandleFactory = Handles,
        NameResolver = Network.Names,
        Logger = options.Logger == new ReactorOptions().Logger ? _logger : options.Logger,
        MaxConnections = options.MaxConnections,
        MaxLingeringConnections = options.MaxLingeringConnections,
        MaxPostsPerTick = options.MaxPostsPerTick,
        MeterFactory = options.MeterFactory,
        PropagateExceptions = options.PropagateExceptions,
    };
}

using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing.InMemory;
using SelectReactor.Testing.Network;

namespace SelectReactor.Testing;

/// <summary>
/// A machine on a <see cref="SimulatedNetwork"/>. It has addresses, a table of descriptors, and a
/// <see cref="SelectReactor.Reactor"/> that the network runs. <see cref="SimulatedNetwork.AddHost(string)"/> makes
/// it. Use it on the network's thread.
/// </summary>
[SuppressMessage("Reliability", "CA1001",
    Justification = "The reactor owns its selector, and the network the reactor.")]
public sealed class SimulatedHost
{
    private readonly SimulatedSelector _selector;
    private readonly FaultLog? _faults;
    private long _stalledUntil;
    private SocketError _acceptError;
    private int _acceptErrorsLeft;

    internal SimulatedHost(SimulatedNetwork network, string name, int number, ReactorOptions options, FaultLog? faults)
    {
        _faults = faults;
        Network = network;
        Name = name;
        Address = new IPAddress([10, 0, (byte)(number >> 8), (byte)number]);
        AddressV6 = IPAddress.Parse($"fd00::{number:x}");
        Descriptors = new DescriptorTable(network.Conditions.MaxDescriptors);
        Ports = new PortTable(network.InternalRandom);
        DatagramPorts = new PortTable(network.InternalRandom);
        Handles = new SimulatedHandleFactory(this);
        _selector = new SimulatedSelector(this);
        Reactor = new Reactor(new ReactorOptions
        {
            TimeProvider = network.Clock,
            SelectorFactory = () => _selector,
            HandleFactory = Handles,
            NameResolver = network.Names,
            Logger = options.Logger,
            MaxConnections = options.MaxConnections,
            MaxPostsPerTick = options.MaxPostsPerTick,
            PropagateExceptions = options.PropagateExceptions,
        });
    }

    /// <summary>The name by which the other hosts find it.</summary>
    public string Name { get; }

    /// <summary>Its IPv4 address; it also has 127.0.0.1 for itself.</summary>
    public IPAddress Address { get; }

    /// <summary>Its IPv6 address; it also has ::1 for itself.</summary>
    public IPAddress AddressV6 { get; }

    /// <summary>Its reactor.</summary>
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

    /// <summary>How many handles the reactor's selector watches.</summary>
    public int RegisteredKeys => _selector.Entries.Count;

    /// <summary>How many handles were closed while they were still registered.</summary>
    public int EvictedKeys => _selector.Evicted;

    /// <summary>How many ticks the reactor has run. If there are more than events and timers explain, the loop
    /// spins.</summary>
    public long Ticks { get; private set; }

    internal SimulatedNetwork Network { get; }

    internal DescriptorTable Descriptors { get; }

    /// <summary>The ports of TCP.</summary>
    internal PortTable Ports { get; }

    /// <summary>The ports of UDP.</summary>
    internal PortTable DatagramPorts { get; }

    /// <summary>How many of the next changes of interest its selector refuses.</summary>
    internal int SelectorUpdatesToFail
    {
        get => _selector.UpdatesToFail;
        set => _selector.UpdatesToFail = value;
    }

    /// <summary>What its reactor's selector watches.</summary>
    internal IReadOnlyList<SelectorEntry> Entries => _selector.Entries;

    /// <summary>How many bytes its system has taken for its programs, without those that a reset discarded.</summary>
    internal long TakenBytes { get; set; }

    /// <summary>The open ends on this host.</summary>
    internal List<SimulatedStream> Streams { get; } = [];

    /// <summary>When the reactor runs its next tick if nothing happens before. Never, once it is disposed.</summary>
    internal long WakeAt => _selector.IsDisposed ? long.MaxValue
        : IsTouched || _selector.IsWoken ? _stalledUntil
        : Math.Max(_selector.SleepsUntil, _stalledUntil);

    /// <summary>Whether something happened to it since its last wait.</summary>
    internal bool IsTouched { get => field && !_selector.IsDisposed; private set; } = true;

    /// <summary>Whether the reactor waits for an event or for a timer.</summary>
    internal bool IsAsleep =>
        _selector.IsDisposed || (!IsTouched && !_selector.IsWoken && _selector.SleepsUntil > Network.Now);

    /// <summary>Whether the reactor is in a tick: it can't begin another.</summary>
    internal bool IsBusy { get; private set; }

    /// <summary>An address of this host with a port, to listen on or to connect to.</summary>
    public IPEndPoint EndPoint(int port) => new(Address, port);

    /// <summary>Stops the reactor for this long, as a stopped process or an overloaded machine does. The host's
    /// system still receives and acknowledges. If stalls overlap, the last end counts.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    public void Stall(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        Note($"is stalled for {time}");
        _stalledUntil = Math.Max(_stalledUntil, Network.After(time));
    }

    /// <summary>Simulates a callback that takes this long: call it in a callback of this host's reactor. The rest of
    /// the network runs meanwhile. If two hosts spend time at once, the one that began first ends last.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called outside this host's callbacks.</exception>
    public void Spend(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        if (SynchronizationContext.Current != Reactor.SynchronizationContext)
        {
            throw new InvalidOperationException($"Only a callback of {Name}'s reactor can spend its time; see Stall.");
        }

        Note($"spends {time}");
        Wait(static () => false, Network.After(time));
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

    /// <summary>Something happened that may concern the reactor.</summary>
    internal void Touch() => IsTouched = true;

    internal void BeginWait() => IsTouched = false;

    internal void Tick()
    {
        IsBusy = true;
        try
        {
            Ticks++;
            IsTouched = Reactor.RunOnce(Timeout.InfiniteTimeSpan) > 0 || IsTouched;
            if (!IsAsleep)
            {
                Network.NoteUserCode();
            }

            ThrowFault();
        }
        finally
        {
            IsBusy = false;
            _stalledUntil = Math.Max(_stalledUntil, Network.After(Network.Conditions.TickTime));
        }
    }

    /// <summary>Runs the rest of the network while this reactor is in the middle of a tick.</summary>
    internal bool Wait(Func<bool> isOver, long deadline)
    {
        bool wasBusy = IsBusy;
        IsBusy = true;
        try
        {
            return Network.Drive(isOver, deadline);
        }
        finally
        {
            IsBusy = wasBusy;
        }
    }
}

using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <summary>A handle on a listening socket. Several handles, of several reactors, may share one socket and its
/// backlog.</summary>
internal sealed class SimulatedListener : SimulatedHandle
{
    /// <summary>The limit of the system: the default of net.core.somaxconn on Linux.</summary>
    private const int MaxBacklog = 4096;

    /// <summary>Linux forgets a client that does not confirm the connection within this time (tcp_synack_retries,
    /// tcp(7)).</summary>
    private static readonly TimeSpan _handshake = TimeSpan.FromSeconds(63);

    private readonly ListeningState _socket;

    public SimulatedListener(SimulatedHost host, int descriptor, AddressFamily family)
        : this(host, descriptor, family, new ListeningState())
    {
    }

    private SimulatedListener(SimulatedHost host, int descriptor, AddressFamily family, ListeningState socket)
        : base(host, descriptor, family)
    {
        _socket = socket;
        _socket.Handles++;
    }

    public override bool IsListening => _socket.IsListening;

    /// <summary>The buffer size that accepted handles inherit. Null if it was not set.</summary>
    public int? SendBufferBytes => _socket.SendBufferBytes;

    public int? ReceiveBufferBytes => _socket.ReceiveBufferBytes;

    // poll(2): a socket that is neither connected nor listening has hung up.
    public override Interest Readiness => !IsListening ? Interest.Connect | Interest.Read | Interest.Write
        : _socket.Backlog.Count > 0 ? Interest.Read : Interest.None;

    public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value)
    {
        _socket.TakesBothFamilies |=
            (level, name) == (SocketOptionLevel.IPv6, SocketOptionName.IPv6Only) && value == 0;
        if ((level, name) == (SocketOptionLevel.Socket, SocketOptionName.SendBuffer))
        {
            _socket.SendBufferBytes = Math.Max(2, value);
        }
        else if ((level, name) == (SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer))
        {
            _socket.ReceiveBufferBytes = Math.Max(1, value);
        }

        return base.SetOption(level, name, value);
    }

    public override SocketError Listen(int backlog)
    {
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        if (Local is null)
        {
            return SocketError.InvalidArgument;
        }

        if (!Host.Ports.IsFree(Local, this))
        {
            return SocketError.AddressAlreadyInUse;
        }

        _socket.BacklogSize = Math.Min(backlog, MaxBacklog);
        Note($"listen, backlog {_socket.BacklogSize}");
        _socket.IsListening = true;
        return SocketError.Success;
    }

    public override Handle? ShareListener()
    {
        if (IsClosed || !IsListening || Host.Descriptors.IsFull)
        {
            return null;
        }

        var share = new SimulatedListener(Host, Host.Descriptors.Take(), Family, _socket);
        share.Claim(Local!);
        return share;
    }

    public override SocketError Accept(out Handle? accepted)
    {
        accepted = null;
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        if (!IsListening)
        {
            return SocketError.InvalidArgument;
        }

        if (_socket.Backlog.Count == 0)
        {
            return SocketError.WouldBlock;
        }

        if (Host.Descriptors.IsFull)
        {
            Note("accept: no descriptor is left");
            return SocketError.TooManyOpenSockets;
        }

        SimulatedStream stream = _socket.Backlog.Dequeue();
        if (Host.TakeAcceptError() is not SocketError.Success and var error)
        {
            Note($"accept: {error}");
            stream.Refuse();
            return error;
        }

        stream.Open(Host.Descriptors.Take());
        Note($"accept from {stream.RemoteEndPoint}");
        accepted = stream;
        return SocketError.Success;
    }

    /// <summary>Whether it takes clients of this address of its host.</summary>
    public bool Answers(IPAddress address) => Local!.Address.Equals(address)
        || (PortTable.IsAny(Local.Address)
            && (Local.AddressFamily == address.AddressFamily || (_socket.TakesBothFamilies
                && Family == AddressFamily.InterNetworkV6)));

    /// <summary>A client's SYN arrives. As on Linux, there is room for one more client than the backlog
    /// says.</summary>
    public void OnSyn(SimulatedStream client)
    {
        if (_socket.Backlog.Count + _socket.HalfOpen.Count > _socket.BacklogSize)
        {
            Note("the backlog is full: a client is left without an answer");
            return;
        }

        var stream = new SimulatedStream(Host, client, this, Family);
        _socket.HalfOpen.Add(stream);
        stream.SendSynAck();
        Network.ScheduleTimer(_handshake, () =>
        {
            if (_socket.HalfOpen.Remove(stream))
            {
                stream.Forget();
            }
        });
    }

    /// <summary>The client has our answer.</summary>
    public void OnEstablished(SimulatedStream stream)
    {
        if (_socket.HalfOpen.Remove(stream))
        {
            _socket.Backlog.Enqueue(stream);
            Host.Touch();
        }
    }

    /// <summary>The client went away before it was established.</summary>
    public void Forget(SimulatedStream stream) => _socket.HalfOpen.Remove(stream);

    protected override void OnClosing(bool reset)
    {
        _socket.Handles--;
        if (_socket.Handles > 0)
        {
            return;
        }

        foreach (SimulatedStream stream in _socket.HalfOpen.Concat(_socket.Backlog).ToArray())
        {
            stream.Refuse();
        }

        _socket.HalfOpen.Clear();
        _socket.Backlog.Clear();
        _socket.IsListening = false;
    }

    /// <summary>What the handles on one socket have in common.</summary>
    private sealed class ListeningState
    {
        public Queue<SimulatedStream> Backlog { get; } = new();

        public HashSet<SimulatedStream> HalfOpen { get; } = [];

        public int BacklogSize { get; set; }

        public bool IsListening { get; set; }

        public bool TakesBothFamilies { get; set; }

        public int? SendBufferBytes { get; set; }

        public int? ReceiveBufferBytes { get; set; }

        /// <summary>The number of open handles.</summary>
        public int Handles { get; set; }
    }
}

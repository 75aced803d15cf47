using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <summary>A listening handle and its backlog.</summary>
internal sealed class SimulatedListener(SimulatedHost host, int descriptor, AddressFamily family)
    : SimulatedHandle(host, descriptor, family)
{
    /// <summary>The limit of the system: the default of net.core.somaxconn on Linux.</summary>
    private const int MaxBacklog = 4096;

    /// <summary>Linux forgets a client that does not confirm the connection within this time (tcp_synack_retries,
    /// tcp(7)).</summary>
    private static readonly TimeSpan _handshake = TimeSpan.FromSeconds(63);

    private readonly Queue<SimulatedStream> _backlog = new();
    private readonly HashSet<SimulatedStream> _halfOpen = [];
    private int _backlogSize;
    private bool _isListening;
    private bool _takesBothFamilies;

    public override bool IsListening => _isListening;

    /// <summary>The buffer size that accepted handles inherit. Null if it was not set.</summary>
    public int? SendBufferBytes { get; private set; }

    public int? ReceiveBufferBytes { get; private set; }

    // poll(2): a socket that is neither connected nor listening has hung up.
    public override Interest Readiness => !_isListening ? Interest.Connect | Interest.Read | Interest.Write
        : _backlog.Count > 0 ? Interest.Read : Interest.None;

    public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value)
    {
        _takesBothFamilies |= (level, name) == (SocketOptionLevel.IPv6, SocketOptionName.IPv6Only) && value == 0;
        if ((level, name) == (SocketOptionLevel.Socket, SocketOptionName.SendBuffer))
        {
            SendBufferBytes = Math.Max(2, value);
        }
        else if ((level, name) == (SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer))
        {
            ReceiveBufferBytes = Math.Max(1, value);
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

        _backlogSize = Math.Min(backlog, MaxBacklog);
        Note($"listen, backlog {_backlogSize}");
        _isListening = true;
        return SocketError.Success;
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

        if (_backlog.Count == 0)
        {
            return SocketError.WouldBlock;
        }

        if (Host.Descriptors.IsFull)
        {
            Note("accept: no descriptor is left");
            return SocketError.TooManyOpenSockets;
        }

        SimulatedStream stream = _backlog.Dequeue();
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
            && (Local.AddressFamily == address.AddressFamily || (_takesBothFamilies
                && Family == AddressFamily.InterNetworkV6)));

    /// <summary>A client's SYN arrives. As on Linux, there is room for one more client than the backlog
    /// says.</summary>
    public void OnSyn(SimulatedStream client)
    {
        if (_backlog.Count + _halfOpen.Count > _backlogSize)
        {
            Note("the backlog is full: a client is left without an answer");
            return;
        }

        var stream = new SimulatedStream(Host, client, this, Family);
        _halfOpen.Add(stream);
        stream.SendSynAck();
        Network.ScheduleTimer(_handshake, () =>
        {
            if (_halfOpen.Remove(stream))
            {
                stream.Forget();
            }
        });
    }

    /// <summary>The client has our answer.</summary>
    public void OnEstablished(SimulatedStream stream)
    {
        if (_halfOpen.Remove(stream))
        {
            _backlog.Enqueue(stream);
            Touch();
        }
    }

    /// <summary>The client went away before it was established.</summary>
    public void Forget(SimulatedStream stream) => _halfOpen.Remove(stream);

    protected override void OnClosing(bool reset)
    {
        foreach (SimulatedStream stream in _halfOpen.Concat(_backlog).ToArray())
        {
            stream.Refuse();
        }

        _halfOpen.Clear();
        _backlog.Clear();
        _isListening = false;
    }
}

using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <summary>The common part of the handles of a simulated host: descriptor, address, options.</summary>
internal abstract class SimulatedHandle(SimulatedHost host, int descriptor, AddressFamily family) : Handle
{
    /// <summary>In place of a descriptor: waits to be accepted.</summary>
    public const int NotAccepted = -1;

    /// <summary>In place of a descriptor: the program has closed it.</summary>
    private const int Released = -2;

    private bool _isBound;

    public SimulatedHost Host => host;

    public IPEndPoint? Local { get; private set; }

    public override EndPoint? LocalEndPoint => IsClosed ? null : Local;

    /// <summary>Whether others may bind to its address while it does not listen (SO_REUSEADDR). The runtime sets this
    /// option whenever it binds a TCP socket.</summary>
    public bool SharesAddress { get; private set; }

    public virtual bool IsListening => false;

    public override bool IsClosed => Descriptor < 0;

    /// <summary>SO_REUSEPORT, which the runtime sets with SO_REUSEADDR.</summary>
    public bool ReusesPort { get; private set; }

    /// <summary>Everything that the handle is ready for now.</summary>
    public abstract Interest Readiness { get; }

    /// <summary>Whether its program has closed it; the connection may go on without it.</summary>
    protected bool IsOrphan => Descriptor == Released;

    protected virtual bool SharesWhenBound => true;

    /// <summary>The ports of its protocol.</summary>
    protected virtual PortTable Ports => host.Ports;

    private int Descriptor { get; set; } = descriptor;

    protected AddressFamily Family => family;

    protected SimulatedNetwork Network => host.Network;

    public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value)
    {
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        ReusesPort |= (level, name) == (SocketOptionLevel.Socket, SocketOptionName.ReuseAddress) && value != 0;
        return SocketError.Success;
    }

    public override SocketError Bind(EndPoint localEndPoint)
    {
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        if (localEndPoint is not IPEndPoint wanted || wanted.AddressFamily != family)
        {
            return SocketError.AddressFamilyNotSupported;
        }

        if (Local is not null)
        {
            return SocketError.InvalidArgument;
        }

        if (!PortTable.IsAny(wanted.Address) && !host.Has(wanted.Address))
        {
            return SocketError.AddressNotAvailable;
        }

        var endPoint = new IPEndPoint(wanted.Address, wanted.Port == 0 ? Ports.FindEphemeral() : wanted.Port);
        if (endPoint.Port == 0 || !Ports.IsFree(endPoint, this))
        {
            return SocketError.AddressAlreadyInUse;
        }

        SharesAddress = SharesWhenBound;
        Claim(endPoint);
        return SocketError.Success;
    }

    public override SocketError Listen(int backlog) => WhileOpen(SocketError.OperationNotSupported);

    public override SocketError Accept(out Handle? accepted)
    {
        accepted = null;
        return WhileOpen(SocketError.OperationNotSupported);
    }

    public override SocketError Connect(EndPoint remoteEndPoint) => WhileOpen(SocketError.OperationNotSupported);

    public override SocketError Receive(Span<byte> buffer, out int received)
    {
        received = 0;
        return WhileOpen(SocketError.NotConnected);
    }

    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        sent = 0;
        return WhileOpen(SocketError.Shutdown);
    }

    public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        sent = 0;
        return WhileOpen(SocketError.Shutdown);
    }

    public override SocketError Shutdown(SocketShutdown how) => WhileOpen(SocketError.NotConnected);

    public override SocketError TakeError() => WhileOpen(SocketError.Success);

    public override void Close() => End(reset: false);

    public override void Abort() => End(reset: true);

    /// <summary>Sets the descriptor of a handle that was accepted.</summary>
    public void Open(int descriptor) => Descriptor = descriptor;

    /// <summary>The program closes the handle. The connection may go on without it.</summary>
    protected abstract void OnClosing(bool reset);

    protected void Note(string text) => host.Note(IsClosed ? text : $"fd {Descriptor}: {text}");

    protected void Touch()
    {
        if (!IsClosed)
        {
            host.Touch();
        }
    }

    /// <summary>Binds, and takes the port.</summary>
    protected void Claim(IPEndPoint endPoint)
    {
        Local = endPoint;
        _isBound = true;
        Ports.Add(this);
        Note($"is bound to {endPoint}");
    }

    /// <summary>Sets the address without taking a port: of an accepted handle, and of one that was bound to any
    /// address.</summary>
    protected void Relocate(IPEndPoint endPoint) => Local = endPoint;

    protected SocketError WhileOpen(SocketError answer) => IsClosed ? SocketError.OperationAborted : answer;

    private void End(bool reset)
    {
        if (IsClosed)
        {
            return;
        }

        Note(reset ? "abort" : "close");
        host.Descriptors.Free(Descriptor);
        Descriptor = Released;
        OnClosing(reset);
        if (_isBound)
        {
            Ports.Remove(this);
        }
    }
}

using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <summary>One end of a simulated TCP connection, as its program sees it. Results are those of Linux unless an
/// option says otherwise.</summary>
internal sealed partial class SimulatedStream : SimulatedHandle
{
    private readonly SendQueue _send;
    private readonly ReceiveQueue _receive;
    private IPEndPoint? _remote;
    private SocketError _error;
    private bool _isInputShut;
    private bool _isOutputShut;

    public SimulatedStream(SimulatedHost host, int descriptor, AddressFamily family)
        : base(host, descriptor, family)
    {
        _send = new SendQueue(host.Network.Conditions.SendBufferBytes);
        _receive = new ReceiveQueue(host.Network.Conditions.ReceiveWindowBytes);
    }

    public override EndPoint? LocalEndPoint => WasConnected || SharesAddress ? base.LocalEndPoint : null;

    public override EndPoint? RemoteEndPoint => IsClosed || !WasConnected ? null : _remote;

    public override Interest Readiness => State switch
    {
        TcpState.SynSent => Interest.None,

        // poll(2): a socket that is not connected has hung up.
        TcpState.Unconnected or TcpState.Failed or TcpState.Reset => Interest.Connect | Interest.Read | Interest.Write,
        _ => (IsReadable ? Interest.Read : Interest.None)
            | (IsWritable ? Interest.Connect | Interest.Write : Interest.None),
    };

    /// <summary>How many bytes of the peer this end's system has taken and acknowledged.</summary>
    public long TakenBytes => _receive.TakenBytes;

    /// <summary>Whether the peer's FIN has come, and no reset has discarded it.</summary>
    public bool IsInputEnded => _receive.IsEnded;

    /// <summary>How many of this end's bytes the peer's system has acknowledged, as far as this end knows.</summary>
    public long AcknowledgedBytes => _send.AcknowledgedBytes;

    private bool WasConnected => State is not (TcpState.Unconnected or TcpState.SynSent or TcpState.Failed);

    private bool IsReadable => _receive.Count > 0 || _receive.IsEnded || _isInputShut;

    // A send fails at once when the output is shut, so a wait reports it. Linux reports room when a third of the
    // buffer is free (sk_stream_is_writeable).
    private bool IsWritable => !State.CanSend()
        || (_send.Room > 0 && _send.Room >= (int)(_send.Capacity * Network.Conditions.MinWritableShare));

    public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value)
    {
        if ((level, name) == (SocketOptionLevel.Socket, SocketOptionName.SendBuffer))
        {
            _send.Capacity = Math.Max(2, value);
        }
        else if ((level, name) == (SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer))
        {
            _receive.Capacity = Math.Max(1, value);
        }

        return base.SetOption(level, name, value);
    }

    public override SocketError Connect(EndPoint remoteEndPoint)
    {
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        if (State != TcpState.Unconnected)
        {
            return State == TcpState.SynSent ? SocketError.AlreadyInProgress
                : State.IsOver() ? SocketError.ConnectionAborted : SocketError.IsConnected;
        }

        if (remoteEndPoint is not IPEndPoint remote || remote.AddressFamily != Family)
        {
            return SocketError.AddressFamilyNotSupported;
        }

        if (!TakeAddress(remote.Address))
        {
            return SocketError.AddressNotAvailable;
        }

        _remote = remote;
        Become(TcpState.SynSent);
        Note($"connect to {remote}");
        BeginConnect();
        return SocketError.WouldBlock;
    }

    public override SocketError Receive(Span<byte> buffer, out int received)
    {
        received = 0;
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        if (State == TcpState.Unconnected)
        {
            return SocketError.NotConnected;
        }

        if (_receive.Count > 0)
        {
            received = _receive.Receive(buffer);
            Note($"receive {received}");
            Acknowledge();
            return SocketError.Success;
        }

        // As in the kernel, an end of stream that has arrived comes before an error that came later.
        if (!_receive.IsEnded && _error != SocketError.Success)
        {
            Note($"receive: {_error}");
            return TakeError();
        }

        if (!IsReadable && !State.IsOver())
        {
            return SocketError.WouldBlock;
        }

        // The handle of a real socket asks for TCP's state here. After an own shutdown the state does not tell a
        // reset from an end.
        bool isReset = IsCut && !_isOutputShut && !buffer.IsEmpty && !Network.Conditions.ResetLooksLikeEnd;
        Note(isReset ? "receive: reset" : "receive: end");
        return isReset ? SocketError.ConnectionReset : SocketError.Success;
    }

    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        SocketError error = BeginSend(buffer.Length, out sent);
        if (sent > 0)
        {
            Enqueue(buffer[..sent]);
            EndSend(sent);
        }

        return error;
    }

    public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        ArgumentNullException.ThrowIfNull(buffers);
        SocketError error = BeginSend(buffers.Sum(static buffer => buffer.Count), out sent);
        int left = sent;
        foreach (ArraySegment<byte> buffer in buffers)
        {
            int here = Math.Min(left, buffer.Count);
            Enqueue(buffer.AsSpan(0, here));
            left -= here;
        }

        if (sent > 0)
        {
            EndSend(sent);
        }

        return error;
    }

    public override SocketError Shutdown(SocketShutdown how)
    {
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        if (State is TcpState.Unconnected or TcpState.Failed)
        {
            return SocketError.NotConnected;
        }

        Note($"shutdown {how}");
        if (State == TcpState.SynSent)
        {
            GiveUp();
        }

        _isInputShut |= how is SocketShutdown.Receive or SocketShutdown.Both;
        if (how is SocketShutdown.Send or SocketShutdown.Both)
        {
            _isOutputShut = true;
            EndOutput();
        }

        Touch();
        return SocketError.Success;
    }

    public override bool TryGetAcknowledgedBytes(out long bytes)
    {
        bytes = IsClosed ? 0 : AcknowledgedBytes;
        return !IsClosed;
    }

    public override SocketError TakeError()
    {
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        SocketError error = _error;
        _error = SocketError.Success;
        return error;
    }

    // An end that is bound to any address now takes the address by which it reaches the other.
    private bool TakeAddress(IPAddress remote)
    {
        bool isV6 = Family == AddressFamily.InterNetworkV6;
        IPAddress own = IPAddress.IsLoopback(remote) ? remote : isV6 ? Host.AddressV6 : Host.Address;
        if (Local is { } bound)
        {
            Relocate(new IPEndPoint(PortTable.IsAny(bound.Address) ? own : bound.Address, bound.Port));
            return true;
        }

        int port = Host.Ports.FindEphemeral();
        if (port == 0)
        {
            return false;
        }

        Claim(new IPEndPoint(own, port));
        return true;
    }

    private SocketError BeginSend(int wanted, out int sent)
    {
        sent = 0;
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        if (_error != SocketError.Success)
        {
            return BeginFailedSend(wanted, out sent);
        }

        if (State == TcpState.SynSent)
        {
            return SocketError.WouldBlock;
        }

        if (!State.CanSend())
        {
            Note("send: the output is shut");
            return SocketError.Shutdown;
        }

        sent = Math.Min(wanted, _send.Room);
        return sent == 0 && wanted > 0 ? SocketError.WouldBlock : SocketError.Success;
    }

    // Socket.Send sends the rest of a short send again, and loses the error of that second attempt. The reset came
    // between the two.
    private SocketError BeginFailedSend(int wanted, out int sent)
    {
        sent = 0;
        if (wanted > 1 && _error == SocketError.ConnectionReset
            && Network.InternalRandom.Hits(Network.Conditions.LostSendErrorChance))
        {
            Note("send: the error is lost");
            _error = SocketError.Success;
            sent = Network.InternalRandom.Between(1, wanted - 1);
            return SocketError.Success;
        }

        Note($"send: {_error}");
        return TakeError();
    }

    private void Enqueue(ReadOnlySpan<byte> bytes)
    {
        if (State.CanSend())
        {
            _send.Write(bytes);
        }
    }

    private void EndSend(int sent)
    {
        Note($"send {sent}");
        Transmit();
    }
}

using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <summary>One end of a simulated TCP connection, as the one who holds it sees it: the results are those of Linux.</summary>
internal sealed partial class SimulatedStream : SimulatedHandle
{
    private readonly ByteQueue _received = new();
    private readonly ByteQueue _unsent = new();
    private IPEndPoint? _remote;
    private Stage _stage;
    private SocketError _error;
    private int _sendBuffer;
    private int _receiveWindow;
    private bool _wasConnected;
    private bool _inputIsShut;
    private bool _outputIsShut;

    public SimulatedStream(SimulatedHost host, int descriptor, AddressFamily family)
        : base(host, descriptor, family)
    {
        _sendBuffer = host.Network.Options.SendBufferBytes;
        _receiveWindow = host.Network.Options.ReceiveWindowBytes;
    }

    private enum Stage : byte
    {
        Unconnected,
        Connecting,
        Connected,

        /// <summary>Cut, refused or timed out: what was received can still be read, and nothing else ever comes.</summary>
        Dead,
    }

    public override EndPoint? LocalEndPoint => _wasConnected || SharesAddress ? base.LocalEndPoint : null;

    public override EndPoint? RemoteEndPoint => IsClosed || !_wasConnected ? null : _remote;

    public override Interest Readiness => _stage switch
    {
        Stage.Connecting => Interest.None,
        Stage.Connected => (IsReadable ? Interest.Read : Interest.None)
            | (IsWritable ? Interest.Connect | Interest.Write : Interest.None),

        // poll(2): a socket that is not connected has hung up.
        _ => Interest.Connect | Interest.Read | Interest.Write,
    };

    private bool IsReadable => _received.Count > 0 || _inputEnded || _inputIsShut;

    // Linux reports room when at least a third of the buffer is free (sk_stream_is_writeable).
    private bool IsWritable => _outputIsShut || _sendBuffer - _unacknowledged >= _unacknowledged / 2;

    public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value)
    {
        if ((level, name) == (SocketOptionLevel.Socket, SocketOptionName.SendBuffer))
        {
            _sendBuffer = Math.Max(2, value);
        }
        else if ((level, name) == (SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer))
        {
            _receiveWindow = Math.Max(1, value);
        }

        return base.SetOption(level, name, value);
    }

    public override SocketError Connect(EndPoint remoteEndPoint)
    {
        if (IsClosed)
        {
            return SocketError.OperationAborted;
        }

        if (_stage != Stage.Unconnected)
        {
            return _stage == Stage.Connecting ? SocketError.AlreadyInProgress
                : _stage == Stage.Connected ? SocketError.IsConnected : SocketError.ConnectionAborted;
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
        _stage = Stage.Connecting;
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

        if (_stage == Stage.Unconnected)
        {
            return SocketError.NotConnected;
        }

        if (_received.Count > 0)
        {
            received = _received.Dequeue(buffer);
            Note($"receive {received}");
            GrantWindow(received);
            return SocketError.Success;
        }

        // As in the kernel, an end that has arrived comes before an error that came later.
        if (!_inputEnded && _error != SocketError.Success)
        {
            Note($"receive: {_error}");
            return TakeError();
        }

        if (_inputEnded || _inputIsShut || _stage == Stage.Dead)
        {
            Note("receive: end");
            return SocketError.Success;
        }

        return SocketError.WouldBlock;
    }

    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        SocketError error = BeginSend(buffer.Length, out sent);
        if (sent > 0)
        {
            _unsent.Enqueue(buffer[..sent]);
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
            _unsent.Enqueue(buffer.AsSpan(0, here));
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

        if (_stage == Stage.Unconnected || (_stage == Stage.Dead && !_wasConnected))
        {
            return SocketError.NotConnected;
        }

        Note($"shutdown {how}");
        if (_stage == Stage.Connecting)
        {
            // It gives the attempt up.
            Die(tellPeer: false);
        }

        _inputIsShut |= how is SocketShutdown.Receive or SocketShutdown.Both;
        if (how is SocketShutdown.Send or SocketShutdown.Both)
        {
            _outputIsShut = true;
            Transmit();
        }

        Touch();
        return SocketError.Success;
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

    // An own end that is bound to any address is bound to the one by which it reaches the other from now on.
    private bool TakeAddress(IPAddress remote)
    {
        bool isSix = Family == AddressFamily.InterNetworkV6;
        IPAddress own = IPAddress.IsLoopback(remote) ? remote : isSix ? Host.AddressV6 : Host.Address;
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
            Note($"send: {_error}");
            return TakeError();
        }

        if (_stage == Stage.Connecting)
        {
            return SocketError.WouldBlock;
        }

        if (_stage != Stage.Connected || _outputIsShut)
        {
            Note("send: the output is shut");
            return SocketError.Shutdown;
        }

        sent = Math.Min(wanted, Math.Max(0, _sendBuffer - _unacknowledged));
        return sent == 0 && wanted > 0 ? SocketError.WouldBlock : SocketError.Success;
    }

    private void EndSend(int sent)
    {
        Note($"send {sent}");
        _unacknowledged += sent;
        Transmit();
    }
}

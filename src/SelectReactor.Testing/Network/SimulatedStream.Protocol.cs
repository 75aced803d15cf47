using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing.Time;

namespace SelectReactor.Testing.Network;

/// <content>What goes over the network between two ends. An end that was closed goes on to deliver what it had taken.</content>
internal sealed partial class SimulatedStream
{
    /// <summary>A first packet that is not answered is sent again after 1, 2, 4 … seconds, and after this many the attempt
    /// has timed out: 127 seconds in all (tcp_syn_retries, tcp(7)).</summary>
    private const int MostRetries = 6;

    private SimulatedStream? _peer;
    private Lane? _lane;
    private SimulatedListener? _listener;
    private EventQueue.ScheduledEvent? _retry;
    private int _unacknowledged;
    private int _window;
    private bool _inputEnded;
    private bool _endIsSent;

    /// <summary>Closed by whoever had it: what still comes for it is answered with a reset.</summary>
    private bool _isOrphan;

    /// <summary>The end that answers a client; the client learns of it with <see cref="Answer"/>.</summary>
    public SimulatedStream(SimulatedHost host, SimulatedStream client, SimulatedListener listener, AddressFamily family)
        : this(host, descriptor: -1, family)
    {
        _listener = listener;
        _sendBuffer = listener.SendBufferBytes ?? _sendBuffer;
        _receiveWindow = listener.ReceiveBufferBytes ?? _receiveWindow;
        _stage = Stage.Connected;
        _wasConnected = true;
        _remote = As(family, client.Local!);
        Relocate(As(family, client._remote!));
        Join(client);
        client.Join(this);
    }

    public SimulatedHost? PeerHost => _peer?.Host;

    public void Answer() => _lane!.Send(0, _peer!.OnAnswer);

    /// <summary>Turns the client away before anybody has this end.</summary>
    public void Refuse()
    {
        if (_stage == Stage.Connected)
        {
            Die(tellPeer: true);
        }
    }

    /// <summary>The network cuts the connection in the middle, and both ends hear of it.</summary>
    public void Cut()
    {
        SimulatedStream? peer = _peer;
        Note("is cut by the network");
        OnReset();
        peer?.OnReset();
    }

    /// <summary>The peer has not answered for too long.</summary>
    public void GiveUp()
    {
        if (_stage == Stage.Connected && (_unacknowledged > 0 || _endIsSent))
        {
            Note("gives up");
            Fail(SocketError.TimedOut);
        }
    }

    protected override void OnClosing(bool reset)
    {
        _isOrphan = true;
        Host.Streams.Remove(this);
        _retry?.Cancel();
        if (_stage == Stage.Connecting)
        {
            _stage = Stage.Dead;
        }
        else if (_stage == Stage.Connected && (reset || _received.Count > 0))
        {
            // Whoever closes without having read says so with a reset, which overtakes what was still to be sent. When both
            // ends have ended there is no connection left to reset.
            Die(tellPeer: !(_inputEnded && _endIsSent));
        }
        else if (_stage == Stage.Connected)
        {
            _outputIsShut = true;
            Transmit();
        }
    }

    private static IPEndPoint As(AddressFamily family, IPEndPoint endPoint) => endPoint.AddressFamily == family
        ? endPoint
        : new IPEndPoint(endPoint.Address.MapToIPv6(), endPoint.Port);

    private void Join(SimulatedStream peer)
    {
        _peer = peer;
        _lane = new Lane(Network, this, peer.Host);
        _window = peer._receiveWindow;
    }

    private void BeginConnect()
    {
        if (Local!.Equals(_remote))
        {
            // TCP lets a socket meet itself when both happen to have the same port.
            Join(this);
            Network.ScheduleEvent(TimeSpan.Zero, OnAnswer);
            return;
        }

        Knock(retries: 0);
    }

    private void Knock(int retries)
    {
        SimulatedHost? target = Network.HostOf(Host, _remote!.Address);
        if (target is not null && !Network.IsCut(Host, target))
        {
            TimeSpan latency = Network.Dice.Between(Network.Options.MinLatency, Network.Options.MaxLatency);
            Network.ScheduleEvent(latency, () => ArriveAt(target));
        }

        _retry = Network.ScheduleEvent(TimeSpan.FromSeconds(1 << retries), () =>
        {
            if (retries == MostRetries)
            {
                Note("connect: nobody answers");
                Fail(SocketError.TimedOut);
            }
            else
            {
                Knock(retries + 1);
            }
        });
    }

    private void ArriveAt(SimulatedHost target)
    {
        if (_stage != Stage.Connecting || _peer is not null || Network.IsCut(Host, target))
        {
            return;
        }

        if (target.Ports.ListenerOn(_remote!) is { } listener)
        {
            listener.OnKnock(this);
        }
        else
        {
            TimeSpan latency = Network.Dice.Between(Network.Options.MinLatency, Network.Options.MaxLatency);
            Network.ScheduleEvent(latency, OnRefused);
        }
    }

    private void OnRefused()
    {
        if (_stage == Stage.Connecting)
        {
            Note("connect: refused");
            Fail(SocketError.ConnectionRefused);
        }
    }

    private void OnAnswer()
    {
        if (_stage == Stage.Connecting)
        {
            _retry?.Cancel();
            _stage = Stage.Connected;
            _wasConnected = true;
            Note($"is connected to {_remote}");
            Touch();
            _lane!.Send(0, _peer!.OnEstablished);
        }
        else
        {
            _lane!.Send(0, _peer!.OnReset);
        }
    }

    private void OnEstablished()
    {
        _listener?.OnEstablished(this);
        _listener = null;
    }

    // Sends what the peer has room for, in pieces of any size, and after the last one the end.
    private void Transmit()
    {
        while (_unsent.Count > 0 && _window > 0)
        {
            int most = Math.Min(Math.Min(_unsent.Count, _window), Network.Options.MaxSegmentBytes);
            byte[] bytes = new byte[Network.Options.MaxSegmentBytes == int.MaxValue ? most : Network.Dice.Between(1, most)];
            _unsent.Dequeue(bytes);
            _window -= bytes.Length;
            if (Network.Dice.Hits(Network.Options.ResetChance))
            {
                _lane!.Send(bytes.Length, _peer!.Cut);
            }
            else
            {
                _lane!.Send(bytes.Length, () => _peer!.OnData(bytes));
            }
        }

        if (_outputIsShut && _unsent.Count == 0 && !_endIsSent && _stage == Stage.Connected)
        {
            _endIsSent = true;
            _lane!.Send(0, _peer!.OnEnd);
        }
    }

    private void OnData(byte[] bytes)
    {
        if (_stage == Stage.Dead || _isOrphan)
        {
            Die(tellPeer: true);
            return;
        }

        _received.Enqueue(bytes);
        Touch();
        _lane!.Send(0, () => _peer!.OnAcknowledged(bytes.Length));
    }

    private void OnAcknowledged(int count)
    {
        _unacknowledged = Math.Max(0, _unacknowledged - count);
        Touch();
    }

    private void OnEnd()
    {
        if (_stage == Stage.Connected)
        {
            _inputEnded = true;
            Touch();
        }
    }

    private void OnReset()
    {
        _listener?.Forget(this);
        _listener = null;
        if (_stage is Stage.Connected or Stage.Connecting)
        {
            Note("is reset");
            Fail(_stage == Stage.Connecting ? SocketError.ConnectionRefused
                : _inputEnded ? SocketError.Shutdown : SocketError.ConnectionReset);
        }
    }

    private void GrantWindow(int count)
    {
        if (_stage == Stage.Connected)
        {
            _lane!.Send(0, () => _peer!.OnWindow(count));
        }
    }

    private void OnWindow(int count)
    {
        _window += count;
        Transmit();
    }

    private void Fail(SocketError error)
    {
        Die(tellPeer: false);
        _error = error;
        Touch();
    }

    private void Die(bool tellPeer)
    {
        _retry?.Cancel();
        _stage = Stage.Dead;
        _unsent.Clear();
        _unacknowledged = 0;
        if (tellPeer)
        {
            _lane!.Send(0, _peer!.OnReset);
        }
    }
}

using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing.Time;

namespace SelectReactor.Testing.Network;

/// <content>The three-way handshake: SYN, which may be sent again, SYN-ACK, and the client's ACK.</content>
internal sealed partial class SimulatedStream
{
    /// <summary>A SYN without an answer is sent again after 1, 2, 4 … seconds. After so many the attempt has timed
    /// out: 127 seconds in all (tcp_syn_retries, tcp(7)).</summary>
    private const int MaxSynRetries = 6;

    private SimulatedListener? _listener;
    private EventQueue.ScheduledEvent? _retry;

    /// <summary>The server's end of a connection that a client's SYN began. <see cref="SendSynAck"/> answers
    /// it.</summary>
    public SimulatedStream(
        SimulatedHost host, SimulatedStream client, SimulatedListener listener, AddressFamily family)
        : this(host, NotAccepted, family)
    {
        _listener = listener;
        _send.Capacity = listener.SendBufferBytes ?? _send.Capacity;
        _receive.Capacity = listener.ReceiveBufferBytes ?? _receive.Capacity;
        Become(TcpState.SynReceived);
        _remote = As(family, client.Local!);
        Relocate(As(family, client._remote!));
        Join(client);
        client.Join(this);
    }

    public void SendSynAck() => _link!.Send(0, _peer!.OnSynAck);

    /// <summary>Resets the connection before a program has accepted it.</summary>
    public void Refuse()
    {
        if (!State.IsOver())
        {
            Reset(tellPeer: true);
        }
    }

    /// <summary>The client never confirmed the connection.</summary>
    public void Forget()
    {
        Note("is forgotten");
        Reset(tellPeer: false);
    }

    private static IPEndPoint As(AddressFamily family, IPEndPoint endPoint) => endPoint.AddressFamily == family
        ? endPoint
        : new IPEndPoint(endPoint.Address.MapToIPv6(), endPoint.Port);

    private void Join(SimulatedStream peer)
    {
        _peer = peer;
        _link = new Link(Network, this, peer.Host);
        _send.OpenWindow(peer._receive.WindowEnd);
        Host.Streams.Add(this);
    }

    private void BeginConnect()
    {
        if (Local!.Equals(_remote))
        {
            // TCP lets a socket connect to itself when both addresses are the same.
            Join(this);
            Network.ScheduleEvent(TimeSpan.Zero, OnSynAck);
            return;
        }

        SendSyn(retries: 0);
    }

    private void SendSyn(int retries)
    {
        SimulatedHost? target = Network.HostOf(Host, _remote!.Address);
        if (target is not null && !Network.IsCut(Host, target))
        {
            TimeSpan latency = Network.InternalRandom.Between(
                Network.Conditions.MinLatency, Network.Conditions.MaxLatency);
            Network.ScheduleEvent(latency, () => OnSynAt(target));
        }

        _retry = Network.ScheduleEvent(TimeSpan.FromSeconds(1 << retries), () =>
        {
            if (retries == MaxSynRetries)
            {
                Note("connect: nobody answers");
                Fail(SocketError.TimedOut);
            }
            else
            {
                SendSyn(retries + 1);
            }
        });
    }

    private void OnSynAt(SimulatedHost target)
    {
        if (State != TcpState.SynSent || _peer is not null || Network.IsCut(Host, target))
        {
            return;
        }

        if (target.Ports.ListenerOn(_remote!) is { } listener)
        {
            listener.OnSyn(this);
        }
        else
        {
            TimeSpan latency = Network.InternalRandom.Between(
                Network.Conditions.MinLatency, Network.Conditions.MaxLatency);
            Network.ScheduleEvent(latency, OnRefused);
        }
    }

    private void OnRefused()
    {
        if (State == TcpState.SynSent)
        {
            Note("connect: refused");
            Fail(SocketError.ConnectionRefused);
        }
    }

    private void OnSynAck()
    {
        if (State == TcpState.SynSent)
        {
            _retry?.Cancel();
            Become(TcpState.Established);
            Note($"is connected to {_remote}");
            Touch();
            _link!.Send(0, _peer!.OnHandshakeAck);
        }
        else
        {
            _link!.SendReset(_peer!.OnReset);
        }
    }

    private void OnHandshakeAck()
    {
        if (State == TcpState.SynReceived)
        {
            Become(TcpState.Established);
            _listener?.OnEstablished(this);
            _listener = null;
        }
    }
}

using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing.Time;

namespace SelectReactor.Testing.Network;

/// <content>How two ends find each other: a first packet that may be sent again, its answer, and the client's answer to
/// that.</content>
internal sealed partial class SimulatedStream
{
    /// <summary>A first packet that is not answered is sent again after 1, 2, 4 … seconds, and after this many the attempt
    /// has timed out: 127 seconds in all (tcp_syn_retries, tcp(7)).</summary>
    private const int MostRetries = 6;

    private SimulatedListener? _listener;
    private EventQueue.ScheduledEvent? _retry;

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

    public void Answer() => _lane!.Send(0, _peer!.OnAnswer);

    /// <summary>Turns the client away before anybody has this end.</summary>
    public void Refuse()
    {
        if (_stage == Stage.Connected)
        {
            Die(tellPeer: true);
        }
    }

    /// <summary>It never became a connection.</summary>
    public void Forget()
    {
        Note("is forgotten");
        Die(tellPeer: false);
    }

    private static IPEndPoint As(AddressFamily family, IPEndPoint endPoint) => endPoint.AddressFamily == family
        ? endPoint
        : new IPEndPoint(endPoint.Address.MapToIPv6(), endPoint.Port);

    private void Join(SimulatedStream peer)
    {
        _peer = peer;
        _lane = new Lane(Network, this, peer.Host);
        _window = peer._receiveWindow;
        Host.Streams.Add(this);
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
            _lane!.SendReset(_peer!.OnReset);
        }
    }

    private void OnEstablished()
    {
        _listener?.OnEstablished(this);
        _listener = null;
    }
}

using SelectReactor.Testing.Time;

namespace SelectReactor.Testing.Network;

/// <summary>
/// One direction of one connection. Packets arrive in the order in which they were sent, however long each takes.
/// Packets that a partition swallows are kept, and sent again when the hosts reach each other.
/// </summary>
internal sealed class Link(SimulatedNetwork network, SimulatedStream sender, SimulatedHost to)
{
    private static readonly TimeSpan _retransmission = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _maxRetransmission = TimeSpan.FromMinutes(2);
    private readonly LinkedList<Packet> _packets = new();
    private long _lineIsFreeAt;
    private long _lastArrival;
    private long _heldSince;

    public SimulatedHost From => sender.Host;

    public SimulatedHost To => to;

    /// <summary>Whether packets wait for the end of a partition.</summary>
    public bool IsHeld { get; private set; }

    private TimeSpan Latency =>
        network.InternalRandom.Between(network.Conditions.MinLatency, network.Conditions.MaxLatency);

    /// <summary>Sends a packet; <paramref name="arrive"/> runs when it arrives.</summary>
    public void Send(int bytes, Action arrive) => Send(new Packet(bytes, arrive, isAcknowledgement: false));

    /// <summary>Sends an acknowledgement, which is never acknowledged itself.</summary>
    public void SendAcknowledgement(Action arrive) => Send(new Packet(0, arrive, isAcknowledgement: true));

    /// <summary>Sends a reset behind the packets that are on their way. A reset is never sent again, and neither is a
    /// lost packet before it: so the receiver gets neither that packet nor those behind it. A partition swallows the
    /// reset.</summary>
    public void SendReset(Action arrive)
    {
        DiscardFromFirstLost();
        if (network.IsCut(From, To))
        {
            return;
        }

        _lastArrival = Math.Max(_packets.Last?.Value.ArrivesAt ?? 0, network.After(Latency));
        network.ScheduleEventAt(_lastArrival, () =>
        {
            if (!network.IsCut(From, To))
            {
                arrive();
            }
        });
    }

    /// <summary>The hosts reach each other again: the sender sends the lost packets again when its timer expires. Lost
    /// acknowledgements need no timer, since the next one says the same.</summary>
    public void Release()
    {
        IsHeld = false;
        if (sender.IsCut)
        {
            _packets.Clear();
        }

        var outage = TimeSpan.FromTicks(Math.Min(network.Now - _heldSince, _maxRetransmission.Ticks));
        TimeSpan delay = _packets.All(static packet => packet.IsAcknowledgement)
            ? TimeSpan.Zero
            : network.InternalRandom.Between(TimeSpan.Zero, outage);
        foreach (Packet packet in _packets)
        {
            ScheduleArrival(packet, delay);
        }
    }

    private void Send(Packet packet)
    {
        _packets.AddLast(packet);
        if (!IsHeld && network.IsCut(From, To))
        {
            Hold();
        }
        else if (!IsHeld)
        {
            ScheduleArrival(packet, TimeSpan.Zero);
        }
    }

    private void ScheduleArrival(Packet packet, TimeSpan delay)
    {
        SimulatedNetworkOptions options = network.Conditions;
        long start = Math.Max(network.After(delay), _lineIsFreeAt);
        _lineIsFreeAt = options.BytesPerSecond == long.MaxValue
            ? start
            : start + (packet.Bytes * TimeSpan.TicksPerSecond / options.BytesPerSecond);
        packet.IsLost = network.InternalRandom.Hits(options.LossChance);
        TimeSpan latency = Latency + (packet.IsLost ? _retransmission : TimeSpan.Zero);
        _lastArrival = Math.Max(_lastArrival, _lineIsFreeAt + latency.Ticks);
        packet.ArrivesAt = _lastArrival;
        packet.Arrival = network.ScheduleEventAt(_lastArrival, ArriveFirst);
    }

    private void ArriveFirst()
    {
        if (network.IsCut(From, To))
        {
            Hold();
            return;
        }

        Packet packet = _packets.First!.Value;
        _packets.RemoveFirst();
        packet.Arrive();
    }

    // All packets on their way are lost with the first one.
    private void Hold()
    {
        IsHeld = true;
        _heldSince = network.Now;
        foreach (Packet packet in _packets)
        {
            packet.Arrival?.Cancel();
        }

        network.Hold(this);
        sender.OnHeld();
    }

    private void DiscardFromFirstLost()
    {
        LinkedListNode<Packet>? lost = _packets.First;
        while (lost is { Value.IsLost: false } && !IsHeld)
        {
            lost = lost.Next;
        }

        while (lost is not null)
        {
            LinkedListNode<Packet>? next = lost.Next;
            lost.Value.Arrival?.Cancel();
            _packets.Remove(lost);
            lost = next;
        }
    }

    private sealed class Packet(int bytes, Action arrive, bool isAcknowledgement)
    {
        public int Bytes => bytes;

        public bool IsAcknowledgement => isAcknowledgement;

        public Action Arrive => arrive;

        /// <summary>Whether it was lost once, and arrives when it is sent again.</summary>
        public bool IsLost { get; set; }

        public long ArrivesAt { get; set; }

        public EventQueue.ScheduledEvent? Arrival { get; set; }
    }
}

namespace SelectReactor.Testing.Network;

/// <summary>One direction of one connection: what is sent arrives in its order, however long each packet takes. What a
/// partition swallows is kept, to be sent again when the hosts reach each other.</summary>
internal sealed class Lane(SimulatedNetwork network, SimulatedStream sender, SimulatedHost to)
{
    private static readonly TimeSpan _retransmission = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _longestRetransmission = TimeSpan.FromMinutes(2);
    private readonly Queue<(int Bytes, Action Arrive)> _packets = new();
    private long _lineIsFreeAt;
    private long _lastArrival;
    private long _heldSince;
    private int _epoch;

    public SimulatedHost From => sender.Host;

    public SimulatedHost To => to;

    /// <summary>Whether packets wait for the end of a partition.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>Sends a packet; <paramref name="arrive"/> is what it does at the other end.</summary>
    public void Send(int bytes, Action arrive)
    {
        _packets.Enqueue((bytes, arrive));
        if (!IsHeld && network.IsCut(From, To))
        {
            Hold();
        }
        else if (!IsHeld)
        {
            ScheduleArrival(bytes, TimeSpan.Zero);
        }
    }

    /// <summary>Sends a reset, behind what is on its way. Nobody sends it again: in a partition it is lost, and with it all
    /// that the sender would have sent again.</summary>
    public void SendReset(Action arrive)
    {
        if (IsHeld)
        {
            _packets.Clear();
        }

        if (network.IsCut(From, To))
        {
            return;
        }

        TimeSpan latency = network.Dice.Between(network.Options.MinLatency, network.Options.MaxLatency);
        _lastArrival = Math.Max(_lastArrival, network.After(latency));
        network.ScheduleEventAt(_lastArrival, () =>
        {
            if (!network.IsCut(From, To))
            {
                arrive();
            }
        });
    }

    /// <summary>The way is free again: what was lost meanwhile is sent again, when the sender comes to it.</summary>
    public void Release()
    {
        IsHeld = false;
        if (sender.IsDead)
        {
            _packets.Clear();
        }

        var outage = TimeSpan.FromTicks(Math.Min(network.Now - _heldSince, _longestRetransmission.Ticks));
        TimeSpan delay = network.Dice.Between(TimeSpan.Zero, outage);
        foreach ((int bytes, Action _) in _packets)
        {
            ScheduleArrival(bytes, delay);
        }
    }

    private void ScheduleArrival(int bytes, TimeSpan delay)
    {
        SimulatedNetworkOptions options = network.Options;
        long start = Math.Max(network.After(delay), _lineIsFreeAt);
        _lineIsFreeAt = options.BytesPerSecond == long.MaxValue ? start : start + (bytes * TimeSpan.TicksPerSecond / options.BytesPerSecond);
        TimeSpan latency = network.Dice.Between(options.MinLatency, options.MaxLatency);
        if (network.Dice.Hits(options.LossChance))
        {
            latency += _retransmission;
        }

        _lastArrival = Math.Max(_lastArrival, _lineIsFreeAt + latency.Ticks);
        int epoch = _epoch;
        network.ScheduleEventAt(_lastArrival, () => Arrive(epoch));
    }

    private void Arrive(int epoch)
    {
        // Those of before an outage were all lost with the first of them.
        if (epoch != _epoch)
        {
            return;
        }

        if (network.IsCut(From, To))
        {
            Hold();
        }
        else
        {
            _packets.Dequeue().Arrive();
        }
    }

    private void Hold()
    {
        IsHeld = true;
        _heldSince = network.Now;
        _epoch++;
        network.Hold(this);
        sender.OnHeld();
    }
}

namespace SelectReactor.Testing.Network;

/// <summary>One direction of one connection: what is sent arrives in its order, however long each packet takes.</summary>
internal sealed class Lane(SimulatedNetwork network, SimulatedStream sender, SimulatedHost to)
{
    private static readonly TimeSpan _retransmission = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _longestRetransmission = TimeSpan.FromMinutes(2);

    /// <summary>After so long without an answer Linux gives up (tcp_retries2, tcp(7)).</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(924.6);
    private readonly Queue<Action> _packets = new();
    private long _lineIsFreeAt;
    private long _lastArrival;
    private long _heldSince;
    private int _epoch;
    private bool _isHeld;

    public SimulatedHost From => sender.Host;

    public SimulatedHost To => to;

    /// <summary>Sends a packet; <paramref name="arrive"/> is what it does at the other end.</summary>
    public void Send(int bytes, Action arrive)
    {
        _packets.Enqueue(arrive);
        if (!_isHeld)
        {
            ScheduleArrival(bytes, TimeSpan.Zero);
        }
    }

    /// <summary>The way is free again: what was lost meanwhile is sent again, when the sender comes to it.</summary>
    public void Release()
    {
        _isHeld = false;
        var outage = TimeSpan.FromTicks(Math.Min(network.Now - _heldSince, _longestRetransmission.Ticks));
        TimeSpan delay = network.Dice.Between(TimeSpan.Zero, outage);
        foreach (Action _ in _packets)
        {
            ScheduleArrival(0, delay);
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
            _packets.Dequeue()();
        }
    }

    private void Hold()
    {
        _isHeld = true;
        _heldSince = network.Now;
        int epoch = ++_epoch;
        network.Hold(this);
        network.ScheduleTimer(_patience, () =>
        {
            if (_isHeld && epoch == _epoch)
            {
                sender.GiveUp();
            }
        });
    }
}

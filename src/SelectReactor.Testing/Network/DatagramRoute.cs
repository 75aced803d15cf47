using System.Net;

namespace SelectReactor.Testing.Network;

/// <summary>The way of one datagram. It may be lost or doubled, and each copy takes a time of its own, so that
/// datagrams overtake each other.</summary>
internal sealed class DatagramRoute(SimulatedDatagram sender, IPEndPoint to, IPEndPoint source)
{
    private readonly SimulatedNetwork _network = sender.Host.Network;
    private readonly IPEndPoint _target = new(Routing.Reachable(to.Address), to.Port);
    private readonly IPEndPoint _source = Routing.Unmapped(source);

    private bool IsBroadcast => _target.Address.Equals(IPAddress.Broadcast);

    private bool IsMulticast => Routing.IsMulticast(_target.Address);

    // To whoever wants it: nobody is told that nobody does.
    private bool IsToMany => IsBroadcast || IsMulticast;

    public void Send(byte[] bytes)
    {
        if (IsToMany)
        {
            foreach (SimulatedHost host in _network.Hosts)
            {
                if (IsBroadcast || sender.Reaches(host))
                {
                    SendTo(host, bytes);
                }
            }
        }
        else if (_network.HostOf(sender.Host, _target.Address) is { } host)
        {
            SendTo(host, bytes);
        }
    }

    private void SendTo(SimulatedHost host, byte[] bytes)
    {
        int copies = _network.InternalRandom.Hits(_network.Options.DatagramDuplicationChance) ? 2 : 1;
        for (int i = 0; i < copies; i++)
        {
            Travel(sender.Host, host, Fragments(host, bytes.Length), () => ArriveAt(host, bytes));
        }
    }

    private int Fragments(SimulatedHost to, int bytes)
    {
        int room = Routing.RoomInPacket(_network, _target.Address);
        return to == sender.Host || bytes <= room ? 1 : ((bytes + room - 1) / room);
    }

    private void Travel(SimulatedHost from, SimulatedHost to, int fragments, Action arrive)
    {
        if (_network.IsCut(from, to) || LosesOneOf(fragments))
        {
            from.Note($"loses a datagram to {_target}");
            return;
        }

        TimeSpan latency = _network.InternalRandom.Between(_network.Options.MinLatency, _network.Options.MaxLatency);
        _network.ScheduleEvent(latency, () =>
        {
            if (!_network.IsCut(from, to))
            {
                arrive();
            }
        });
    }

    private bool LosesOneOf(int fragments)
    {
        bool isLost = false;
        for (int i = 0; i < fragments && !isLost; i++)
        {
            isLost = _network.InternalRandom.Hits(_network.Options.DatagramLossChance);
        }

        return isLost;
    }

    private void ArriveAt(SimulatedHost host, byte[] bytes)
    {
        SimulatedDatagram[] takers = IsBroadcast ? AllOn(host) : IsMulticast ? MembersOn(host) : BestOn(host);
        if (takers.Length == 0 && !IsToMany)
        {
            host.Note($"has no program on port {_target.Port}");
            Travel(host, sender.Host, fragments: 1, () => sender.OnPortUnreachable(to));
        }

        foreach (SimulatedDatagram taker in takers)
        {
            taker.Arrive(_source, bytes);
        }
    }

    private SimulatedDatagram[] AllOn(SimulatedHost host) =>
        [.. host.DatagramPorts.DatagramsOn(_target.Port).Where(handle => handle.Fits(_source, IPAddress.Any) >= 0)];

    private SimulatedDatagram[] MembersOn(SimulatedHost host) =>
        [.. host.DatagramPorts.DatagramsOn(_target.Port).Where(handle => handle.Hears(_source, _target.Address))];

    // Of several that share the port, the same one serves all datagrams of one sender.
    private SimulatedDatagram[] BestOn(SimulatedHost host)
    {
        SimulatedDatagram[] all = [.. host.DatagramPorts.DatagramsOn(_target.Port)];
        int best = all.Select(Fit).DefaultIfEmpty(-1).Max();
        SimulatedDatagram[] fitting = best < 0 ? [] : [.. all.Where(handle => Fit(handle) == best)];
        return fitting.Length == 0 ? [] : [fitting[_source.Port % fitting.Length]];

        int Fit(SimulatedDatagram handle) => handle.Fits(_source, _target.Address);
    }
}

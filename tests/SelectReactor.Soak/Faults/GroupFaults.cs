using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Groups of reactors that share clients: what they lose, what they exceed, what is left.</summary>
internal static class GroupFaults
{
    private static readonly TimeSpan _while = TimeSpan.FromSeconds(2);

    /// <summary>Every client is served by one reactor of the group. Without ends, two reactors that are handed clients
    /// differ by one.</summary>
    public static void GroupShares(SimulatedNetwork network)
    {
        var world = new GroupWorld(network);
        world.Start(new ReactorGroupOptions());
        world.StallSometimes(_while);
        world.ConnectMany(network.Random.Next(1, 40), _while);
        network.RunUntil(() => world.Answers == world.Clients);

        Require.Equal(world.Listener.Accepted, world.Clients);
        IReadOnlyList<int> counts = world.Group.Statistics.ConnectionsOfReactors;
        Require.Equal(counts.Sum(), world.Clients);
        if (world.Sharing is ClientSharing.LeastConnections or ClientSharing.RoundRobin)
        {
            Require.That(counts.Max() - counts.Min() <= 1, $"{world.Sharing}: {world.Group.Statistics}");
        }

        world.EndClients();
        world.RequireNothingLeft();
    }

    /// <summary>A reactor is taken out of use while clients come, some in a handshake: all of them have their answer,
    /// and in the end none is on that reactor.</summary>
    public static void GroupDrains(SimulatedNetwork network)
    {
        var world = new GroupWorld(network) { HasHandshake = network.Random.Coin() };
        world.Start(new ReactorGroupOptions());
        world.StallSometimes(_while);
        world.ConnectMany(network.Random.Next(1, 40), _while);
        Task? drain = null;
        Reactor drained = world.Group.Reactors[network.Random.Next(world.Group.Reactors.Count)];
        int before = 0;
        network.Schedule(network.Random.UpTo(_while), () =>
        {
            before = world.LoadOf(drained);
            drain = world.Group.DrainAsync(drained, Timeout.InfiniteTimeSpan);
        });
        network.RunUntil(() => world.Answers == world.Clients && drain is not null);
        Require.Equal((world.Listener.Accepted, world.Listener.Refused), (world.Clients, 0));
        Require.That(
            world.OpenOf(drained) <= before, "what the drained reactor has it had before, or was on its way to it");

        world.ConnectMany(network.Random.Next(5), TimeSpan.Zero);
        int old = world.OpenOf(drained);
        network.RunUntil(() => world.Answers == world.Clients);
        Require.Equal(world.OpenOf(drained), old, "connections of the drained reactor");
        if (old > 0)
        {
            Require.That(!drain!.IsCompleted, "the drain waits for the connections");
        }

        world.EndClients();
        network.RunUntil(() => drain!.IsCompleted);
        world.RequireNothingLeft();
    }

    /// <summary>One limit for all reactors, of the group or of the listener, with clients that come and go and
    /// connections to others: it is never exceeded, and whoever waits has a turn.</summary>
    public static void GroupLimit(SimulatedNetwork network)
    {
        int limit = network.Random.Next(1, 6);
        bool isGroups = network.Random.Coin();
        var world = new GroupWorld(network)
        {
            AnswersAndCloses = true,
            ListenerOptions = { MaxConnections = isGroups ? int.MaxValue : limit },
        };
        world.Start(new ReactorGroupOptions { MaxConnections = isGroups ? limit : int.MaxValue });
        world.StallSometimes(_while);
        var others = new Recorder();
        SimulatedHost other = network.AddHost("other");
        other.Reactor.Listen(other.EndPoint(7), others);
        int outgoing = isGroups ? network.Random.Next(10) : 0;
        for (int i = 0; i < outgoing; i++)
        {
            network.Schedule(network.Random.UpTo(_while), () => world.ConnectOut(other.EndPoint(7)));
        }

        world.ConnectMany(network.Random.Next(1, 40), _while);
        network.RunUntil(() => world.Answers == world.Clients && world.OutgoingEnded == outgoing);
        Require.That(world.MostOpen <= limit, $"{world.MostOpen} connections with a limit of {limit}");
        Require.Equal((world.Listener.Accepted, world.Listener.Refused), (world.Clients, 0));
        world.RequireNothingLeft(otherListeners: 1);
    }

    /// <summary>A shutdown or a disposal while clients come: every connection has its OnClosed, and nothing is
    /// left.</summary>
    public static void GroupEnds(SimulatedNetwork network)
    {
        var world = new GroupWorld(network);
        world.Start(new ReactorGroupOptions());
        world.StallSometimes(_while);
        world.ConnectMany(network.Random.Next(1, 40), _while);
        Task? shutdown = null;
        TimeSpan deadline = network.Random.Coin() ? TimeSpan.Zero : network.Random.UpTo(_while);
        bool disposes = network.Random.Next(3) == 0;
        network.Schedule(network.Random.UpTo(_while), () =>
        {
            shutdown = world.Group.ShutdownAsync(deadline);
            if (disposes)
            {
                world.Group.Dispose();
            }
        });
        network.RunUntil(() => shutdown is { IsCompleted: true });
        network.RunUntil(() => world.Gone == world.Clients);
        Require.That(world.Listener.Drained.IsCompleted, "the listener is drained");
        Require.Equal(world.Listener.IsAccepting, false);
        world.RequireNothingLeft();
    }

    /// <summary>The listener closes while clients come: those that it took are served on, the others are refused, and
    /// the limit gets every place back.</summary>
    public static void GroupListenerCloses(SimulatedNetwork network)
    {
        var world = new GroupWorld(network) { ListenerOptions = { MaxConnections = 10 } };
        world.Start(new ReactorGroupOptions { MaxConnections = 20 });
        world.StallSometimes(_while);
        world.ConnectMany(network.Random.Next(1, 40), _while);
        network.RunFor(network.Random.UpTo(_while));
        if (network.Random.Coin())
        {
            world.Listener.Pause();
            network.RunFor(network.Random.UpTo(TimeSpan.FromSeconds(1)));
            world.Listener.Resume();
        }

        world.Listener.Dispose();
        Task closed = world.Listener.StopAcceptingAsync();
        network.RunUntil(() => closed.IsCompleted);
        long accepted = world.Listener.Accepted;
        network.RunUntil(() => world.Answers + world.Ended == world.Clients);

        // Those on their way to another reactor still come.
        Require.That(world.Listener.Accepted - accepted <= world.Clients, "few come later");
        Require.That(world.Listener.Accepted >= world.Answers, "only those that were accepted have an answer");
        world.EndClients();
        network.RunUntil(() => world.Listener.Drained.IsCompleted);
        Require.Equal(world.Listener.ConnectionCount, 0);
        world.RequireNothingLeft();
    }

    /// <summary>All reactors but one end alone, by a failure or by an end of their own: their connections are cut, and
    /// nothing else. Clients in their queues and on their way to them go to the others, which serve on.</summary>
    public static void GroupReactorsEndAlone(SimulatedNetwork network)
    {
        var world = new GroupWorld(network) { HasHandshake = network.Random.Coin() };
        world.Start(new ReactorGroupOptions());
        world.StallSometimes(_while);
        world.ConnectMany(network.Random.Next(1, 40), _while);
        int faults = 0;
        Reactor[] ending = [.. world.Group.Reactors];
        network.Random.Shuffle(ending);
        ending = ending[1..];
        foreach (Reactor reactor in ending)
        {
            network.Schedule(network.Random.UpTo(_while), () => faults += world.EndAlone(reactor) ? 1 : 0);
        }

        network.RunUntil(() => world.Answers + world.Ended >= world.Clients);
        network.RunUntil(() => Array.TrueForAll(
            ending, reactor => reactor.State >= ReactorState.Stopping && world.LoadOf(reactor) == 0));
        Require.Equal(world.Group.FirstFault.IsFaulted, faults > 0, "the task of faults");
        if (!world.HasHandshake)
        {
            int cut = world.Served.Reasons.Count(static reason => reason.Kind == CloseKind.ReactorStopped);
            Require.That(world.Ended <= cut, $"{world.Ended} clients have no answer, and {cut} were cut");
            Require.Equal(world.Listener.Refused, 0);
        }

        network.RunUntil(() => world.Listener.IsAccepting);
        int before = world.Ended;
        world.ConnectMany(5, TimeSpan.Zero);
        network.RunUntil(() => world.Answers + world.Ended == world.Clients);
        Require.Equal(world.Ended, before, "the last one serves all");

        world.EndClients();
        world.RequireNothingLeft();
    }
}

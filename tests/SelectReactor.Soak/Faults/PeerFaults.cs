using System.Buffers;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>What a peer, or the network between, does to a connection.</summary>
internal static class PeerFaults
{
    /// <summary>F1: a reset in the middle of a message ends that connection, and no other.</summary>
    public static void ResetInTheMiddle(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost victim = network.AddHost("victim");
        SimulatedHost other = network.AddHost("other");
        var served = new Recorder { Readable = Recorder.Hoard };
        server.Reactor.Listen(server.EndPoint(7), served);
        var cut = new Recorder { Connected = static connection => connection.Output.Write(new byte[100]) };
        var whole = new Recorder { Connected = static connection => connection.Output.Write(new byte[100]) };
        victim.Reactor.ConnectAsync(server.EndPoint(7), cut);
        other.Reactor.ConnectAsync(server.EndPoint(7), whole);
        network.RunUntil(() => served.Connections == 2 && cut.Connections + whole.Connections == 2);
        network.RunFor(TimeSpan.FromMilliseconds(network.Random.Next(20)));

        network.Reset(victim, server);
        network.RunUntil(() => served.Closed == 1 && cut.Closed == 1);
        Require.Equal(cut.Reason.Kind, CloseKind.PeerReset);
        Require.Equal(served.Reason.Kind, CloseKind.PeerReset);

        network.RunFor(TimeSpan.FromSeconds(10));
        Require.Equal(whole.Closed, 0);
        Require.Equal(served.Closed, 1);
        whole.Connection.Close();
        network.RunUntil(() => whole.Closed == 1 && served.Closed == 2);
        Leaks.None(network);
    }
}

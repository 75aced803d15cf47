using System.Buffers;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>What callbacks do to the loop that calls them.</summary>
internal static class LoopFaults
{
    /// <summary>F25, L8: a handler that throws, in whichever callback, loses that connection and no other.</summary>
    public static void HandlerThrows(SimulatedNetwork network)
    {
        var error = new InvalidOperationException("This is a test.");
        int where = network.Random.Next(5);
        Action<Connection> ThrowIf(int here) => _ =>
        {
            if (where == here)
            {
                throw error;
            }
        };

        var served = new Recorder
        {
            Connected = connection =>
            {
                connection.Output.Write(new byte[20]);
                ThrowIf(0)(connection);
            },
            Readable = connection =>
            {
                Recorder.Echo(connection);
                ThrowIf(1)(connection);
            },
            Writable = ThrowIf(2),
            InputEnded = connection =>
            {
                ThrowIf(3)(connection);
                connection.Close();
            },
            Ended = (connection, _) => ThrowIf(4)(connection),
        };
        var echoed = new Recorder { Readable = Recorder.Echo };
        SimulatedHost server = network.AddHost("server", new ReactorOptions { Logger = NullLogger.Instance });
        SimulatedHost client = network.AddHost("client");
        var marks = new ConnectionOptions { OutputHighWaterMark = 10, OutputLowWaterMark = 5 };
        server.Reactor.Listen(server.EndPoint(7), served, new ListenerOptions { Connection = marks });
        server.Reactor.Listen(server.EndPoint(8), echoed);
        var victim = new Recorder();
        var other = new Recorder();
        Task<Connection> connecting = client.Reactor.ConnectAsync(server.EndPoint(7), victim);
        client.Reactor.ConnectAsync(server.EndPoint(8), other);
        network.RunUntil(() => connecting.IsCompleted && other.Connections == 1 && echoed.Connections == 1);
        network.RunFor(Bounds.OneWay(network));
        if (victim.Connections == 1)
        {
            victim.Connection.TryWrite("x"u8);
            victim.Connection.CloseOutput();
        }

        // A cut that comes soon enough is a failed attempt to connect.
        network.RunUntil(() => served.Closed == 1 && victim.Closed == victim.Connections);
        Require.That(where is 0 or 2 || victim.Connections == 1, "the others come after something of the client's");
        Require.Equal(served.Reason.Kind, where == 4 ? CloseKind.PeerClosed : CloseKind.HandlerFault);
        Require.Equal(served.Reason.Error, where == 4 ? null : error);

        other.Connection.TryWrite("x"u8);
        network.RunUntil(() => other.BytesReceived == 1, 2 * Bounds.OneWay(network));
        other.Connection.Close();
        network.RunUntil(() => echoed.Closed == 1 && other.Closed == 1);
        Leaks.None(network, listeners: 2);
    }

    /// <summary>F26, L1: of connections that are ready in one batch, those that a callback closes or aborts hear of
    /// nothing but their end.</summary>
    public static void ClosedInTheSameBatch(SimulatedNetwork network)
    {
        const int Count = 4;
        bool aborts = network.Random.Coin();
        bool closesItself = network.Random.Coin();
        Recorder? served = null;
        var closed = new HashSet<Connection>();
        int calls = 0;
        bool isBroken = false;
        served = new Recorder
        {
            Readable = connection =>
            {
                calls++;
                isBroken |= closed.Contains(connection);
                foreach (Connection each in connection.Reactor.Connections)
                {
                    if (closesItself == (each == connection) && closed.Add(each))
                    {
                        End(each, aborts);
                    }
                }
            },
        };
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), served);
        RawPeer[] peers =
            [.. Enumerable.Range(0, Count).Select(_ => RawPeer.Connect(network, client, server.EndPoint(7), served))];
        server.Stall(2 * Bounds.OneWay(network));
        Array.ForEach(peers, peer => peer.Send(network.Random.Bytes(40)));
        network.RunFor(2 * Bounds.OneWay(network) + Bounds.Slack);

        Require.That(!isBroken, "no input is offered after a close");
        Require.Equal(calls, closesItself ? Count : 1);
        Array.ForEach(peers, static peer => peer.Close());
        network.RunUntil(() => served.Closed == Count);
        Leaks.None(network);
    }

    /// <summary>F27, L2: a handle that is closed and whose descriptor is used again in one batch takes no event with
    /// it.</summary>
    public static void DescriptorUsedAgain(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var served = new Recorder { Connected = static connection => connection.TryWrite("x"u8) };
        server.Reactor.Listen(server.EndPoint(7), served);
        var keys = new List<SelectionKey>();
        int calls = 0;
        int strays = 0;
        var stray = new EventHandler(_ => strays++);
        var handler = new EventHandler(key =>
        {
            calls++;
            foreach (SelectionKey each in keys.ToArray())
            {
                each.Cancel();
                each.Handle.Close();
            }

            keys.Clear();
            Handle again = client.Handles.CreateStream(AddressFamily.InterNetwork);
            again.Connect(server.EndPoint(9));
            keys.Add(client.Reactor.Register(again, Interest.Connect, stray));
        });
        for (int i = 0; i < 3; i++)
        {
            Handle handle = client.Handles.CreateStream(AddressFamily.InterNetwork);
            handle.Connect(server.EndPoint(7));
            keys.Add(client.Reactor.Register(handle, Interest.Connect, handler));
        }

        client.Stall(Bounds.Connect(network) + Bounds.OneWay(network));
        network.RunUntil(() => calls > 0);
        Require.Equal((calls, strays, keys.Count), (1, 0, 1));

        // Nobody listens there: it is refused, and that is its own event.
        network.RunUntil(() => strays == 1, 2 * Bounds.OneWay(network));
        keys[0].Cancel();
        keys[0].Handle.Close();
        network.RunUntil(() => served.Closed == served.Connections && served.Closed > 0);
        Leaks.None(network);
    }

    /// <summary>L9: no callback of a connection begins inside another one, whatever that one does.</summary>
    public static void NothingIsNested(SimulatedNetwork network)
    {
        int depth = 0;
        int max = 0;
        int left = 30;
        IConnectionHandler? other = null;
        void Act(Connection connection)
        {
            max = Math.Max(max, ++depth);
            for (int i = 0; i < 3 && left-- > 0; i++)
            {
                Provoke(network.Random.Next(9), connection, other!);
            }

            depth--;
        }

        Recorder NewRecorder() => new()
        {
            Connected = Act,
            Readable = connection =>
            {
                Recorder.ReadAll(connection);
                Act(connection);
            },
            Writable = Act,
            InputEnded = connection =>
            {
                Act(connection);
                connection.Close();
            },
            Ended = (connection, _) => Act(connection),
        };
        other = new Delegating(Act);
        var served = NewRecorder();
        var calling = NewRecorder();
        var marks = new ConnectionOptions { OutputHighWaterMark = 10, OutputLowWaterMark = 5, MaxOutputBytes = 2000 };
        _ = new Pair(network, served, calling, marks, marks);
        network.RunFor(TimeSpan.FromSeconds(30));
        Require.Equal(max, 1);
        served.Reset();
        calling.Reset();
        network.RunFor(TimeSpan.FromSeconds(30));
        Leaks.None(network);
    }

    private static void End(Connection connection, bool aborts)
    {
        if (aborts)
        {
            connection.Abort();
        }
        else
        {
            connection.Close();
        }
    }

    private static void Provoke(int what, Connection connection, IConnectionHandler other)
    {
        switch (what)
        {
            case 0:
                connection.PauseReading();
                break;
            case 1:
                connection.ResumeReading();
                break;
            case 2:
                connection.CloseOutput();
                break;
            case 3:
                End(connection, aborts: false);
                break;
            case 4:
                connection.Handler = other;
                break;
            case 5:
                connection.Reactor.Post(connection.ResumeReading);
                break;
            default:
                connection.TryWrite(new byte[40]);
                connection.ResumeReading();
                break;
        }
    }

    private sealed class EventHandler(Action<SelectionKey> ready) : IEventHandler
    {
        public void OnReady(SelectionKey key) => ready(key);
    }

    private sealed class Delegating(Action<Connection> act) : IConnectionHandler
    {
        public void OnReadable(Connection connection) => act(connection);

        public void OnWritable(Connection connection) => act(connection);

        public void OnClosed(Connection connection, CloseReason reason) => act(connection);
    }
}

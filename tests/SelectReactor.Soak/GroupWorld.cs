using System.Net;
using SelectReactor.Testing;

namespace SelectReactor.Soak;

/// <summary>A host with a group of reactors that echoes, and clients that want an answer each.</summary>
internal sealed class GroupWorld(SimulatedNetwork network)
{
    private const int Port = 7;
    private readonly Dictionary<Reactor, int> _open = [];
    private readonly List<Connection> _clients = [];
    private SimulatedHost _server = null!;
    private SimulatedHost _crowd = null!;
    private GroupListener? _listener;
    private int _openNow;

    public ListenerOptions ListenerOptions { get; } = new();

    /// <summary>Whether clients are no connections until they have sent a header, which takes some time.</summary>
    public bool HasHandshake { get; init; }

    /// <summary>Whether a client goes away after its answer.</summary>
    public bool AnswersAndCloses { get; init; }

    public ReactorGroup Group { get; private set; } = null!;

    public ClientSharing Sharing { get; private set; }

    public GroupListener Listener => _listener!;

    public Recorder Served { get; private set; } = null!;

    /// <summary>The number of clients that were started, that had an answer, and that failed or lost their
    /// connection before they had one.</summary>
    public int Clients { get; private set; }

    public int Answers { get; private set; }

    public int Ended { get; private set; }

    /// <summary>The number of clients that have no connection any more.</summary>
    public int Gone { get; private set; }

    public int OutgoingEnded { get; private set; }

    /// <summary>The largest number of connections that the group had at once.</summary>
    public int MostOpen { get; private set; }

    public int OpenOf(Reactor reactor) => _open.GetValueOrDefault(reactor);

    /// <summary>The connections of a reactor, with those in a handshake and those on their way to it.</summary>
    public int LoadOf(Reactor reactor)
    {
        int index = Group.Reactors.TakeWhile(other => other != reactor).Count();
        return Group.Statistics.ConnectionsOfReactors[index];
    }

    /// <summary>Listens, with two to four reactors and a way of sharing that chance chooses.</summary>
    public void Start(ReactorGroupOptions options)
    {
        _server = network.AddHost("server");
        _crowd = network.AddHost("crowd");
        Sharing = network.Random.GetItems(Enum.GetValues<ClientSharing>(), 1)[0];
        options.Sharing = Sharing;
        if (HasHandshake)
        {
            ListenerOptions.ProxyProtocol =
                new ProxyProtocolOptions { TrustedNetworks = [IPNetwork.Parse("0.0.0.0/0")] };
        }

        Group = _server.AddGroup(network.Random.Next(2, 5), options);
        Served = new Recorder
        {
            Connected = connection => Count(connection, 1),
            Readable = Recorder.Echo,
            Ended = (connection, _) => Count(connection, -1),
        };
        Task<GroupListener> listening = Group.ListenAsync(_server.EndPoint(Port), Served, ListenerOptions);
        network.RunUntil(() => listening.IsCompleted);
        _listener = listening.GetAwaiter().GetResult();
    }

    /// <summary>Now and then one of the reactors does nothing for some time.</summary>
    public void StallSometimes(TimeSpan within)
    {
        for (int i = network.Random.Next(4); i > 0; i--)
        {
            Reactor reactor = Group.Reactors[network.Random.Next(Group.Reactors.Count)];
            TimeSpan time = network.Random.UpTo(TimeSpan.FromSeconds(1));
            network.Schedule(network.Random.UpTo(within), () => _server.Stall(reactor, time));
        }
    }

    /// <summary>Ends a reactor, and not the group.</summary>
    /// <returns>Whether it fails.</returns>
    public bool EndAlone(Reactor reactor)
    {
        switch (network.Random.Next(3))
        {
            case 0:
                _server.FailLoop(reactor, new IOException("The selector fails."));
                return true;
            case 1:
                reactor.Dispose();
                return false;
            default:
                reactor.ShutdownAsync(network.Random.UpTo(TimeSpan.FromSeconds(1)));
                return false;
        }
    }

    public void ConnectMany(int count, TimeSpan within)
    {
        Clients += count;
        for (int i = 0; i < count; i++)
        {
            network.Schedule(network.Random.UpTo(within), Connect);
        }
    }

    public void EndClients()
    {
        foreach (Connection client in _clients)
        {
            if (network.Random.Coin())
            {
                client.Abort();
            }
            else
            {
                client.Close();
            }
        }

        network.RunUntil(() => Served.Closed == Served.Connections);
    }

    /// <summary>Connects from a reactor of the group, whatever its load.</summary>
    public void ConnectOut(EndPoint endPoint)
    {
        Reactor reactor = Group.Reactors[network.Random.Next(Group.Reactors.Count)];
        TimeSpan stay = network.Random.UpTo(TimeSpan.FromSeconds(1));
        var handler = new Recorder
        {
            Connected = connection =>
            {
                Count(connection, 1);
                connection.Schedule(stay, connection.Close);
            },
            Ended = (connection, _) =>
            {
                Count(connection, -1);
                OutgoingEnded++;
            },
        };
        NoteFailure(reactor.ConnectAsync(endPoint, handler), () => OutgoingEnded++);
    }

    /// <summary>Closes what listens, and looks whether everything came back.</summary>
    public void RequireNothingLeft(int otherListeners = 0)
    {
        Task closed = Listener.StopAcceptingAsync();
        network.RunUntil(() => closed.IsCompleted && Served.Closed == Served.Connections);
        network.RunUntil(() => Listener.Drained.IsCompleted);
        Leaks.None(network, otherListeners);
        Require.Equal(Group.Statistics.Connections, 0, "connections of the group");
        Require.Equal(Listener.ConnectionCount, 0, "connections of the listener");
        Require.Equal(Group.Reactors.Sum(static reactor => reactor.Buffers.Outstanding), 0, "segments of the group");
        Require.Equal(Group.Statistics.Accepted, Listener.Accepted, "clients of the group");
    }

    // One that was refused has no OnClosed.
    private static void NoteFailure(Task<Connection> attempt, Action ended) => attempt.ContinueWith(
        failed =>
        {
            _ = failed.Exception;
            ended();
        },
        CancellationToken.None,
        TaskContinuationOptions.NotOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    private void Connect()
    {
        bool isAnswered = false;
        bool isOver = false;
        void End()
        {
            Ended += isAnswered || isOver ? 0 : 1;
            Gone += isOver ? 0 : 1;
            isOver = true;
        }

        Task<Connection> attempt = _crowd.Reactor.ConnectAsync(_server.EndPoint(Port), new Recorder
        {
            Connected = connection =>
            {
                _clients.Add(connection);
                if (HasHandshake)
                {
                    TimeSpan time = network.Random.UpTo(TimeSpan.FromMilliseconds(500));
                    connection.Schedule(time, () => connection.TryWrite("PROXY UNKNOWN\r\nx"u8));
                }
                else
                {
                    connection.TryWrite("x"u8);
                }
            },
            Readable = connection =>
            {
                Answers += Recorder.ReadAll(connection).Length > 0 && !isAnswered ? 1 : 0;
                isAnswered = true;
                if (AnswersAndCloses)
                {
                    connection.Close();
                }
            },
            Ended = (_, _) => End(),
        });
        NoteFailure(attempt, End);
    }

    private void Count(Connection connection, int change)
    {
        _open[connection.Reactor] = OpenOf(connection.Reactor) + change;
        _openNow += change;
        MostOpen = Math.Max(MostOpen, _openNow);
    }
}

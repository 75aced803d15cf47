using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>Groups with their threads, while many clients come.</summary>
public sealed class GroupLoadTests(SelectorKind selector) : GroupFixture(selector)
{
    private const int Threads = 8;
    private const int ClientsOfAThread = 150;

    // Connections on a reactor that is drained go on until their clients end.
    [Test]
    public async Task DrainsUnderLoad_LoseNoClient([Values] ClientSharing sharing)
    {
        using var group = new ReactorGroup(3, GroupOptions(sharing));
        var handler = new CountingHandler { ClosesWhenStopping = false };
        using GroupListener listener = await group.ListenAsync(AnyPort, handler).WaitAsync(Bound);
        bool isDrained = false;
        int clients = 0;
        Task load = OnThreads(() =>
        {
            for (int i = 0; i < ClientsOfAThread || !Volatile.Read(ref isDrained); i++)
            {
                Interlocked.Increment(ref clients);
                using var peer = Peer.Connect(listener.LocalEndPoint);
                peer.Send("ping"u8);
                Assert.That(peer.Receive(4), Is.EqualTo("ping"u8.ToArray()));
            }
        });

        for (int drained = 0; drained < 2; drained++)
        {
            int before = handler.Connected;
            await WaitFor(() => handler.Connected >= before + 200);
            await group.DrainAsync(group.Reactors[drained], Bound).WaitAsync(Bound);
        }

        Volatile.Write(ref isDrained, true);
        await load.WaitAsync(Bound);
        Assert.That((listener.Accepted, listener.Refused), Is.EqualTo(((long)clients, 0L)));
        await group.ShutdownAsync(Bound).WaitAsync(Bound);
        Assert.That(handler.Closed, Is.EqualTo(clients));
    }

    // Clients that wait to be accepted are reset, as the contract of the listener says; nobody may be left in between.
    [Test]
    public async Task AShutdownUnderLoad_AnswersOrResetsEachClient([Values] ClientSharing sharing)
    {
        using var group = new ReactorGroup(3, GroupOptions(sharing));
        var handler = new CountingHandler();
        using GroupListener listener = await group.ListenAsync(AnyPort, handler).WaitAsync(Bound);
        int answers = 0;
        Task load = OnThreads(() =>
        {
            for (int i = 0; i < ClientsOfAThread; i++)
            {
                if (TryExchange(listener.LocalEndPoint))
                {
                    Interlocked.Increment(ref answers);
                }
            }
        });

        await WaitFor(() => handler.Connected >= 400);
        await group.ShutdownAsync(Bound).WaitAsync(Bound);
        await load.WaitAsync(Bound);
        await group.Completion.WaitAsync(Bound);

        Assert.That(handler.Connected, Is.EqualTo(handler.Closed));
        Assert.That(listener.Accepted, Is.EqualTo(handler.Connected));
        Assert.That(answers, Is.InRange(300, handler.Connected));
        Assert.That(listener.Drained.IsCompleted, "the listener is drained");
        Assert.That(listener.ConnectionCount, Is.Zero);
    }

    // The connections of the loops that die are cut. All others are served, whoever accepts them.
    [Test]
    public async Task LoopsThatDieUnderLoad_CutTheirConnectionsOnly([Values] ClientSharing sharing)
    {
        var fault = new IOException("epoll_wait failed.");
        ReactorGroupOptions options = GroupOptions(sharing);
        List<FaultySelector> selectors = WithFaultySelectors(options);
        using var group = new ReactorGroup(3, options);
        var handler = new CountingHandler();
        using GroupListener listener = await group.ListenAsync(AnyPort, handler).WaitAsync(Bound);
        bool isOver = false;
        int clients = 0;
        int answers = 0;
        int cuts = 0;
        Task load = OnThreads(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                Interlocked.Increment(ref clients);
                using var peer = Peer.Connect(listener.LocalEndPoint);
                Interlocked.Increment(ref TryEcho(peer) ? ref answers : ref cuts);
            }
        });

        for (int died = 0; died < 2; died++)
        {
            int before = answers;
            await WaitFor(() => answers >= before + 200);
            selectors[died].Fault = fault;
            group.Reactors[died].TryPost(static () => { });
            await WaitFor(() => group.Reactors[died].State == ReactorState.Failed);
            int cutsBefore = cuts;
            before = answers;
            await WaitFor(() => answers >= before + 200);
            Assert.That(cuts - cutsBefore, Is.LessThanOrEqualTo(Threads), "only those that had a connection there");
            Assert.That(group.FirstFault.Exception?.InnerException, Is.SameAs(fault));
            Assert.That(group.Completion.IsCompleted, Is.False);
        }

        Volatile.Write(ref isOver, true);
        await load.WaitAsync(Bound);
        Assert.That((answers + cuts, listener.Refused), Is.EqualTo((clients, 0L)));
        selectors[2].Fault = fault;
        group.Reactors[2].TryPost(static () => { });
        Assert.That(async () => await group.Completion.WaitAsync(Bound), Throws.Exception.SameAs(fault));
        Assert.That(group.Completion.Exception?.InnerExceptions, Has.Count.EqualTo(3));
        await listener.Drained.WaitAsync(Bound);
        Assert.That((handler.Closed, listener.ConnectionCount), Is.EqualTo((handler.Connected, 0)));
    }

    [Test]
    public async Task ConnectsAndAdoptionsOfAllThreads_NeverExceedTheLimit()
    {
        const int Limit = 4;
        ReactorGroupOptions options = GroupOptions(ClientSharing.LeastConnections, maxConnections: Limit);
        using var group = new ReactorGroup(3, options);
        using Socket listening = Peer.Listen(backlog: 1000);
        EndPoint endPoint = listening.LocalEndPoint!;
        var handler = new CountingHandler();
        for (int round = 0; round < 20; round++)
        {
            Task[] attempts = [.. group.Reactors.SelectMany(reactor => Enumerable.Range(0, 4).SelectMany(_ => new[]
            {
                reactor.ConnectAsync(endPoint, handler),
                AdoptAsync(reactor, endPoint, handler),
            }))];
            var all = Task.WhenAll(attempts);
            await all.WaitAsync(Bound).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.That(all.IsCompleted);
            Assert.That(
                attempts.Where(static attempt => attempt.IsFaulted).Select(static attempt =>
                    attempt.Exception!.InnerException),
                Is.All.TypeOf<InvalidOperationException>());
            await WaitFor(() => handler.Connected - handler.Closed == Limit);
            foreach (Reactor reactor in group.Reactors)
            {
                await reactor.InvokeAsync(() =>
                {
                    foreach (Connection connection in reactor.Connections.ToArray())
                    {
                        connection.Abort();
                    }
                });
            }

            await WaitFor(() => handler.Connected == handler.Closed && group.Statistics.Connections == 0);
        }

        Assert.That(handler.Most, Is.EqualTo(Limit));
    }

    private static async Task<Connection> AdoptAsync(Reactor reactor, EndPoint endPoint, IConnectionHandler handler)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(endPoint);
        try
        {
            return await reactor.InvokeAsync(() => reactor.Adopt(socket, handler));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // Not on the thread pool, which the test needs itself.
    private static Task OnThreads(Action load) => Task.WhenAll(Enumerable.Range(0, Threads).Select(_ =>
        Task.Factory.StartNew(load, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

    private static bool TryExchange(EndPoint endPoint)
    {
        try
        {
            using var peer = Peer.Connect(endPoint);
            return TryEcho(peer);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static bool TryEcho(Peer peer)
    {
        try
        {
            peer.Send("ping"u8);
            byte[] answer = new byte[4];
            return peer.Socket.Receive(answer) == 4;
        }
        catch (SocketException exception)
        {
            Assert.That(exception.SocketErrorCode, Is.Not.EqualTo(SocketError.TimedOut), "nobody answers");
            return false;
        }
    }

    private static async Task WaitFor(Func<bool> condition)
    {
        using var end = new CancellationTokenSource(Bound);
        while (!condition())
        {
            await Task.Delay(1, end.Token);
        }
    }

    /// <summary>Echoes, and closes when the peer ends, or the reactor stops.</summary>
    private sealed class CountingHandler : ConnectionHandler
    {
        private int _connected;
        private int _closed;
        private int _open;
        private int _most;

        /// <summary>Whether a connection closes although its client may not have asked yet.</summary>
        public bool ClosesWhenStopping { get; init; } = true;

        public int Connected => Volatile.Read(ref _connected);

        public int Closed => Volatile.Read(ref _closed);

        public int Most => Volatile.Read(ref _most);

        public override void OnConnected(Connection connection)
        {
            Interlocked.Increment(ref _connected);
            int now = Interlocked.Increment(ref _open);
            for (int before = Most; now > before;)
            {
                before = Interlocked.CompareExchange(ref _most, now, before);
            }
        }

        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out var result))
            {
                connection.Append(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }

        public override void OnStopping(Connection connection)
        {
            if (ClosesWhenStopping)
            {
                connection.Close();
            }
        }

        public override void OnClosed(Connection connection, CloseReason reason)
        {
            Interlocked.Decrement(ref _open);
            Interlocked.Increment(ref _closed);
        }
    }
}

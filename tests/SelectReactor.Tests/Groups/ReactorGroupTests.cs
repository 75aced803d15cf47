using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>Groups with their threads.</summary>
public sealed class ReactorGroupTests(SelectorKind selector) : GroupFixture(selector)
{
    [Test]
    public async Task EachClient_IsServedOnTheThreadOfItsReactor([Values] ClientSharing sharing)
    {
        using var group = new ReactorGroup(3, GroupOptions(sharing));
        var wrong = new ConcurrentBag<Connection>();
        var served = new ConcurrentDictionary<Reactor, int>();
        using GroupListener listener = await group.ListenAsync(AnyPort, async (connection, closed) =>
        {
            served.AddOrUpdate(connection.Reactor, 1, static (_, count) => count + 1);
            while (true)
            {
                var result = await connection.Input.ReadAsync(closed);
                if (!connection.Reactor.IsReactorThread)
                {
                    wrong.Add(connection);
                }

                connection.Output.Write(result.Buffer.ToArray());
                connection.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return;
                }
            }
        }).WaitAsync(Bound);

        await ExchangeMany(listener.LocalEndPoint, threads: 8, clients: 20);

        Assert.That(wrong, Is.Empty);
        Assert.That(served.Values.Sum(), Is.EqualTo(160));
        await group.ShutdownAsync(Bound).WaitAsync(Bound);
        await group.Completion.WaitAsync(Bound);
        Assert.That(listener.ConnectionCount, Is.Zero);
    }

    [Test]
    public async Task DisposeTimeout_BoundsTheWaitForABlockedThread()
    {
        ReactorGroupOptions options = GroupOptions(ClientSharing.LeastConnections);
        options.DisposeTimeout = TimeSpan.FromMilliseconds(20);
        var group = new ReactorGroup(2, options);
        using var reached = new ManualResetEventSlim();
        using var open = new ManualResetEventSlim();
        group.Reactors[1].Post(() =>
        {
            reached.Set();
#pragma warning disable SR0002 // The callback blocks on purpose.
            open.Wait(3 * Bound);
#pragma warning restore SR0002
        });
        Assert.That(reached.Wait(Bound));

        await Task.Run(group.Dispose).WaitAsync(Bound);

        Assert.That(group.Completion.IsCompleted, Is.False);
        open.Set();
        await group.Completion.WaitAsync(Bound);
        Assert.That(() => options.DisposeTimeout = TimeSpan.Zero, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public async Task TheLimit_HoldsWhileAllThreadsAccept([Values] ClientSharing sharing)
    {
        using var group = new ReactorGroup(3, GroupOptions(sharing, maxConnections: 7));
        int open = 0;
        int most = 0;
        using GroupListener listener = await group.ListenAsync(AnyPort, async (connection, closed) =>
        {
            int now = Interlocked.Increment(ref open);
            int before = Volatile.Read(ref most);
            while (now > before)
            {
                before = Interlocked.CompareExchange(ref most, now, before);
            }

            var result = await connection.Input.ReadAtLeastAsync(4, closed);
            connection.Output.Write(result.Buffer.ToArray());
            connection.Input.AdvanceTo(result.Buffer.End);
            Interlocked.Decrement(ref open);
        }).WaitAsync(Bound);

        await ExchangeMany(listener.LocalEndPoint, threads: 16, clients: 15);

        Assert.That(most, Is.InRange(1, 7));
        Assert.That((listener.Accepted, listener.Refused), Is.EqualTo((240L, 0L)));
    }

    [Test]
    public void ThreadStart_IsCalledOnEachThread()
    {
        var indexes = new ConcurrentDictionary<int, int>();
        ReactorGroupOptions options = GroupOptions(ClientSharing.Automatic);
        options.ThreadStart = index => indexes[index] = Environment.CurrentManagedThreadId;
        using var group = new ReactorGroup(3, options);

        for (int i = 0; i < 3; i++)
        {
            Task<int> thread = group.Reactors[i].InvokeAsync(static () => Environment.CurrentManagedThreadId);
            Assert.That(thread.WaitAsync(Bound).Result, Is.EqualTo(indexes[i]));
        }

        Assert.That(indexes.Values.Distinct().Count(), Is.EqualTo(3));
    }

    [Test]
    public void ExceptionOfThreadStart_LeavesTheConstructor()
    {
        ReactorGroupOptions options = GroupOptions(ClientSharing.Automatic);
        options.ThreadStart = static index =>
        {
            if (index == 1)
            {
                throw new InvalidDataException("the second");
            }
        };

        Assert.That(() => new ReactorGroup(3, options), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public async Task DisposedOnAThreadOfItsOwn_DoesNotWait()
    {
        var group = new ReactorGroup(2, GroupOptions(ClientSharing.Automatic));
        using GroupListener listener = await group.ListenAsync(AnyPort, new ScriptedHandler()).WaitAsync(Bound);

        group.Reactors[1].Post(group.Dispose);

        await group.Completion.WaitAsync(Bound);
        Assert.That(() => group.ChooseReactor(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(
            () => group.ListenAsync(AnyPort, new ScriptedHandler()).WaitAsync(Bound).GetAwaiter().GetResult(),
            Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Filter_IsAskedByOneReactorAtATime()
    {
        var filter = new BusyFilter();
        using var group = new ReactorGroup(3, GroupOptions(ClientSharing.ReusePort));
        var options = new ListenerOptions { AcceptFilter = filter, WhenFull = WhenFull.Refuse };
        using GroupListener first = await group.ListenAsync(AnyPort, new ScriptedHandler(), options).WaitAsync(Bound);
        using GroupListener second = await group.ListenAsync(AnyPort, new ScriptedHandler(), options).WaitAsync(Bound);

        Peer[] peers =
        [
            .. Enumerable.Range(0, 60)
                .Select(i => Own(Peer.Connect(i % 2 == 0 ? first.LocalEndPoint : second.LocalEndPoint))),
        ];
        await Task.Run(() => Array.ForEach(peers, static peer => peer.Socket.Poll(Bound, SelectMode.SelectRead)));

        Assert.That((filter.Asked, filter.Most), Is.EqualTo((60, 1)));
    }

    private static Task ExchangeMany(EndPoint endPoint, int threads, int clients) =>
        Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() => Exchange(endPoint, clients))));

    private static void Exchange(EndPoint endPoint, int clients)
    {
        for (int i = 0; i < clients; i++)
        {
            using var peer = Peer.Connect(endPoint);
            peer.Send("ping"u8);
            Assert.That(peer.Receive(4), Is.EqualTo("ping"u8.ToArray()));
        }
    }

    /// <summary>Refuses all.</summary>
    private sealed class BusyFilter : IAcceptFilter
    {
        private int _now;

        public int Asked { get; private set; }

        public int Most { get; private set; }

        public bool Allows(EndPoint? remoteEndPoint)
        {
            Asked++;
            Most = Math.Max(Most, Interlocked.Increment(ref _now));
            Thread.Yield();
            Interlocked.Decrement(ref _now);
            return false;
        }
    }
}

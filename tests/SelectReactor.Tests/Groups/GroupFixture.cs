using System.Diagnostics;
using System.Net;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>Groups whose reactors the test steps in turn on its own thread, so that it sees every tick. After each
/// test they are disposed, and nothing of them may be left.</summary>
public abstract class GroupFixture(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly SelectorKind _selector = selector;
    private readonly List<IDisposable> _owned = [];
    private readonly List<ReactorGroup> _groups = [];

    [TearDown]
    public void DisposeGroups()
    {
        _owned.ForEach(static owned => owned.Dispose());
        _owned.Clear();
        foreach (ReactorGroup group in _groups)
        {
            group.Dispose();
            Assert.That(group.Statistics.Connections, Is.Zero, "connections left");
            Assert.That(group.Reactors.Sum(static reactor => reactor.Buffers.Outstanding), Is.Zero, "segments left");
        }

        _groups.Clear();
    }

    protected ReactorGroup Stepped(ClientSharing sharing, int count = 2, int maxConnections = int.MaxValue) =>
        Stepped(GroupOptions(sharing, maxConnections), count);

    protected ReactorGroup Stepped(ReactorGroupOptions options, int count)
    {
        options.StartThreads = false;
        var group = new ReactorGroup(count, options);
        _groups.Add(group);
        return group;
    }

    protected ReactorGroupOptions GroupOptions(ClientSharing sharing, int maxConnections = int.MaxValue)
    {
        if (sharing == ClientSharing.SharedSocket && _selector.ToString() != "Epoll")
        {
            Assert.Ignore("Handles of this kind can't be shared.");
        }

        if (sharing == ClientSharing.ReusePort && !OperatingSystem.IsLinux())
        {
            Assert.Ignore("SO_REUSEPORT shares clients on Linux.");
        }

        return new ReactorGroupOptions { Reactor = Options(), Sharing = sharing, MaxConnections = maxConnections };
    }

    /// <summary>Replaces the selectors by ones that can fail.</summary>
    /// <returns>Those of the reactors, in order, once the group is made.</returns>
    protected static List<FaultySelector> WithFaultySelectors(ReactorGroupOptions options)
    {
        List<FaultySelector> selectors = [];
        Func<ISelector> create = options.Reactor.SelectorFactory;
        options.Reactor.SelectorFactory = () =>
        {
            selectors.Add(new FaultySelector(create()));
            return selectors[^1];
        };
        return selectors;
    }

    protected static GroupListener Listen(
        ReactorGroup group, IConnectionHandler handler, ListenerOptions? options = null, EndPoint? endPoint = null) =>
        Run(group, group.ListenAsync(endPoint ?? AnyPort, handler, options ?? new ListenerOptions()));

    protected T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    protected Peer[] Connect(GroupListener listener, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Own(Peer.Connect(listener.LocalEndPoint)))];

    /// <summary>Steps the reactors in turn until something has come true.</summary>
    protected static void Run(ReactorGroup group, Func<bool> condition, string what = "the condition")
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > Bound)
            {
                Assert.Fail($"Not within {Bound.TotalSeconds} s: {what}. {group.Statistics}");
            }

            foreach (Reactor reactor in group.Reactors.Where(static reactor => !reactor.IsDisposed))
            {
                reactor.RunOnce(TimeSpan.FromMilliseconds(1));
            }
        }
    }

    protected static T Run<T>(ReactorGroup group, Task<T> task)
    {
        Run(group, () => task.IsCompleted, "the task");
        return task.GetAwaiter().GetResult();
    }

    protected static void Run(ReactorGroup group, Task task)
    {
        Run(group, () => task.IsCompleted, "the task");
        task.GetAwaiter().GetResult();
    }

    /// <summary>Steps the reactors until they have nothing more to do.</summary>
    protected static void RunUntilQuiet(ReactorGroup group)
    {
        for (int quiet = 0; quiet < 3;)
        {
            int served = group.Reactors.Where(static reactor => !reactor.IsDisposed)
                .Sum(static reactor => reactor.RunOnce(TimeSpan.FromMilliseconds(5)));
            quiet = served == 0 ? quiet + 1 : 0;
        }
    }

    /// <summary>Steps the reactors until each peer has had its bytes back.</summary>
    protected static void Exchange(ReactorGroup group, IEnumerable<Peer> peers)
    {
        foreach (Peer peer in peers)
        {
            peer.Send("ping"u8);
            Run(group, () => peer.Socket.Available >= 4, "the echo");
            Assert.That(peer.Receive(4), Is.EqualTo("ping"u8.ToArray()));
        }
    }
}

using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>One listening socket that several reactors on epoll watch.</summary>
public sealed class SharedSocketTests(SelectorKind selector) : GroupFixture(selector)
{
    private const int MaxRounds = 10;

    // The system wakes one reactor for a client (EPOLLEXCLUSIVE). If that one ends before it has accepted, the client
    // waits for the next one to come, unless the others look again.
    [Test]
    public void AClientForWhomAnEndingReactorWasWoken_IsAcceptedByAnother()
    {
        // Until the thread is inside the system call, the system tells both, which shows nothing.
        int round = 0;
        while (!TryLetOneMissAClient(TimeSpan.FromMilliseconds(10 << round)))
        {
            Assert.That(++round, Is.LessThan(MaxRounds), "the system never woke one reactor alone");
        }
    }

    /// <returns>Whether the system woke one reactor only. Then the other one has accepted the client.</returns>
    private bool TryLetOneMissAClient(TimeSpan untilItWaits)
    {
        List<AbsentSelector> selectors = [];
        ReactorGroupOptions options = GroupOptions(ClientSharing.SharedSocket);
        Func<ISelector> create = options.Reactor.SelectorFactory;
        options.StartThreads = false;
        options.Reactor.SelectorFactory = () =>
        {
            selectors.Add(new AbsentSelector(create()));
            return selectors[^1];
        };
        ReactorGroup group = Own(new ReactorGroup(2, options));
        var handler = new ScriptedHandler();
        GroupListener listener = Listen(group, handler);

        selectors[0].IsAbsent = true;
        Reactor ending = group.Reactors[0];
        using var hasMissed = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            ending.RunOnce(Bound);
            hasMissed.Set();
            mayEnd.Wait(Bound);
            ending.Dispose();
        });
        thread.Start();
        Assert.That(selectors[0].Waits.Wait(Bound));
        Thread.Sleep(untilItWaits);
        Connect(listener, 1);
        Assert.That(hasMissed.Wait(Bound));
        Assert.That(selectors[0].Missed, Is.True);

        group.Reactors[1].RunOnce(TimeSpan.Zero);
        bool isWokenToo = handler.IsConnected;
        mayEnd.Set();
        Assert.That(thread.Join(Bound));
        RunUntil(group.Reactors[1], () => handler.IsConnected, "the other reactor accepts");
        return !isWokenToo;
    }

    /// <summary>Keeps the first thing that it finds to itself.</summary>
    private sealed class AbsentSelector(ISelector inner) : ISelector
    {
        public bool IsAbsent { get; set; }

        public bool Missed { get; private set; }

        public ManualResetEventSlim Waits { get; } = new();

        public void Add(SelectorEntry entry) => inner.Add(entry);

        public void Update(SelectorEntry entry, Interest previous) => inner.Update(entry, previous);

        public void Remove(SelectorEntry entry) => inner.Remove(entry);

        public void Select(TimeSpan wait, List<SelectorEntry> ready)
        {
            if (IsAbsent)
            {
                Waits.Set();
            }

            inner.Select(wait, ready);
            if (IsAbsent && ready.Count > 0)
            {
                Missed = true;
                ready.Clear();
            }
        }

        public void Wake() => inner.Wake();

        public void Dispose() => inner.Dispose();
    }
}

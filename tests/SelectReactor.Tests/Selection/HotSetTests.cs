using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;
using SelectReactor.Threading;

namespace SelectReactor.Tests.Selection;

/// <summary>
/// The hot set of <see cref="SelectSelector"/> shows only as a small and bounded delay. The clock of these tests
/// counts how often it was read, so that a slice costs one unit and the bounds are numbers of selects.
/// </summary>
public sealed class HotSetTests
{
    private const int Sockets = 200;

    /// <summary>Three slices of the cold ones and one that is under way. Each is earned in forty times its cost
    /// (one reading), and a select reads the clock twice at least.</summary>
    private const int MostSelectsUntilSeen = 80;

    /// <summary>A socket that is closed costs the others one more look, and one that is added waits for its turn
    /// behind them.</summary>
    private const int MostSelectsWithChurn = MostSelectsUntilSeen + 2;

    private readonly List<SelectionKey> _ready = [];
    private readonly List<SelectorEntry> _entries = [];
    private readonly List<(Socket Near, Socket Far, SelectionKey Key)> _pairs = [];
    private CountingClock _clock = null!;
    private SelectSelector _selector = null!;
    private Socket _listener = null!;

    [SetUp]
    public void Connect()
    {
        _clock = new CountingClock();
        _selector = new SelectSelector(_clock);
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(Sockets);
        for (int i = 0; i < Sockets; i++)
        {
            AddPair();
        }
    }

    [TearDown]
    public void Close()
    {
        _selector.Dispose();
        _listener.Dispose();
        foreach ((Socket near, Socket far, _) in _pairs)
        {
            near.Dispose();
            far.Dispose();
        }

        _pairs.Clear();
        _ready.Clear();
        _entries.Clear();
    }

    [Test]
    public void QuietSockets_LeaveTheHotSet()
    {
        KeepBusy(0);
        CoolDown();

        Assert.That(_selector.Hot, Is.EqualTo(2), "the busy one and the wake-up");
    }

    [Test]
    public void ListeningSocket_StaysHot()
    {
        var handle = new SocketHandle(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        handle.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        handle.Listen(1);
        _selector.Add(new SelectorEntry(handle, Interest.Read));
        KeepBusy(0);
        CoolDown();

        Assert.That(_selector.Hot, Is.EqualTo(3));
        handle.Close();
    }

    [Test]
    public void ColdSocket_IsSeenWithinTheBound_WhileTheHotOnesAreBusy()
    {
        KeepBusy(0);
        CoolDown();
        _pairs[150].Far.Send([1]);

        int selects = 0;
        do
        {
            Assert.That(++selects, Is.LessThanOrEqualTo(MostSelectsUntilSeen));
            Select(TimeSpan.Zero);
            Assert.That(_ready, Does.Contain(_pairs[0].Key), "a busy hot socket is reported each time");
        }
        while (!_ready.Contains(_pairs[150].Key));
    }

    [Test]
    public void ColdSocket_IsSeenAtOnce_WhenFewAreLeft()
    {
        CoolDown();
        for (int i = 20; i < Sockets; i++)
        {
            _pairs[i].Key.Cancel();
        }

        Assert.That(_selector.Hot, Is.EqualTo(1), "the wake-up");
        Speak(7);
        Select(TimeSpan.Zero);

        Assert.That(_ready, Is.EqualTo(new[] { _pairs[7].Key }));
    }

    [Test]
    public void ColdSocketThatSpeaks_BecomesHot()
    {
        CoolDown();
        Assert.That(_selector.Hot, Is.EqualTo(1), "the wake-up");
        Speak(150);
        SelectOften(MostSelectsUntilSeen);
        Assert.That(_selector.Hot, Is.EqualTo(2));
        for (int i = 0; i < MostSelectsUntilSeen; i++)
        {
            Select(TimeSpan.Zero);
            Assert.That(_ready, Is.EqualTo(new[] { _pairs[150].Key }));
        }
    }

    [Test]
    public void ColdSocket_IsSeenInAWait_WhateverWasSpentBefore([Range(0, MostSelectsUntilSeen)] int selectsBefore)
    {
        CoolDown();
        Select(TimeSpan.FromMilliseconds(1));
        SelectOften(selectsBefore);
        Speak(42);

        Select(Timeout.InfiniteTimeSpan);
        while (_ready.Count == 0)
        {
            Select(Timeout.InfiniteTimeSpan);
        }

        Assert.That(_ready, Is.EqualTo(new[] { _pairs[42].Key }));
    }

    [Test]
    public void WaitForQuietSockets_IsNotShorterThanAsked_WhateverIsLookedAtInIt()
    {
        for (int i = 0; i < 48; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Select(TimeSpan.FromMilliseconds(2));
            Assert.That(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Is.GreaterThanOrEqualTo(2), $"wait {i}");
        }
    }

    [Test]
    public void ClosedColdSocket_IsEvicted_InASliceAsInAWait([Values(0, 1)] int wait, [Values] bool busy)
    {
        CoolDown();
        if (busy)
        {
            Speak(0);
            SelectOften(MostSelectsUntilSeen);
        }

        _pairs[3].Near.Dispose();
        int selects = 0;
        do
        {
            Assert.That(++selects, Is.LessThanOrEqualTo(MostSelectsUntilSeen));
            Select(TimeSpan.FromMilliseconds(wait));
        }
        while (!_ready.Contains(_pairs[3].Key));

        Assert.That(_pairs[3].Key.IsEvicted);
        Select(TimeSpan.Zero);
        Assert.That(_ready, busy ? Is.EqualTo(new[] { _pairs[0].Key }) : Is.Empty);
    }

    [Test]
    public void ColdSocket_EndsAnInfiniteWait()
    {
        CoolDown();
        _pairs[42].Far.Send([1]);

        Select(Timeout.InfiniteTimeSpan);
        while (_ready.Count == 0)
        {
            Select(Timeout.InfiniteTimeSpan);
        }

        Assert.That(_ready, Is.EqualTo(new[] { _pairs[42].Key }));
    }

    [Test]
    public void Wake_EndsAnInfiniteWait_WithAllSocketsCold()
    {
        CoolDown();
        _selector.Wake();

        Select(Timeout.InfiniteTimeSpan);

        Assert.That(_ready, Is.Empty);
    }

    [Test]
    public void BusyLoop_NeverWaitsForAll_AndAllocatesNothing([Values(1, 150)] int busy)
    {
        for (int i = 0; i < busy; i++)
        {
            KeepBusy(i);
        }

        CoolDown();
        int before = _selector.FullWaits;
        SelectWithoutEnd();
        long allocated = Allocations.Least(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                SelectWithoutEnd();
            }
        });

        Assert.That(allocated, Is.Zero);
        Assert.That(_selector.FullWaits, Is.EqualTo(before));
        Assert.That(_entries, Has.Count.EqualTo(busy));

        void SelectWithoutEnd()
        {
            _entries.ForEach(static entry => entry.Ready = Interest.None);
            _entries.Clear();
            _selector.Select(Timeout.InfiniteTimeSpan, _entries);
        }
    }

    [Test]
    public void IdleLoop_WaitsForAll_OnceARoundIsEarned()
    {
        CoolDown();
        Select(TimeSpan.FromMilliseconds(1));
        Assert.That(_selector.FullWaits, Is.Zero);

        _clock.Advance(units: 1000);
        Select(TimeSpan.FromMilliseconds(1));

        Assert.That(_selector.FullWaits, Is.EqualTo(1));
    }

    // A ping at a time, each on another connection: there is nothing that an early look at all could delay.
    [Test]
    public void IdleLoop_SeesEachColdSocketSoon_WhileColdOnesAreActive()
    {
        CoolDown();
        WaitFor(10);
        int before = _selector.FullWaits;
        for (int i = 20; i < 120; i++)
        {
            Assert.That(WaitFor(i), Is.LessThanOrEqualTo(5), $"socket {i}");
        }

        Assert.That(_selector.FullWaits - before, Is.EqualTo(100), "each is found by a wait for all");

        int WaitFor(int index)
        {
            Speak(index);
            int selects = 0;
            do
            {
                selects++;
                Select(Timeout.InfiniteTimeSpan);
            }
            while (!_ready.Contains(_pairs[index].Key));

            Drain([_pairs[index].Key]);
            return selects;
        }
    }

    [Test]
    public void DatagramErrorAmongColdSockets_IsReported_ThoughOthersAreActive()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        EndPoint nobody = closed.LocalEndPoint!;
        closed.Dispose();
        var handle = new SocketHandle(new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        handle.Connect(nobody);
        var entry = new SelectorEntry(handle, Interest.Read);
        _selector.Add(entry);
        CoolDown();
        handle.Send([1], out _);
        Assert.That(SpinWait.SpinUntil(() => handle.HasDatagramError, TimeSpan.FromSeconds(10)));

        for (int i = 0; !_entries.Contains(entry); i++)
        {
            Assert.That(i, Is.LessThan(MostSelectsUntilSeen));
            Speak(5);
            Select(Timeout.InfiniteTimeSpan);
            Drain([_pairs[5].Key]);
            _clock.Advance(units: 1000);
            Select(TimeSpan.FromMilliseconds(1));
        }

        handle.Close();
    }

    [Test]
    public void PollInABusyLoop_LooksAtAllInOneRound_AfterALongTick([Values] bool waits)
    {
        KeepBusy(0);
        CoolDown();
        Speak(60);
        Speak(199);

        _clock.Advance(units: 1000);
        Select(waits ? Timeout.InfiniteTimeSpan : TimeSpan.Zero);

        Assert.That(_ready, Is.EquivalentTo(new[] { _pairs[0].Key, _pairs[60].Key, _pairs[199].Key }));
        Assert.That(_selector.FullWaits, Is.Zero);
    }

    [Test]
    public void NewSockets_CoolSooner_ThanThoseThatTalk()
    {
        CoolDown();
        Speak(0);
        SelectOften(MostSelectsUntilSeen);
        for (int i = 0; i < 30; i++)
        {
            AddPair();
        }

        Drain([_pairs[0].Key]);
        Assert.That(_selector.Hot, Is.EqualTo(32));
        SelectOften(WatchedSocket.NewPatience + 10);
        Assert.That(_selector.Hot, Is.EqualTo(2), "the wake-up and the one that talked");

        SelectOften(WatchedSocket.MaxPatience + 10);

        Assert.That(_selector.Hot, Is.EqualTo(1));
    }

    [Test]
    public void Churn_ReportsExactlyWhatIsReady([Values(1, 2, 3, 4, 5)] int seed)
    {
        var random = new Random(seed);
        var pending = new HashSet<SelectionKey>();
        for (int round = 0; round < 300; round++)
        {
            Disturb(random, pending);
            var seen = new HashSet<SelectionKey>();
            for (int i = 0; i < MostSelectsWithChurn; i++)
            {
                Select(TimeSpan.Zero);
                seen.UnionWith(_ready);
            }

            Assert.That(seen, Is.EquivalentTo(pending), $"seed {seed}, round {round}");
            if (round % 3 == 0)
            {
                Drain(pending);
            }
        }
    }

    private void Disturb(Random random, HashSet<SelectionKey> pending)
    {
        for (int i = 0; i < 5; i++)
        {
            int index = random.Next(_pairs.Count);
            (Socket near, Socket far, SelectionKey key) = _pairs[index];
            switch (random.Next(4))
            {
                case 0:
                    key.Cancel();
                    pending.Remove(key);
                    near.Dispose();
                    far.Dispose();
                    _pairs.RemoveAt(index);
                    AddPair();
                    break;
                case 1:
                    key.Interest = Interest.None;
                    key.Interest = Interest.Read;
                    break;
                default:
                    far.Send([1]);
                    Assert.That(near.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead), "the byte arrives");
                    pending.Add(key);
                    break;
            }
        }
    }

    private static void Drain(HashSet<SelectionKey> pending)
    {
        byte[] buffer = new byte[4096];
        foreach (SelectionKey key in pending)
        {
            ((SocketHandle)key.Handle).Receive(buffer, out _);
        }

        pending.Clear();
    }

    private void Select(TimeSpan wait)
    {
        _entries.ForEach(static entry => entry.Ready = Interest.None);
        _entries.Clear();
        _selector.Select(wait, _entries);
        _ready.Clear();
        _ready.AddRange(_entries.Where(static entry => entry.Key is not null).Select(static entry => entry.Key!));
    }

    private void Speak(int index)
    {
        _pairs[index].Far.Send([1]);
        Assert.That(_pairs[index].Near.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead), "the byte arrives");
    }

    private void KeepBusy(int index) => _pairs[index].Far.Send([1]);

    private void CoolDown() => SelectOften(WatchedSocket.MaxPatience + MostSelectsUntilSeen);

    private void SelectOften(int times)
    {
        for (int i = 0; i < times; i++)
        {
            Select(TimeSpan.Zero);
        }
    }

    private void AddPair()
    {
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        far.Connect(_listener.LocalEndPoint!);
        Socket near = _listener.Accept();
        var key = new SelectionKey(new SocketHandle(near), Interest.Read, this, _selector, new ThreadAffinity());
        _selector.Add(key.Entry);
        _pairs.Add((near, far, key));
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;
using SelectReactor.Threading;

namespace SelectReactor.Tests.Selection;

/// <summary>
/// The hot set of <see cref="SelectSelector"/> shows only as a small and bounded delay. The clock of these tests
/// counts how often it was read, so that a scan costs one unit and the bounds are numbers of selects.
/// </summary>
public sealed class HotSetTests
{
    private const int Sockets = 200;

    /// <summary>Ten times the cost of a scan (one reading), and the select in which the scan comes due.</summary>
    private const int MostSelectsUntilSeen = 12;

    private readonly List<SelectionKey> _ready = [];
    private readonly List<SelectorEntry> _entries = [];
    private readonly List<(Socket Near, Socket Far, SelectionKey Key)> _pairs = [];
    private SelectSelector _selector = null!;
    private Socket _listener = null!;

    [SetUp]
    public void Connect()
    {
        _selector = new SelectSelector(new CountingClock());
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
    public void ColdSocket_IsSeenInAWaitThatOutlastsTheRest()
    {
        CoolDown();
        int before = _selector.Scans;
        while (_selector.Scans == before)
        {
            Select(TimeSpan.Zero);
        }

        Speak(42);

        Select(TimeSpan.FromMilliseconds(2));

        Assert.That(_ready, Is.EqualTo(new[] { _pairs[42].Key }));
    }

    [Test]
    public void WaitForQuietSockets_IsNotShorterThanAsked_WhateverIsScannedInIt()
    {
        for (int i = 0; i < 3 * HotSet.HotScans; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Select(TimeSpan.FromMilliseconds(2));
            Assert.That(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Is.GreaterThanOrEqualTo(2), $"wait {i}");
        }
    }

    [Test]
    public void ClosedSocket_EndsTheScanThatFindsIt()
    {
        _pairs[3].Near.Dispose();
        Select(TimeSpan.FromMilliseconds(1));

        Assert.That(_ready, Is.EqualTo(new[] { _pairs[3].Key }));
        Assert.That(_selector.Scans, Is.EqualTo(1), "it does not wait in a second one");
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
    public void FullScans_AreATenthOfTheSelectsAtMost_UnderLoad()
    {
        KeepBusy(0);
        CoolDown();
        int before = _selector.Scans;
        SelectOften(1000);

        Assert.That(_selector.Scans - before, Is.InRange(50, 100));
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
            for (int i = 0; i < MostSelectsUntilSeen; i++)
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

    private void CoolDown() => SelectOften((HotSet.HotScans + 2) * MostSelectsUntilSeen);

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

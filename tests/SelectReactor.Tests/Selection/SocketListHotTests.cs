using System.Collections;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor.Tests.Selection;

/// <summary>The hot and the cold part of the list that a select empties, against two sets.</summary>
[TestFixture(false)]
[TestFixture(true)]
public sealed class SocketListHotTests(bool forWriting)
{
    private readonly List<SocketHandle> _handles = [];
    private readonly HashSet<WatchedSocket> _hot = [];
    private readonly HashSet<WatchedSocket> _cold = [];

    /// <summary>The cold ones that the next slices of this round must show, whatever happens before.</summary>
    private readonly HashSet<WatchedSocket> _waiting = [];
    private SocketList _list = null!;

    private IList View => _list;

    [OneTimeSetUp]
    public void OpenSockets()
    {
        for (int i = 0; i < 40; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _handles.Add(new SocketHandle(socket));
        }
    }

    [OneTimeTearDown]
    public void CloseSockets() => _handles.ForEach(static handle => handle.Dispose());

    [SetUp]
    public void Start()
    {
        _list = new SocketList(forWriting);
        _hot.Clear();
        _cold.Clear();
        _waiting.Clear();
    }

    [Test]
    public void AMemberThatIsAddedBesideColdOnes_IsHot_AndAllStay()
    {
        WatchedSocket first = Add();
        WatchedSocket second = Add();
        MakeCold(first);
        MakeCold(second);

        Add();

        AssertShowsAll("one added");
    }

    [Test]
    public void ARandomWalk_KeepsTheHotOnesBeforeTheColdOnes([Range(1, 20)] int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            WatchedSocket[] members = [.. _hot, .. _cold];
            WatchedSocket? any = members.Length == 0 ? null : members[random.Next(members.Length)];
            switch (random.Next(5))
            {
                case 0 when any is not null:
                    _list.Remove(any);
                    _hot.Remove(any);
                    _cold.Remove(any);
                    _waiting.Remove(any);
                    Assert.That(IndexOf(any), Is.EqualTo(-1));
                    break;
                case 1 when any is not null:
                    // Of one that is hot already, too, which is nothing.
                    _list.MakeHot(any);
                    _cold.Remove(any);
                    _waiting.Remove(any);
                    _hot.Add(any);
                    break;
                case 2 when any is not null && _hot.Contains(any):
                    MakeCold(any);
                    break;
                case 3 when members.Length < _handles.Count:
                    Add();
                    break;
                case 4:
                    LookAtSlice(random.Next(1, 10));
                    break;
            }

            AssertShowsAll($"seed {seed}, round {round}");
        }
    }

    [Test]
    public void Slices_ShowEachColdMemberOnce_InPartsOfAboutEqualSize()
    {
        Add();
        for (int i = 0; i < 21; i++)
        {
            MakeCold(Add());
        }

        var sizes = new List<int>();
        var seen = new List<WatchedSocket?>();
        for (int i = 0; i < 3; i++)
        {
            int size = _list.BeginSlice(maxSize: 10);
            _list.Rewind(_list.Cursor, size);
            seen.AddRange(Shown());
            sizes.Add(size);
            _list.EndSlice(size);
        }

        Assert.That(sizes, Is.EqualTo(new[] { 7, 7, 7 }));
        Assert.That(seen, Is.EquivalentTo(_cold));
        Assert.That(_list.BeginSlice(maxSize: 21), Is.EqualTo(21), "the next round");
    }

    [Test]
    public void SliceOfNoColdMember_IsEmpty()
    {
        Add();

        Assert.That(_list.BeginSlice(maxSize: 10), Is.Zero);
    }

    private void LookAtSlice(int maxSize)
    {
        if (_list.Cursor == _list.Members)
        {
            Assert.That(_waiting, Is.Empty, "a round shows all");
            _waiting.UnionWith(_cold);
        }

        int size = _list.BeginSlice(maxSize);
        Assert.That(size, Is.LessThanOrEqualTo(maxSize));
        _list.Rewind(_list.Cursor, size);
        _waiting.ExceptWith(Shown()!);
        _list.EndSlice(size);
    }

    private void AssertShowsAll(string message)
    {
        IEnumerable<WatchedSocket?> rest = Enumerable.Range(0, _hot.Count + _cold.Count).Skip(_list.Cursor)
            .Select(_list.MemberAt);
        Assert.That(_list.Cursor, Is.InRange(_list.Hot, _list.Members), message);
        Assert.That(_waiting.IsSubsetOf(rest!), message);
        Assert.That((_list.Hot, _list.Members), Is.EqualTo((_hot.Count, _hot.Count + _cold.Count)), message);
        _list.Rewind(0, _list.Hot);
        Assert.That(Shown(), Is.EquivalentTo(_hot), message);
        _list.Rewind();
        Assert.That(Shown(), Is.EquivalentTo(_hot.Concat(_cold)), message);
        foreach (WatchedSocket watched in _hot.Concat(_cold))
        {
            Assert.That(_list.MemberAt(IndexOf(watched)), Is.SameAs(watched), message);
            Assert.That(View[IndexOf(watched)], Is.SameAs(watched.Socket), message);
        }
    }

    private List<WatchedSocket?> Shown() => [.. Enumerable.Range(0, _list.Count).Select(_list.InView)];

    private WatchedSocket Add()
    {
        SocketHandle free = _handles.First(handle => !_hot.Concat(_cold).Any(watched => watched.Handle == handle));
        var watched = new WatchedSocket(new SelectorEntry(free, Interest.None));
        _list.Add(free.Socket, watched);
        _hot.Add(watched);
        return watched;
    }

    private void MakeCold(WatchedSocket watched)
    {
        _list.MakeCold(IndexOf(watched));
        _hot.Remove(watched);
        _cold.Add(watched);
    }

    private int IndexOf(WatchedSocket watched) => forWriting ? watched.WriteIndex : watched.ReadIndex;
}

using System.Collections;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor.Tests.Selection;

/// <summary>The hot and the cold members of the list that a select empties, against two sets.</summary>
[TestFixture(false)]
[TestFixture(true)]
public sealed class SocketListHotTests(bool forWriting) : SocketListFixture(forWriting)
{
    private readonly HashSet<WatchedSocket> _hot = [];
    /// <summary>For each cold one the most cold ones that may be shown before it.</summary>
    private readonly Dictionary<WatchedSocket, int> _cold = [];

    [SetUp]
    public void StartModel()
    {
        _hot.Clear();
        _cold.Clear();
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
    public void ARandomWalk_ShowsTheHotOnes_AndTheColdOnesInTurn([Range(1, 20)] int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < 30; i++)
        {
            MakeCold(Add());
        }

        for (int round = 0; round < 200; round++)
        {
            WatchedSocket[] members = [.. _hot, .. _cold.Keys];
            WatchedSocket? any = members.Length == 0 ? null : members[random.Next(members.Length)];
            switch (random.Next(8))
            {
                case 0 when any is not null:
                    Listed.Remove(any);
                    _hot.Remove(any);
                    _cold.Remove(any);
                    AllowOneMoreBeforeEach();
                    Assert.That(IndexOf(any), Is.EqualTo(-1));
                    break;
                case 1 when any is not null:
                    // Of one that is hot already, too, which is nothing.
                    Listed.MakeHot(any);
                    _cold.Remove(any);
                    _hot.Add(any);
                    break;
                case 2 when any is not null && _hot.Contains(any):
                    MakeCold(any);
                    break;
                case 3 when members.Length < Handles.Count:
                    Add();
                    break;
                case >= 4:
                    LookAtSlice(random.Next(1, 10));
                    break;
            }

            AssertShowsAll($"seed {seed}, round {round}");
        }
    }

    [Test]
    public void Slices_ShowEachColdMemberOnce_InTheOrderOfOpening_InPartsOfAboutEqualSize()
    {
        WatchedSocket[] cold = [.. Enumerable.Range(0, 22).Select(_ => Add())];
        foreach (WatchedSocket each in cold.Reverse().Where(each => each != cold[10]))
        {
            MakeCold(each);
        }

        var sizes = new List<int>();
        var seen = new List<WatchedSocket?>();
        for (int i = 0; i < 3; i++)
        {
            Listed.ShowSlice(maxSize: 10);
            seen.AddRange(Shown());
            sizes.Add(Listed.Count);
            Listed.EndSlice();
        }

        Assert.That(sizes, Is.EqualTo(new[] { 7, 7, 7 }));
        Assert.That(seen, Is.EqualTo(cold.Where(each => each != cold[10])));
        Listed.ShowSlice(maxSize: 21);
        Assert.That(Shown(), Is.EquivalentTo(_cold.Keys), "the next round");
    }

    [Test]
    public void ASliceThatDoesNotEnd_IsShownAgain()
    {
        for (int i = 0; i < 20; i++)
        {
            MakeCold(Add());
        }

        Listed.ShowSlice(maxSize: 10);
        List<WatchedSocket?> first = Shown();
        Listed.ShowSlice(maxSize: 5);

        Assert.That(Shown(), Is.EqualTo(first[..5]));
    }

    [Test]
    public void SliceOfNoColdMember_IsEmpty()
    {
        Add();
        Listed.ShowSlice(maxSize: 10);

        Assert.That(Listed.Count, Is.Zero);
    }

    private void LookAtSlice(int maxSize)
    {
        Listed.ShowSlice(maxSize);
        List<WatchedSocket?> shown = Shown();
        Listed.EndSlice();
        Assert.That(shown, Has.Count.LessThanOrEqualTo(maxSize));
        Assert.That(shown, Is.Unique);
        foreach (WatchedSocket each in _cold.Keys)
        {
            int index = shown.IndexOf(each);
            _cold[each] = (index < 0 ? _cold[each] : _cold.Count + index) - shown.Count;
            Assert.That(_cold[each], Is.Not.Negative, "it has its turn");
        }
    }

    private void AllowOneMoreBeforeEach()
    {
        foreach (WatchedSocket each in _cold.Keys)
        {
            _cold[each]++;
        }
    }

    private void AssertShowsAll(string message)
    {
        Assert.That((Listed.Hot, Listed.Members), Is.EqualTo((_hot.Count, _hot.Count + _cold.Count)), message);
        Listed.Show(Asked.Hot, 0, Listed.Hot);
        Assert.That(Shown(), Is.EquivalentTo(_hot), message);
        Assert.That(Enumerable.Range(0, Listed.Hot).Select(Listed.HotAt), Is.EquivalentTo(_hot), message);
        Listed.Show(Asked.All, 0, Listed.Members);
        Assert.That(Shown(), Is.EquivalentTo(_hot.Concat(_cold.Keys)), message);
        foreach (WatchedSocket watched in _hot.Concat(_cold.Keys))
        {
            Assert.That(Listed.IsHot(watched), Is.EqualTo(_hot.Contains(watched)), message);
            Assert.That(Listed.MemberAt(IndexOf(watched)), Is.SameAs(watched), message);
            Assert.That(View[IndexOf(watched)], Is.SameAs(watched.Socket), message);
        }
    }

    private List<WatchedSocket?> Shown() => [.. Enumerable.Range(0, Listed.Count).Select(Listed.InView)];

    private WatchedSocket Add()
    {
        SocketHandle free = Handles.First(
            handle => !_hot.Concat(_cold.Keys).Any(watched => watched.Handle == handle));
        var watched = new WatchedSocket(new SelectorEntry(free, Interest.None));
        Listed.Add(free.Socket, watched);
        _hot.Add(watched);
        return watched;
    }

    private void MakeCold(WatchedSocket watched)
    {
        Listed.MakeCold(
            Enumerable.Range(0, Listed.Hot).First(index => Listed.HotAt(index) == watched));
        AllowOneMoreBeforeEach();
        _hot.Remove(watched);
        _cold.Add(watched, _cold.Count);
    }

    private int IndexOf(WatchedSocket watched) => IsForWriting ? watched.WriteIndex : watched.ReadIndex;
}

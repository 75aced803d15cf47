using System.Collections;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor.Tests.Selection;

/// <summary>The list that a select empties, against a plain list that does the same.</summary>
[TestFixture(false)]
[TestFixture(true)]
public sealed class SocketListTests(bool forWriting) : SocketListFixture(forWriting)
{
    private List<WatchedSocket> _model = null!;

    [SetUp]
    public void StartModel() => _model = [];

    [Test]
    public void ARandomWalk_LeavesExactlyTheSurvivors([Range(1, 40)] int seed, [Values] bool forwards)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            ChangeMembers(random);
            double share = random.Next(4) switch { 0 => 0, 1 => 1, _ => random.NextDouble() };
            Check(_model.Where(_ => random.NextDouble() < share).ToHashSet(), forwards, $"seed {seed}, round {round}");
        }
    }

    [Test]
    public void EverySubsetOfSmallLists_Survives([Range(0, 9)] int size, [Values] bool forwards)
    {
        AddMembers(size);
        for (int mask = 0; mask < 1 << size; mask++)
        {
            int kept = mask;
            Check(_model.Where((_, i) => (kept & (1 << i)) != 0).ToHashSet(), forwards, $"mask {mask:b}");
        }
    }

    [Test]
    public void RemovalsInAnyOrder_LeaveExactlyTheSurvivors([Range(1, 20)] int seed)
    {
        var random = new Random(seed);
        AddMembers(30);
        Listed.Show(Asked.All, 0, Listed.Members);
        var expected = new List<WatchedSocket>(_model);
        while (expected.Count > 0)
        {
            int index = random.Next(expected.Count);
            View.RemoveAt(index);
            expected.RemoveAt(index);
            AssertShows(expected, $"seed {seed}");
        }
    }

    [Test]
    public void Clear_ShowsNothing_AndShowBringsAllBack()
    {
        AddMembers(5);
        Listed.Show(Asked.All, 0, Listed.Members);
        View.RemoveAt(1);
        View.Clear();
        AssertShows([], "after clear");

        Listed.Show(Asked.All, 0, Listed.Members);

        AssertShows(_model, "shown again");
    }

    [Test]
    public void AnIndexOutOfView_Throws()
    {
        AddMembers(3);
        Listed.Show(Asked.All, 0, Listed.Members);
        View.RemoveAt(0);
        Assert.Multiple(() =>
        {
            Assert.That(() => View[2], Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => View[-1], Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => View.RemoveAt(2), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => View.RemoveAt(-1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        });
        AssertShows(_model[1..], "after the failures");
    }

    [Test]
    public void Remove_PutsTheLastMemberInTheGap()
    {
        AddMembers(4);
        WatchedSocket removed = _model[1];

        Listed.Remove(removed);

        Assert.Multiple(() =>
        {
            Assert.That(IndexOf(removed), Is.EqualTo(-1));
            Assert.That(Listed.MemberAt(1), Is.SameAs(_model[3]));
            Assert.That(IndexOf(_model[3]), Is.EqualTo(1));
            Assert.That(Listed.Members, Is.EqualTo(3));
        });
    }

    [Test]
    public void TheWakeUpSocket_HasNoEntry()
    {
        Listed.Add(Handles[0].Socket, watched: null);
        Listed.Show(Asked.All, 0, Listed.Members);
        Assert.Multiple(() =>
        {
            Assert.That(View[0], Is.SameAs(Handles[0].Socket));
            Assert.That(Listed.InView(0), Is.Null);
        });
    }

    private void Check(HashSet<WatchedSocket> survivors, bool forwards, string message)
    {
        Listed.Show(Asked.All, 0, Listed.Members);
        AssertShows(_model, message);
        if (forwards)
        {
            // As Windows does it.
            for (int i = 0; i < View.Count; i++)
            {
                if (!survivors.Contains(Listed.InView(i)!))
                {
                    View.RemoveAt(i--);
                }
            }
        }
        else
        {
            // As Unix does it.
            for (int i = View.Count - 1; i >= 0; i--)
            {
                if (!survivors.Contains(Listed.InView(i)!))
                {
                    View.RemoveAt(i);
                }
            }
        }

        AssertShows([.. _model.Where(survivors.Contains)], message);
        Assert.That(Listed.Members, Is.EqualTo(_model.Count), message);
    }

    private void AssertShows(List<WatchedSocket> expected, string message)
    {
        Assert.That(View, Has.Count.EqualTo(expected.Count), message);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.That(Listed.InView(i), Is.SameAs(expected[i]), message);
            Assert.That(View[i], Is.SameAs(expected[i].Socket), message);
        }
    }

    private void ChangeMembers(Random random)
    {
        for (int change = random.Next(6); change > 0; change--)
        {
            if (_model.Count < Handles.Count && (_model.Count == 0 || random.Next(5) < 3))
            {
                AddMembers(1);
            }
            else
            {
                int index = random.Next(_model.Count);
                WatchedSocket watched = _model[index];
                Listed.Remove(watched);
                _model[index] = _model[^1];
                _model.RemoveAt(_model.Count - 1);
                Assert.That(IndexOf(watched), Is.EqualTo(-1));
            }
        }

        Assert.That(_model.Select(IndexOf), Is.EqualTo(Enumerable.Range(0, _model.Count)));
    }

    private void AddMembers(int count)
    {
        for (int i = 0; i < count; i++)
        {
            SocketHandle free = Handles.First(handle => _model.TrueForAll(watched => watched.Handle != handle));
            var watched = new WatchedSocket(new SelectorEntry(free, Interest.None));
            Listed.Add(free.Socket, watched);
            _model.Add(watched);
        }
    }

    private int IndexOf(WatchedSocket watched) => IsForWriting ? watched.WriteIndex : watched.ReadIndex;
}

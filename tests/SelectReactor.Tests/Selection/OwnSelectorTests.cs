namespace SelectReactor.Tests.Selection;

/// <summary>A selector by a third party, tested with entries alone: public members only, no reactor.</summary>
public sealed class OwnSelectorTests
{
    private readonly List<SelectorEntry> _ready = [];

    [SetUp]
    public void Clear() => _ready.Clear();

    [Test]
    public void ReadyEntry_IsReported_WithWhatItAskedFor()
    {
        using var selector = new ConstantSelector(Interest.Read | Interest.Write);
        var reader = new SelectorEntry(Mock.Of<Handle>(), Interest.Read);
        var silent = new SelectorEntry(Mock.Of<Handle>(), Interest.None);
        selector.Add(reader);
        selector.Add(silent);

        selector.Select(TimeSpan.Zero, _ready);

        Assert.That(_ready, Is.EqualTo(new[] { reader }));
        Assert.That(reader.Ready, Is.EqualTo(Interest.Read));
    }

    [Test]
    public void ChangedInterest_IsApplied_AndARemovedEntryIsForgotten()
    {
        using var selector = new ConstantSelector(Interest.Write);
        var entry = new SelectorEntry(Mock.Of<Handle>(), Interest.Read);
        selector.Add(entry);
        entry.Interest = Interest.Write;
        selector.Update(entry, Interest.Read);
        selector.Select(TimeSpan.Zero, _ready);
        Assert.That(_ready, Is.EqualTo(new[] { entry }));

        selector.Remove(entry);
        entry.Ready = Interest.None;
        _ready.Clear();
        selector.Select(TimeSpan.Zero, _ready);

        Assert.That(_ready, Is.Empty);
        Assert.That(entry.State, Is.Null);
    }

    [Test]
    public void EvictedEntry_IsReadyForWhatItAskedFor()
    {
        var entry = new SelectorEntry(Mock.Of<Handle>(), Interest.Read);
        Assert.That(entry.IsEvicted, Is.False);

        entry.Evict();

        Assert.That((entry.IsEvicted, entry.Ready), Is.EqualTo((true, Interest.Read)));
    }

    [Test]
    public void Entry_NeedsAHandle() =>
        Assert.That(() => new SelectorEntry(null!, Interest.Read), Throws.ArgumentNullException);

    [Test]
    public void Reactor_RunsOnTheSelector()
    {
        var selector = new ConstantSelector(Interest.Read);
        using var reactor = new Reactor(new ReactorOptions { SelectorFactory = () => selector });
        var handler = new Mock<IEventHandler>();

        SelectionKey key = reactor.Register(Mock.Of<Handle>(), Interest.Read, handler.Object);
        reactor.RunOnce(TimeSpan.Zero);
        key.Cancel();
        reactor.RunOnce(TimeSpan.Zero);

        handler.Verify(h => h.OnReady(key), Times.Once);
    }

    /// <summary>Every handle is always ready for the same things.</summary>
    private sealed class ConstantSelector(Interest readiness) : ISelector
    {
        private readonly List<SelectorEntry> _entries = [];

        public void Add(SelectorEntry entry)
        {
            entry.State = "added";
            _entries.Add(entry);
        }

        public void Update(SelectorEntry entry, Interest previous) => Assert.That(entry.State, Is.EqualTo("added"));

        public void Remove(SelectorEntry entry)
        {
            entry.State = null;
            _entries.Remove(entry);
        }

        public void Select(TimeSpan wait, List<SelectorEntry> ready)
        {
            foreach (SelectorEntry entry in _entries)
            {
                entry.Ready = entry.Interest & readiness;
                if (entry.Ready != Interest.None)
                {
                    ready.Add(entry);
                }
            }
        }

        public void Wake()
        {
        }

        public void Dispose()
        {
        }
    }
}

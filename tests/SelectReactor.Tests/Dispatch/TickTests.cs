using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Dispatch;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>What a tick calls, in which order and for which keys, over a selector that does what the test
/// says.</summary>
public sealed class TickTests
{
    private static readonly TimeSpan _millisecond = TimeSpan.FromMilliseconds(1);
    private readonly List<string> _events = [];
    private FakeTimeProvider _time = null!;
    private ScriptedSelector _selector = null!;
    private ListLogger _log = null!;
    private Reactor _reactor = null!;

    [SetUp]
    public void Create()
    {
        _events.Clear();
        _time = new FakeTimeProvider();
        _selector = new ScriptedSelector();
        _log = new ListLogger();
        _reactor = CreateReactor(propagateExceptions: false);
    }

    [TearDown]
    public void DisposeReactor() => _reactor.Dispose();

    [Test]
    public void Phases_ComeInOrder()
    {
        SelectionKey key = Register("ready");
        _reactor.Schedule(TimeSpan.Zero, () => _events.Add("timer"));
        _reactor.Post(() => _events.Add("post"));
        var resumed = new Mock<IResumable>();
        resumed.Setup(static item => item.Resume()).Callback(() => _events.Add("resumed"));
        _reactor.ResumeLater(resumed.Object);
        Mock<IReactorClient> client = Client("client");
        _reactor.MarkDirty(client.Object);
        _reactor.FinishLater(client.Object);
        _selector.Next(ready =>
        {
            _events.Add("select");
            key.Entry.Ready = Interest.Read;
            ready.Add(key.Entry);
            _reactor.MarkDirty(client.Object);
        });

        int served = _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(
            _events,
            Is.EqualTo(new[]
            {
                "client settle", "select", "ready", "timer", "resumed", "post", "client settle", "client finish",
            }));
        Assert.That(served, Is.EqualTo(4));
    }

    [Test]
    public void ASettleThatMarksAnother_HasThatOneSettledInTheSameTick()
    {
        Mock<IReactorClient> second = Client("second");
        Mock<IReactorClient> first = Client("first", () => _reactor.MarkDirty(second.Object));
        _reactor.Post(() => _reactor.MarkDirty(first.Object));

        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_events, Is.EqualTo(new[] { "first settle", "second settle" }));
    }

    [Test]
    public void ACloseThatAFinishAsksFor_HasItsTurnInTheNextTickWhichDoesNotWait()
    {
        Mock<IReactorClient> second = Client("second");
        var first = new Mock<IReactorClient>();
        first.Setup(static client => client.FinishClose()).Callback(() => _reactor.FinishLater(second.Object));
        _reactor.FinishLater(first.Object);
        _reactor.RunOnce(TimeSpan.FromDays(1));
        Assert.That(_events, Is.Empty);

        _reactor.RunOnce(TimeSpan.FromDays(1));

        Assert.That(_events, Is.EqualTo(new[] { "second finish" }));
        Assert.That(_selector.Waits, Is.EqualTo(new[] { TimeSpan.Zero, TimeSpan.Zero }));
    }

    [Test]
    public void APost_WakesTheSelector_ExceptInACallback()
    {
        _selector.Next(_ => _reactor.Post(static () => { }));
        _reactor.RunOnce(TimeSpan.Zero);
        _selector.Mock.Verify(static selector => selector.Wake(), Times.Never);

        // The thread may be another reactor's at the moment, which waits for nobody.
        _reactor.Post(static () => { });
        _selector.Mock.Verify(static selector => selector.Wake(), Times.Once);

        _reactor.RunOnce(TimeSpan.Zero);
        var thread = new Thread(() =>
        {
            _reactor.Post(static () => { });
            _reactor.Post(static () => { });
            _reactor.Stop();
        });
        thread.Start();
        thread.Join();

        _selector.Mock.Verify(static selector => selector.Wake(), Times.Exactly(2), "one wake-up for each wait");
    }

    [Test]
    public void ATimerThatComesDueInTheWait_RunsInThatTick()
    {
        _reactor.Schedule(5 * _millisecond, () => _events.Add("timer"));
        _selector.Next(_ => _time.Advance(5 * _millisecond));

        Assert.That(_reactor.RunOnce(Timeout.InfiniteTimeSpan), Is.EqualTo(1));
        Assert.That(_events, Is.EqualTo(new[] { "timer" }));
    }

    [Test]
    public void AKeyThatNoLongerAsksForWhatWasFound_IsNotDispatched()
    {
        SelectionKey victim = null!;
        SelectionKey first = Register("first", _ => victim.Interest = Interest.None);
        victim = Register("victim");
        _selector.NextFinds(first, victim);

        int served = _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_events, Is.EqualTo(new[] { "first" }));
        Assert.That(served, Is.EqualTo(1));
    }

    [Test]
    public void AKeyThatAsksForLessThanWasFound_IsToldOnlyThat()
    {
        SelectionKey narrowed = null!;
        Interest seen = Interest.None;
        SelectionKey first = Register("first", _ => narrowed.Interest = Interest.Write);
        narrowed = Register("narrowed", key => seen = key.Ready, Interest.Read | Interest.Write);
        _selector.NextFinds(first, narrowed);

        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(seen, Is.EqualTo(Interest.Write));
    }

    [TestCase(Interest.Read)]
    [TestCase(Interest.None)]
    public void EvictedKey_IsLogged_DispatchedOnce_AndCancelled(Interest interest)
    {
        SelectionKey key = Register("evicted", interest: interest);
        _selector.Next(ready =>
        {
            key.Entry.Evict();
            ready.Add(key.Entry);
        });

        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_events, Is.EqualTo(new[] { "evicted" }));
        Assert.That(key.IsValid, Is.False);
        Assert.That(
            _log.Entries.Select(static entry => (entry.Level, entry.Id)), Is.EqualTo(new[] { (LogLevel.Warning, 4) }));
        _selector.Mock.Verify(static selector => selector.Remove(It.IsAny<SelectorEntry>()), Times.Never);
    }

    [Test]
    public void PropagatedException_LeavesTheTickWhenTheRestHasRun_AndFurtherOnesAreLogged()
    {
        _reactor.Dispose();
        _reactor = CreateReactor(propagateExceptions: true);
        SelectionKey key = Register("key", static _ => throw new InvalidOperationException("key"));
        _reactor.Schedule(TimeSpan.Zero, static () => throw new InvalidOperationException("timer"));
        _reactor.Schedule(TimeSpan.Zero, () => _events.Add("timer"));
        _reactor.Post(static () => throw new InvalidOperationException("post"));
        _reactor.Post(() => _events.Add("post"));
        _selector.NextFinds(key);

        Assert.That(
            () => _reactor.RunOnce(TimeSpan.Zero), Throws.InvalidOperationException.With.Message.EqualTo("key"));
        Assert.That(_events, Is.EqualTo(new[] { "key", "timer", "post" }));
        Assert.That(_log.Entries.Select(static entry => entry.Id), Is.EqualTo(new[] { 2, 1 }));
        Assert.That(() => _reactor.RunOnce(TimeSpan.Zero), Throws.Nothing);
    }

    // A selector tells of a closed handle once.
    [Test]
    public void PropagatedException_LosesNoEvictedKeyOfTheSameBatch()
    {
        _reactor.Dispose();
        _reactor = CreateReactor(propagateExceptions: true);
        SelectionKey first = Register("first", static _ => throw new InvalidOperationException("first"));
        SelectionKey evicted = Register("evicted");
        _selector.Next(ready =>
        {
            first.Entry.Ready = Interest.Read;
            evicted.Entry.Evict();
            ready.AddRange([first.Entry, evicted.Entry]);
        });

        Assert.That(() => _reactor.RunOnce(TimeSpan.Zero), Throws.InvalidOperationException);
        Assert.That(_events, Is.EqualTo(new[] { "first", "evicted" }));
        Assert.That((first.IsValid, evicted.IsValid), Is.EqualTo((false, false)));
    }

    [Test]
    public void Wait_IsTheCallers_OrUntilTheNextTimer_OrNone()
    {
        _reactor.RunOnce(Timeout.InfiniteTimeSpan);
        _reactor.RunOnce(TimeSpan.FromSeconds(5));
        ReactorTimer timer = _reactor.Schedule(TimeSpan.FromMilliseconds(0.5), static () => { });
        _reactor.RunOnce(Timeout.InfiniteTimeSpan);
        _reactor.RunOnce(TimeSpan.FromSeconds(5));
        _reactor.RunOnce(TimeSpan.FromMilliseconds(0.1));
        timer.Cancel();
        _reactor.Post(static () => { });
        _reactor.RunOnce(TimeSpan.FromSeconds(5));
        _reactor.ResumeLater(Mock.Of<IResumable>());
        _reactor.RunOnce(TimeSpan.FromSeconds(5));

        Assert.That(_selector.Waits, Is.EqualTo(new[]
        {
            Timeout.InfiniteTimeSpan,
            TimeSpan.FromSeconds(5),
            TimeSpan.FromMilliseconds(0.5),
            TimeSpan.FromMilliseconds(0.5),
            TimeSpan.FromMilliseconds(0.1),
            TimeSpan.Zero,
            TimeSpan.Zero,
        }));
    }

    [Test]
    public void CancelledInTheSameBatch_IsNotDispatched()
    {
        SelectionKey second = null!;
        SelectionKey first = Register("first", _ => second.Cancel());
        second = Register("second");
        _selector.NextFinds(first, second);
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_events, Is.EqualTo(new[] { "first" }));
    }

    [Test]
    public void HandlerThatThrows_LosesItsKeyOnly()
    {
        SelectionKey first = Register("first", static _ => throw new InvalidDataException("x"));
        SelectionKey second = Register("second");
        _selector.NextFinds(first, second);
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That((first.IsValid, second.IsValid), Is.EqualTo((false, true)));
        Assert.That(_events, Is.EqualTo(new[] { "first", "second" }));
        Assert.That(_log.Entries.Select(static e => (e.Level, e.Id)), Is.EqualTo(new[] { (LogLevel.Error, 3) }));
    }

    [Test]
    public void Exceptions_AreLogged_AndTheLoopGoesOn()
    {
        _reactor.Schedule(TimeSpan.Zero, static () => throw new InvalidDataException("timer"));
        _reactor.Post(static () => throw new InvalidDataException("post"));
        _reactor.Post(() => _events.Add("later post"));
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_events, Is.EqualTo(new[] { "later post" }));
        Assert.That(
            _log.Entries.Select(static e => (e.Level, e.Id)),
            Is.EqualTo(new[] { (LogLevel.Error, 2), (LogLevel.Error, 1) }));
    }

    [Test]
    public void WhatATimer_AResumedItem_OrAPostAddsOfItsKind_RunsInTheNextTick()
    {
        var again = new Mock<IResumable>();
        again.Setup(static item => item.Resume()).Callback(() => _events.Add("resumed"));
        var first = new Mock<IResumable>();
        first.Setup(static item => item.Resume()).Callback(() => _reactor.ResumeLater(again.Object));
        _reactor.Schedule(TimeSpan.Zero, () => _reactor.Schedule(TimeSpan.Zero, () => _events.Add("timer")));
        _reactor.ResumeLater(first.Object);
        _reactor.Post(() => _reactor.Post(() => _events.Add("post")));
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_events, Is.Empty);

        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_events, Is.EqualTo(new[] { "timer", "resumed", "post" }));
    }

    // In each phase in which the loop calls a part of the library. Options that let a user's exceptions out change
    // nothing.
    [TestCase("ready")]
    [TestCase("settle")]
    [TestCase("stop")]
    [TestCase("stop a listener")]
    [TestCase("finish")]
    public void APartOfTheLibraryThatThrows_FailsAlone(string phase)
    {
        _reactor.Dispose();
        _reactor = CreateReactor(propagateExceptions: true);
        var failing = new Mock<IReactorClient>();
        var other = new Mock<IReactorClient>();
        var error = new InvalidDataException("a bug, or the system refuses");
        Arrange(phase, failing, error);
        _reactor.Add(other.Object);
        _reactor.MarkDirty(other.Object);
        Task shutdown = phase.StartsWith("stop", StringComparison.Ordinal)
            ? _reactor.ShutdownAsync(TimeSpan.FromHours(1))
            : Task.CompletedTask;

        Assert.That(() => _reactor.RunOnce(TimeSpan.Zero), Throws.Nothing);

        failing.Verify(
            client => client.Fail(error), phase is "finish" or "stop a listener" ? Times.Never : Times.Once);
        other.Verify(static client => client.Settle(), Times.Once);
        Assert.That(
            _log.Entries.Select(static entry => (entry.Level, entry.Id)), Is.EqualTo(new[] { (LogLevel.Error, 7) }));
        if (phase == "finish")
        {
            Assert.That(_reactor.Clients, Is.EqualTo(new[] { other.Object }), "one that is half closed is forgotten");
        }

        _reactor.Clients.ToList().ForEach(_reactor.Remove);
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(shutdown.IsCompleted, "nothing holds up the end");
    }

    [Test]
    public void ASelectorThatCannotWait_EndsTheLoop_AndEverythingIsClosed([Values] bool run)
    {
        var client = new Mock<IReactorClient>();
        client.Setup(static mock => mock.BeginStop(StopPhase.Close)).Callback(
            () => _reactor.FinishLater(client.Object));
        client.Setup(static mock => mock.FinishClose()).Callback(() => _reactor.Remove(client.Object));
        _reactor.Add(client.Object);
        _selector.Next(static _ => throw new InvalidDataException("broken"));

        Assert.That(
            () =>
            {
                if (run)
                {
                    _reactor.Run();
                }
                else
                {
                    _reactor.RunOnce(TimeSpan.Zero);
                }
            },
            Throws.TypeOf<InvalidDataException>());
        client.Verify(static mock => mock.FinishClose(), Times.Once);
        Assert.That(() => _reactor.RunOnce(TimeSpan.Zero), Throws.TypeOf<ObjectDisposedException>());
        _selector.Mock.Verify(static selector => selector.Dispose(), Times.Once);
    }

    private void Arrange(string phase, Mock<IReactorClient> failing, Exception error)
    {
        switch (phase)
        {
            case "ready":
                failing.As<IEventHandler>().Setup(static handler => handler.OnReady(It.IsAny<SelectionKey>())).Throws(
                    error);
                SelectionKey key = _reactor.Register(Mock.Of<Handle>(), Interest.Read, (IEventHandler)failing.Object);
                _selector.NextFinds(key);
                break;
            case "settle":
                failing.Setup(static client => client.Settle()).Throws(error);
                _reactor.MarkDirty(failing.Object);
                break;
            case "stop":
                failing.Setup(static client => client.BeginStop(It.IsAny<StopPhase>())).Throws(error);
                _reactor.Add(failing.Object);
                break;
            case "stop a listener":
                var listener = new Mock<IStoppable>();
                listener.Setup(static starter => starter.BeginStop(It.IsAny<StopPhase>())).Throws(error);
                _reactor.AddStarter(listener.Object);
                break;
            case "finish":
                failing.Setup(static client => client.FinishClose()).Throws(error);
                _reactor.Add(failing.Object);
                _reactor.FinishLater(failing.Object);
                break;
        }
    }

    private Reactor CreateReactor(bool propagateExceptions) => new(new ReactorOptions
    {
        SelectorFactory = () => _selector.Mock.Object,
        TimeProvider = _time,
        Logger = _log,
        PropagateExceptions = propagateExceptions,
    });

    private SelectionKey Register(string name, Action<SelectionKey>? onReady = null, Interest interest = Interest.Read)
    {
        var handler = new Mock<IEventHandler>();
        handler.Setup(static handler => handler.OnReady(It.IsAny<SelectionKey>())).Callback((SelectionKey key) =>
        {
            _events.Add(name);
            onReady?.Invoke(key);
        });
        return _reactor.Register(Mock.Of<Handle>(), interest, handler.Object);
    }

    private Mock<IReactorClient> Client(string name, Action? onFlush = null)
    {
        var client = new Mock<IReactorClient>();
        client.Setup(static client => client.Settle()).Callback(() =>
        {
            _events.Add($"{name} settle");
            onFlush?.Invoke();
        });
        client.Setup(static client => client.FinishClose()).Callback(() => _events.Add($"{name} finish"));
        return client;
    }
}

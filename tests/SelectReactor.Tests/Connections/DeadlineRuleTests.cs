using SelectReactor.Connections;
using SelectReactor.Timing;

namespace SelectReactor.Tests.Connections;

/// <summary>Which deadline comes first, and from when it runs, without a socket and without a clock.</summary>
public sealed class DeadlineRuleTests
{
    private const long Second = TimeSpan.TicksPerSecond;
    private static readonly PeerStatus _listening = new() { IsHeard = true };
    private static readonly MonotonicClock _clock = new(new TickClock());
    private ConnectionOptions _options = new();
    private Deadlines _deadlines;

    [Test]
    public void WithoutLimits_ThereIsNoDeadline()
    {
        Use(new ConnectionOptions());
        _deadlines.Open(5 * Second);

        Assert.That(_deadlines.Examine(_listening, _options, _clock), Is.EqualTo(Deadline.None));
    }

    [Test]
    public void TheFirstByte_IsAwaitedFromTheOpening_AndNotOnceItCame()
    {
        Use(new ConnectionOptions { FirstByteTimeout = TimeSpan.FromSeconds(10) });
        _deadlines.Open(5 * Second);

        Assert.That(Due(_listening), Is.EqualTo(15));
        Assert.That(Due(new PeerStatus { IsHeard = true, HasSpoken = true }), Is.Null);
    }

    [Test]
    public void TheNearestDeadline_Counts()
    {
        Use(new ConnectionOptions
        {
            ReadIdleTimeout = TimeSpan.FromSeconds(10),
            IdleTimeout = TimeSpan.FromSeconds(4),
        });
        _deadlines.Open(0);
        _deadlines.Receive(2 * Second, beginsMessage: true);
        Assert.That(Due(_listening), Is.EqualTo(6));
        _deadlines.Send(9 * Second);

        Assert.That(Due(_listening), Is.EqualTo(12), "sending does not count for what is received");
    }

    [Test]
    public void AMessage_IsAwaitedFromItsFirstByte_OrFromTheLastThatWasConsumed()
    {
        Use(new ConnectionOptions { MessageTimeout = TimeSpan.FromSeconds(10) });
        var unfinished = new PeerStatus { IsHeard = true, HasSpoken = true, HasUnfinishedMessage = true };
        _deadlines.Open(0);
        _deadlines.Receive(1 * Second, beginsMessage: true);
        _deadlines.Receive(8 * Second, beginsMessage: false);
        Assert.That(Due(unfinished), Is.EqualTo(11));
        _deadlines.Consume(9 * Second);

        Assert.That(Due(unfinished), Is.EqualTo(19));
        Assert.That(Due(_listening), Is.Null);
    }

    [Test]
    public void NoTimeOutRuns_WhileReadingIsPaused()
    {
        Use(new ConnectionOptions
        {
            ReadIdleTimeout = TimeSpan.FromSeconds(10),
            IdleTimeout = TimeSpan.FromSeconds(10),
        });
        _deadlines.Open(0);
        Assert.That(Due(new PeerStatus { IsReadPaused = true }), Is.Null);
        _deadlines.Resume(30 * Second);

        Assert.That(Due(_listening), Is.EqualTo(40));
    }

    [Test]
    public void APeerThatTakesBytes_IsNotLate_WhateverTheTimeOut()
    {
        Use(new ConnectionOptions
        {
            FirstByteTimeout = TimeSpan.FromSeconds(10),
            ReadIdleTimeout = TimeSpan.FromSeconds(10),
            MessageTimeout = TimeSpan.FromSeconds(10),
            IdleTimeout = TimeSpan.FromSeconds(10),
        });
        _deadlines.Open(0);
        _deadlines.Progress(taken: 1, isOnItsWay: true, 7 * Second);

        Assert.That(Due(new PeerStatus { IsHeard = true, HasUnfinishedMessage = true }), Is.EqualTo(17));
    }

    [Test]
    public void OutputThatWasTakenLongAgo_IsNoProgress()
    {
        Use(new ConnectionOptions { ReadIdleTimeout = TimeSpan.FromSeconds(10) });
        _deadlines.Open(0);
        _deadlines.Progress(taken: 100, isOnItsWay: false, 9 * Second);
        Assert.That(Due(_listening), Is.EqualTo(10));
        _deadlines.Progress(taken: 100, isOnItsWay: true, 9 * Second);
        Assert.That(Due(_listening), Is.EqualTo(10), "nothing was taken");
        _deadlines.Progress(taken: 101, isOnItsWay: false, 9 * Second);

        Assert.That(Due(_listening), Is.EqualTo(19), "the rest of what was on its way");
    }

    [Test]
    public void WaitingOutput_NeedsProgressInEachPeriod()
    {
        Use(new ConnectionOptions { WriteProgressTimeout = TimeSpan.FromSeconds(10) });
        _deadlines.Open(0);
        Assert.That(Due(_listening), Is.Null);
        _deadlines.Block(2 * Second);
        Assert.That(Due(_listening), Is.EqualTo(12));
        _deadlines.Progress(Deadlines.MinProgress - 1, isOnItsWay: true, 8 * Second);
        Assert.That(Due(_listening), Is.EqualTo(12), "too little");
        _deadlines.Progress(Deadlines.MinProgress, isOnItsWay: true, 9 * Second);
        Assert.That(Due(_listening), Is.EqualTo(19));
        _deadlines.Unblock();

        Assert.That(Due(_listening), Is.Null);
    }

    [Test]
    public void AClose_LingersWhileThePeerTakesBytes_AndNeverLongerThanItsBound()
    {
        Use(new ConnectionOptions
        {
            LingerTimeout = TimeSpan.FromSeconds(5),
            MaxLingerTime = TimeSpan.FromSeconds(20),
        });
        var closing = new PeerStatus { IsClosing = true };
        _deadlines.Open(0);
        _deadlines.BeginEnd(10 * Second);
        Assert.That(Due(closing), Is.EqualTo(15));
        _deadlines.Progress(taken: 1, isOnItsWay: true, 14 * Second);
        Assert.That(Due(closing), Is.EqualTo(19));
        _deadlines.Progress(taken: 2, isOnItsWay: true, 28 * Second);

        Assert.That(Due(closing), Is.EqualTo(30), "the bound of the whole");
    }

    [Test]
    public void InputLeftUnread_HasTheLingerTimeout_FromTheLastThatWasConsumed([Values(0, 3)] int linger)
    {
        Use(new ConnectionOptions { LingerTimeout = TimeSpan.FromSeconds(linger) });
        var unread = new PeerStatus { HasUnreadEnd = true, HasSpoken = true };
        _deadlines.Open(0);
        _deadlines.BeginEnd(10 * Second);
        int grace = linger == 0 ? 5 : 3;
        Assert.That(Due(unread), Is.EqualTo(10 + grace));
        _deadlines.Consume(12 * Second);

        Assert.That(Due(unread), Is.EqualTo(12 + grace));
    }

    private void Use(ConnectionOptions options)
    {
        _options = options;
        _deadlines = default;
    }

    private long? Due(PeerStatus peer) =>
        _deadlines.Examine(peer, _options, _clock) is { At: < long.MaxValue } due ? due.At / Second : null;

    private sealed class TickClock : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => 0;
    }
}

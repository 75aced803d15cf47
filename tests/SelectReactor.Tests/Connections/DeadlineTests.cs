using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>What a peer may not do for too long. The clock is the test's, the sockets are real.</summary>
public sealed class DeadlineTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _nearly = _limit - TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _probe = TimeSpan.FromSeconds(10);
    private CountingTime _time = null!;
    private Reactor _reactor = null!;
    private ScriptedHandler _handler = null!;
    private Peer _peer = null!;

    private Connection Connection => _handler.Connection;

    [SetUp]
    public void CreateClock()
    {
        _time = new CountingTime();
        _reactor = new Reactor(Options(_time));
        _handler = new ScriptedHandler();
    }

    [TearDown]
    public void CloseAll()
    {
        _peer.Dispose();
        _reactor.Dispose();
        Assert.That(_reactor.Buffers.Outstanding, Is.Zero);
    }

    [Test]
    public void PeerThatNeverSpeaks_IsClosed_AndOneThatDidIsNot()
    {
        Connect(new ConnectionOptions { FirstByteTimeout = _limit });
        Pass(_nearly);
        Assert.That(_handler.IsClosed, Is.False);
        Pass(TimeSpan.FromMilliseconds(1));
        AssertTimedOut("nothing was received since");
        _peer.Dispose();

        Connect(new ConnectionOptions { FirstByteTimeout = _limit });
        Send(1);
        Pass(10 * _limit);
        Assert.That(_handler.CloseReasons, Has.Count.EqualTo(1));
    }

    [Test]
    public void SilentPeer_IsClosed_AfterItsLastMessage()
    {
        Connect(new ConnectionOptions { ReadIdleTimeout = _limit });
        for (int i = 0; i < 5; i++)
        {
            Pass(_nearly);
            Send(1);
        }

        Pass(_nearly);
        Assert.That(_handler.IsClosed, Is.False);
        Pass(TimeSpan.FromMilliseconds(1));
        AssertTimedOut("nothing was received");
    }

    [Test]
    public void IdleConnection_IsClosed_AndSendingKeepsItAlive()
    {
        Connect(new ConnectionOptions { IdleTimeout = _limit });
        for (int i = 0; i < 5; i++)
        {
            Pass(_nearly);
            Connection.TryWrite("x"u8);
            _reactor.RunOnce(TimeSpan.Zero);
        }

        Assert.That(_handler.IsClosed, Is.False);
        Pass(_limit);
        AssertTimedOut("nothing was received or sent");
    }

    [Test]
    public void Message_CostsNoTimer()
    {
        Connect(new ConnectionOptions
        {
            FirstByteTimeout = _limit,
            ReadIdleTimeout = _limit,
            IdleTimeout = _limit,
            MessageTimeout = _limit,
        });
        Send(1);
        int before = _time.Reads;
        for (int i = 0; i < 100; i++)
        {
            _peer.Send([1]);
            _reactor.RunOnce(Bound);
        }

        // One for the wait and one for the tick; whoever schedules a timer reads the clock once more.
        Assert.That(_time.Reads - before, Is.EqualTo(2 * 100));
        Assert.That(_handler.Received, Has.Count.EqualTo(101));
    }

    [Test]
    public void TrickledMessage_IsClosed_HoweverOftenABitOfItComes()
    {
        _handler.Readable = ScriptedHandler.ExamineAll;
        Connect(new ConnectionOptions { MessageTimeout = _limit, ReadIdleTimeout = _limit });
        Pass(10 * TimeSpan.FromSeconds(1));
        for (int i = 0; i < 4; i++)
        {
            Send(1);
            Pass(_limit / 5);
            Assert.That(_handler.IsClosed, Is.False, $"byte {i}");
        }

        Send(1);
        Pass(_limit / 5);
        AssertTimedOut("the rest of a message");
    }

    [Test]
    public void WholeMessages_WithTheBeginningOfTheNext_GoOn()
    {
        _handler.Readable = static connection =>
        {
            if (connection.Input.TryRead(out System.IO.Pipelines.ReadResult result) && result.Buffer.Length > 1)
            {
                connection.Input.AdvanceTo(result.Buffer.GetPosition(result.Buffer.Length - 1), result.Buffer.End);
            }
            else
            {
                connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        };
        Connect(new ConnectionOptions { MessageTimeout = _limit });
        Send(1);
        for (int i = 0; i < 20; i++)
        {
            Pass(_limit / 2);
            Send(1);
            Assert.That(_handler.IsClosed, Is.False);
        }

        Pass(_limit);
        AssertTimedOut("the rest of a message");
    }

    [Test]
    public void PeerThatTakesNothing_IsClosed_WithWhatWasUnsent()
    {
        Connect(new ConnectionOptions { WriteProgressTimeout = _limit });
        FillUp();
        Pass(_nearly);
        Assert.That(_handler.IsClosed, Is.False);

        // The system may still have had a little room of its own.
        Pass(TimeSpan.FromMilliseconds(1));
        for (int i = 0; i < 5 && !_handler.IsClosed; i++)
        {
            Pass(_limit);
        }

        AssertTimedOut("less than 4,096 bytes");
        Assert.That(_handler.CloseReason.UnsentBytes, Is.GreaterThan(64 * 1024));
    }

    [Test]
    public void SlowReader_ThatGetsOn_IsNotClosed()
    {
        Connect(new ConnectionOptions { WriteProgressTimeout = _limit });
        FillUp();
        for (int i = 0; i < 6; i++)
        {
            long before = Connection.Statistics.BytesSent;
            RunUntil(
                _reactor,
                () => TakeSome() | TopUp() | (Connection.Statistics.BytesSent > before + 4096),
                "room for more");
            FillUp();
            Pass(_nearly);
        }

        Assert.That(_handler.IsClosed, Is.False);
    }

    [Test]
    public void PausedReading_StopsTheTime()
    {
        Connect(new ConnectionOptions { ReadIdleTimeout = _limit, MessageTimeout = _limit });
        Connection.PauseReading();
        Pass(5 * _limit);
        Assert.That(_handler.IsClosed, Is.False);

        Connection.ResumeReading();
        Pass(_nearly);
        Assert.That(_handler.IsClosed, Is.False);
        Pass(_limit);
        AssertTimedOut("nothing was received");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void ResumedReading_BeginsAnew_HoweverShortThePauseBeforeTheDeadline(bool input)
    {
        _handler.Readable = ScriptedHandler.ExamineAll;
        Connect(
            input
                ? new ConnectionOptions { ReadIdleTimeout = _limit }
                : new ConnectionOptions { MessageTimeout = _limit });
        Send(1);
        Connection.PauseReading();
        Pass(_nearly);
        Connection.ResumeReading();
        Pass(_nearly);
        Assert.That(_handler.IsClosed, Is.False);
        Pass(TimeSpan.FromMilliseconds(1));
        Assert.That(_handler.IsClosed);
    }

    [Test]
    public void ATimeOut_ThatComesInATickThatPausesAndResumes_IsNotForgotten()
    {
        _handler.Readable = connection =>
        {
            ScriptedHandler.ReadAll(connection);
            connection.PauseReading();
            _reactor.Post(connection.ResumeReading);
        };
        Connect(new ConnectionOptions { ReadIdleTimeout = _limit });
        _peer.Send([1]);
        Assert.That(_peer.Socket.Poll(0, SelectMode.SelectWrite));
        _time.Advance(_limit);
        RunUntil(_reactor, () => Connection.Statistics.BytesReceived == 1);
        Pass(_limit);
        Pass(_limit);

        AssertTimedOut("nothing was received");
    }

    [Test]
    public void IdleTime_DoesNotPassWhileTheUserPausesReading_AlsoAfterThePeersEnd()
    {
        _handler.InputEnded = static connection => connection.PauseReading();
        Connect(new ConnectionOptions { IdleTimeout = _limit });
        _peer.EndOutput();
        RunUntil(_reactor, () => _handler.Events.Contains("OnInputEnded"));
        Pass(5 * _limit);

        Assert.That(_handler.IsClosed, Is.False);
    }

    [Test]
    public void ASlowReader_GetsAllInput_ThoughBothDirectionsHaveEnded()
    {
        var resume = new TaskCompletionSource();
        long read = 0;
        bool sawTheEnd = false;
        var handler = new Serving(async connection =>
        {
            bool hasMore;
            do
            {
                System.IO.Pipelines.ReadResult result = await connection.Input.ReadAsync();
                await resume.Task;
                long count = Math.Min(10, result.Buffer.Length);
                read += count;
                hasMore = !result.IsCompleted || result.Buffer.Length > 10;
                connection.Input.AdvanceTo(result.Buffer.GetPosition(count));
            }
            while (hasMore);
            sawTheEnd = true;
        });
        using Listener listener = _reactor.Listen(AnyPort, handler);
        _peer = Peer.Connect(listener.LocalEndPoint);
        _peer.Send(new byte[1000]);
        _peer.EndOutput();
        RunUntil(_reactor, () => handler.Connection is { Statistics.BytesReceived: 1000 });
        handler.Connection!.CloseOutput();
        for (int i = 0; i < 10; i++)
        {
            Pass(_limit);
        }

        resume.SetResult();
        RunUntil(_reactor, () => sawTheEnd);
        Assert.That(read, Is.EqualTo(1000));
    }

    [Test]
    public void Reset_IsNoticed_OnceThePeerHasEndedItsStream()
    {
        _handler.InputEnded = static _ => { };
        Connect(new ConnectionOptions());
        _peer.EndOutput();
        RunUntil(_reactor, () => _handler.Events.Contains("OnInputEnded"));
        _peer.Reset();

        RunUntil(_reactor, () =>
        {
            _time.Advance(_probe);
            return _handler.IsClosed;
        });
        Assert.That(_handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void WhatTheSystemHoldsAfterALongCallback_IsLookedAtBeforeTheDeadline()
    {
        Connect(new ConnectionOptions { ReadIdleTimeout = _limit });
        Send(1);
        _reactor.Post(() =>
        {
            _time.Advance(2 * _limit);
            _peer.Send("x"u8);
        });
        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That((_handler.IsClosed, _handler.Received.Count), Is.EqualTo((false, 2)));
    }

    [Test]
    public void WhatComesBetweenTheWaitAndTheClock_IsLookedAtBeforeAnyDeadline()
    {
        Connect(new ConnectionOptions { FirstByteTimeout = _limit, ReadIdleTimeout = _limit, IdleTimeout = _limit });
        _reactor.RunOnce(TimeSpan.Zero);

        // The first reading is for the wait, the second for the tick: the system may give others the processor in
        // between.
        int reads = 0;
        _time.Reading = () =>
        {
            if (++reads == 2)
            {
                _time.Advance(2 * _limit);
                _peer.Send("x"u8);
            }
        };
        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That((reads > 2, _handler.IsClosed, _handler.Received.Count), Is.EqualTo((true, false, 1)));
    }

    [Test]
    public void Reset_IsNoticedWhileReadingIsPaused()
    {
        Connect(new ConnectionOptions());
        Connection.PauseReading();
        _reactor.RunOnce(TimeSpan.Zero);
        _peer.Reset();
        for (int i = 0; i < 20; i++)
        {
            _reactor.RunOnce(TimeSpan.Zero);
        }

        RunUntil(_reactor, () =>
        {
            _time.Advance(_probe);
            return _handler.IsClosed;
        });
        Assert.That(_handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void Reset_ThatASendFindsWhileReadingIsPaused_LeavesInputThatWasReceived()
    {
        _handler.Readable = static connection => connection.PauseReading();
        Connect(new ConnectionOptions());
        Send(10);
        _peer.Reset();
        RunUntil(_reactor, () => !Connection.TryWrite("x"u8));
        Assert.That(_handler.IsClosed, Is.False);
        _handler.Readable = null;
        Connection.ResumeReading();
        RunUntil(_reactor, () => _handler.IsClosed);

        Assert.That(_handler.Received, Has.Count.EqualTo(10));
        Assert.That(_handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void MemoryOfABurst_IsGivenUpInTime_AndNoTimerIsLeft()
    {
        Connect(new ConnectionOptions { MaxOutputBytes = int.MaxValue });
        Connection.TryWrite(new byte[10_000_000]);
        _peer.Dispose();
        RunUntil(_reactor, () => _handler.IsClosed);
        Assert.That(_reactor.Buffers.IsWorthTrimming);
        for (int i = 0; i < 4; i++)
        {
            Pass(TimeSpan.FromSeconds(30));
        }

        Assert.That(_reactor.Buffers.IsWorthTrimming, Is.False);
    }

    [Test]
    public void TimeOuts_AreAboveZeroOrInfinite()
    {
        Connect(new ConnectionOptions { IdleTimeout = Timeout.InfiniteTimeSpan });
        Assert.That(
            () => new ConnectionOptions { IdleTimeout = TimeSpan.Zero },
            Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => new ConnectionOptions { WriteProgressTimeout = TimeSpan.FromSeconds(-1) },
            Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private void Connect(ConnectionOptions options)
    {
        Listener listener = _reactor.Listen(AnyPort, _handler, new ListenerOptions { Connection = options });
        int before = _handler.Connections.Count;
        _peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(_reactor, () => _handler.Connections.Count > before);
    }

    private void Send(int count)
    {
        long before = Connection.Statistics.BytesReceived;
        _peer.Send(new byte[count]);
        RunUntil(_reactor, () => Connection.Statistics.BytesReceived == before + count);
    }

    private void Pass(TimeSpan time)
    {
        _time.Advance(time);
        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.RunOnce(TimeSpan.Zero);
    }

    // Until the system takes no more for a while and something is left.
    private void FillUp()
    {
        for (int stuck = 0; stuck < 5;)
        {
            long before = Connection.Statistics.BytesSent;
            TopUp();
            _reactor.RunOnce(TimeSpan.FromMilliseconds(2));
            stuck = Connection.Statistics.BytesSent == before ? stuck + 1 : 0;
        }
    }

    private bool TopUp()
    {
        while (Connection.QueuedOutputBytes < 200_000)
        {
            Assert.That(Connection.TryWrite(new byte[100_000]));
        }

        return false;
    }

    private bool TakeSome()
    {
        byte[] buffer = new byte[256 * 1024];
        _peer.Socket.Blocking = false;
        _peer.Socket.Receive(buffer, SocketFlags.None, out _);
        return false;
    }

    private void AssertTimedOut(string why)
    {
        Assert.That(_handler.IsClosed);
        Assert.That(_handler.CloseReason.Kind, Is.EqualTo(CloseKind.TimedOut));
        Assert.That(_handler.CloseReason.Error, Is.InstanceOf<TimeoutException>());
        Assert.That(_handler.CloseReason.Error!.Message, Does.Contain(why));
    }

    private sealed class CountingTime : FakeTimeProvider
    {
        public int Reads { get; private set; }

        public Action? Reading { get; set; }

        public override long GetTimestamp()
        {
            Reads++;
            Reading?.Invoke();
            return base.GetTimestamp();
        }
    }
}

using System.Buffers;
using System.Net;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Broadcasting;

/// <summary>One message to many connections over real sockets.</summary>
public sealed class ConnectionGroupTests(SelectorKind selector) : StreamFixture(selector)
{
    private static readonly byte[] _large = Noise(300_000);
    private readonly ScriptedHandler _handler = new();
    private EndPoint _server = null!;

    [SetUp]
    public void Listen()
    {
        _handler.Connections.Clear();
        _handler.Connected = null;
        _handler.Closed = null;
        _server = Own(Reactor.Listen(AnyPort, _handler)).LocalEndPoint;
    }

    [TestCase(1)]
    [TestCase(100)]
    [TestCase(5_000)]
    [TestCase(50_000)]
    public void Message_ReachesAllMembers(int length)
    {
        var group = new ConnectionGroup(Reactor);
        Peer[] peers = [.. Enumerable.Range(0, 5).Select(_ => Join(group))];
        byte[] message = Noise(length);

        BroadcastResult result = default;
        RunOnLoop(() => result = group.Broadcast(message));

        Assert.That(result, Is.EqualTo(new BroadcastResult { Sent = 5 }));
        foreach (Peer peer in peers)
        {
            Assert.That(RunBeside(() => peer.Receive(length)), Is.EqualTo(message));
        }
    }

    [Test]
    public void Messages_AndOwnWrites_KeepTheirOrder()
    {
        var group = new ConnectionGroup(Reactor);
        Peer peer = Join(group);
        Peer other = Join(group);

        RunOnLoop(() =>
        {
            group.Broadcast("one "u8);
            _handler.Connections[0].TryWrite("two "u8);
            group.Broadcast(new LineEncoder(), "three");
            _handler.Connections[0].TryWrite("four"u8);
        });

        Assert.That(RunBeside(() => peer.Receive(18)), Is.EqualTo("one two three\nfour"u8.ToArray()));
        Assert.That(RunBeside(() => other.Receive(10)), Is.EqualTo("one three\n"u8.ToArray()));
    }

    [Test]
    public void OneMember_CanBeLeftOut()
    {
        var group = new ConnectionGroup(Reactor);
        Peer first = Join(group);
        Peer second = Join(group);

        RunOnLoop(() =>
        {
            Assert.That(group.BroadcastExcept(_handler.Connections[0], "a"u8).Sent, Is.EqualTo(1));
            Assert.That(group.BroadcastExcept(_handler.Connections[1], new LineEncoder(), "b").Sent, Is.EqualTo(1));
        });

        Assert.That(RunBeside(() => first.Receive(2)), Is.EqualTo("b\n"u8.ToArray()));
        Assert.That(RunBeside(() => second.Receive(1)), Is.EqualTo("a"u8.ToArray()));
    }

    [Test]
    public void Member_LeavesByItself_BeforeOnClosed()
    {
        var group = new ConnectionGroup(Reactor);
        Peer peer = Join(group);
        Join(group);
        int countInClosed = -1;
        _handler.Closed = (_, _) => countInClosed = group.Count;

        peer.Reset();
        RunUntil(() => countInClosed >= 0);

        Assert.That(countInClosed, Is.EqualTo(1));
        RunOnLoop(() => Assert.That(group.Broadcast("x"u8).Sent, Is.EqualTo(1)));
    }

    [Test]
    public void Membership_IsCountedOnce_AndEnds()
    {
        var group = new ConnectionGroup(Reactor);
        Join(group);
        Join(group);
        Join(group);
        Connection[] members = [.. _handler.Connections];

        RunOnLoop(() =>
        {
            Assert.That(group.Add(members[1]), Is.False);
            Assert.That(group, Is.EquivalentTo(members));
            Assert.That(group.Remove(members[0]), Is.True);
            Assert.That(group.Remove(members[0]), Is.False);
            Assert.That(group.Contains(members[0]), Is.False);
            Assert.That(group.Remove(members[2]), Is.True);
            Assert.That(group, Is.EqualTo(new[] { members[1] }));
            members[2].Abort();
            Assert.That(group.Add(members[2]), Is.False, "one that is closing");
            Assert.That(group.Broadcast("x"u8).Sent, Is.EqualTo(1));
        });
    }

    [Test]
    public void ClosingMembers_AndThoseWithoutOutput_AreLeftOut()
    {
        var group = new ConnectionGroup(Reactor);
        Join(group);
        Join(group);
        Peer third = Join(group);

        RunOnLoop(() =>
        {
            _handler.Connections[0].Close();
            _handler.Connections[1].CloseOutput();
            Assert.That(group.Broadcast("x"u8), Is.EqualTo(new BroadcastResult { Sent = 1 }));
        });

        Assert.That(RunBeside(() => third.Receive(1)), Is.EqualTo("x"u8.ToArray()));
    }

    [Test]
    public void SlowMember_IsSkipped_AndTold_AndGetsLaterOnesAgain()
    {
        List<Connection> slow = [];
        var group = new ConnectionGroup(
            Reactor, new ConnectionGroupOptions { MaxQueuedBytes = 400_000, SlowMember = slow.Add });
        Peer peer = Join(group);
        Peer fast = Join(group);
        int sent = 0;
        var reading = Task.Run(() => { while (fast.Socket.Receive(new byte[100_000]) > 0) { } });

        RunUntil(() =>
        {
            if (_handler.Connections[1].QueuedOutputBytes == 0)
            {
                sent += group.Broadcast(_large).Skipped == 0 ? 1 : 0;
            }

            return slow.Count > 0;
        });

        Assert.That(slow, Is.EqualTo(new[] { _handler.Connections[0] }));
        Assert.That(_handler.Connections[0].State, Is.EqualTo(ConnectionState.Open));
        byte[] got = RunBeside(() => peer.Receive(sent * _large.Length));
        Assert.That(got.AsSpan(^_large.Length..).SequenceEqual(_large), "whole messages only");
        RunOnLoop(() => Assert.That(group.Broadcast("end"u8).Sent, Is.EqualTo(2)));
        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("end"u8.ToArray()));
        Reactor.Dispose();
        reading.Wait();
    }

    [Test]
    public void SlowMember_IsCut_AndTheOthersGetTheMessage()
    {
        List<Connection> slow = [];
        var group = new ConnectionGroup(Reactor, new ConnectionGroupOptions
        {
            MaxQueuedBytes = 1000,
            WhenSlow = WhenSlow.Abort,
            SlowMember = slow.Add,
        });
        Join(group);
        Peer fast = Join(group);
        CloseReason reason = default;
        _handler.Closed = (_, why) => reason = why;

        RunOnLoop(() =>
        {
            _handler.Connections[0].Output.Write(new byte[1001]);
            BroadcastResult result = group.Broadcast("x"u8);
            Assert.That(result, Is.EqualTo(new BroadcastResult { Sent = 1, Aborted = 1 }));
            Assert.That(slow, Is.EqualTo(new[] { _handler.Connections[0] }));
        });
        RunUntil(() => reason.Kind != CloseKind.None);

        Assert.That(reason.Kind, Is.EqualTo(CloseKind.LimitExceeded));
        Assert.That(reason.Error!.Message, Does.Contain("1001 bytes wait"));
        Assert.That(group.Count, Is.EqualTo(1));
        Assert.That(RunBeside(() => fast.Receive(1)), Is.EqualTo("x"u8.ToArray()));
    }

    [Test]
    public void MessageThatNeverFits_IsSkipped_AndCutsNobody()
    {
        var group = new ConnectionGroup(Reactor, new ConnectionGroupOptions { WhenSlow = WhenSlow.Abort });
        using Listener narrow = Reactor.Listen(AnyPort, _handler, new ListenerOptions
        {
            Connection = new ConnectionOptions { MaxOutputBytes = 1000 },
        });
        Join(group, narrow);

        RunOnLoop(() =>
        {
            Assert.That(group.Broadcast(new byte[1001]), Is.EqualTo(new BroadcastResult { Skipped = 1 }));
            Assert.That(group.Broadcast(new byte[1000]), Is.EqualTo(new BroadcastResult { Sent = 1 }));
        });
    }

    [Test]
    public void MembersMayComeAndGo_InTheCallback_AndABroadcastMayBeginThere()
    {
        ConnectionGroup group = null!;
        List<int> nested = [];
        group = new ConnectionGroup(Reactor, new ConnectionGroupOptions
        {
            MaxQueuedBytes = 1,
            SlowMember = connection =>
            {
                group.Remove(connection);
                nested.Add(group.Broadcast("n"u8).Skipped);
                group.Add(_handler.Connections[^1]);
            },
        });
        for (int i = 0; i < 4; i++)
        {
            Join(group);
        }

        RunOnLoop(() =>
        {
            group.Remove(_handler.Connections[^1]);
            group.Broadcast("a"u8);
            Assert.That(group.Broadcast("b"u8).Skipped, Is.EqualTo(3));
        });

        Assert.That(group, Does.Contain(_handler.Connections[^1]));
        Assert.That(nested, Is.Not.Empty);
    }

    [Test]
    public void EncoderThatThrows_SendsNothing_AndTheNextMessageIsWhole()
    {
        var group = new ConnectionGroup(Reactor);
        Peer peer = Join(group);

        RunOnLoop(() =>
        {
            Assert.That(() => group.Broadcast(new LineEncoder(), "two\nlines"), Throws.ArgumentException);
            group.Broadcast(new LineEncoder(), "one line");
        });

        Assert.That(RunBeside(() => peer.Receive(9)), Is.EqualTo("one line\n"u8.ToArray()));
    }

    [Test]
    public void AnotherThread_CanBroadcast_AndNothingElse()
    {
        var group = new ConnectionGroup(Reactor);
        Peer peer = Join(group);
        Connection member = _handler.Connection;

        BroadcastResult result = RunUntil(Task.Run(() => group.BroadcastAsync("far"u8.ToArray())));

        Assert.That(result.Sent, Is.EqualTo(1));
        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("far"u8.ToArray()));
        RunUntil(Task.Run(() =>
        {
            Assert.That(() => group.Broadcast("x"u8), Throws.InvalidOperationException);
            Assert.That(() => group.Add(member), Throws.InvalidOperationException);
            Assert.That(() => group.Count, Throws.InvalidOperationException);
        }));
    }

    [Test]
    public void ConnectionOfAnotherReactor_IsRefused()
    {
        using var other = new Reactor(Options());
        var group = new ConnectionGroup(other);
        Join(new ConnectionGroup(Reactor));

        Assert.That(() => group.Add(_handler.Connection), Throws.ArgumentException.With.Message.Contains("reactor"));
    }

    [TestCase(100)]
    [TestCase(20_000)]
    public void SteadyBroadcast_AllocatesNothing(int length)
    {
        const int Members = 20;
        const int Messages = 100;
        var group = new ConnectionGroup(Reactor);
        Peer[] peers = [.. Enumerable.Range(0, Members).Select(_ => Join(group))];
        byte[] message = Noise(length);
        byte[] answer = new byte[length];
        long least = Allocations.Least(() =>
        {
            for (int i = 0; i < Messages; i++)
            {
                group.Broadcast(message);
                Reactor.RunOnce(TimeSpan.Zero);
                Reactor.RunOnce(TimeSpan.Zero);
                foreach (Peer peer in peers)
                {
                    for (int got = 0; got < length;)
                    {
                        got += peer.Socket.Receive(answer.AsSpan(got));
                    }
                }
            }
        });

        Assert.That(least, Is.Zero, $"bytes for {Messages} messages");
    }

    /// <summary>The memory of a message is there once, whatever the number of members.</summary>
    [Test]
    public void QueuedMessage_IsHeldOnce()
    {
        int before = 0;
        int rented = 0;
        long queued = 0;
        var group = new ConnectionGroup(Reactor);
        for (int i = 0; i < 50; i++)
        {
            Join(group);
        }

        RunOnLoop(() =>
        {
            before = Reactor.Buffers.Outstanding;
            group.Broadcast(new byte[16_000]);
            queued = group.Sum(static member => member.QueuedOutputBytes);
            rented = Reactor.Buffers.Outstanding - before;
        });
        Assert.That(queued, Is.EqualTo(50 * 16_000));
        Assert.That(rented, Is.EqualTo(50 + 1), "one view each, and one block");
    }

    private Peer Join(ConnectionGroup group, Listener? listener = null)
    {
        int count = _handler.Connections.Count;
        Peer peer = Own(Peer.Connect(listener?.LocalEndPoint ?? _server));
        RunUntil(() => _handler.Connections.Count > count);
        RunOnLoop(() => Assert.That(group.Add(_handler.Connection), Is.True));
        return peer;
    }
}

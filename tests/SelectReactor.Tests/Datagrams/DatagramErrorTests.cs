using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Datagrams;

/// <summary>Errors of the system, full buffers and faults of handlers, on a scripted handle.</summary>
public sealed class DatagramErrorTests
{
    private readonly FakeTimeProvider _time = new();
    private ScriptedNetwork _network = null!;

    private static SocketAddress Peer => ScriptedNetwork.Peer.Serialize();

    [SetUp]
    public void Open() => _network = new ScriptedNetwork(_time);

    [TearDown]
    public void Close()
    {
        _network.Dispose();
        Assert.That(_network.Reactor.Buffers.Outstanding, Is.Zero);
    }

    [TestCase(SocketError.MessageSize, DatagramSendResult.TooLong)]
    [TestCase(SocketError.NetworkUnreachable, DatagramSendResult.Unreachable)]
    [TestCase(SocketError.HostUnreachable, DatagramSendResult.Unreachable)]
    [TestCase(SocketError.AccessDenied, DatagramSendResult.Denied)]
    [TestCase(SocketError.InvalidArgument, DatagramSendResult.Failed)]
    public void AnErrorOfASend_IsAResult_AndTheSocketGoesOn(SocketError error, DatagramSendResult result)
    {
        (DatagramSocket socket, DatagramScript script) = Bound();
        _network.Handle.SendResults.Enqueue(error);

        Assert.That(socket.TrySend([1], Peer), Is.EqualTo(result));
        Assert.That(socket.TrySend([2], Peer), Is.EqualTo(DatagramSendResult.Sent));
        Tick();

        Assert.That(socket.Statistics, Is.EqualTo(
            new DatagramStatistics { Sent = 1, BytesSent = 1, SendErrors = 1 }));
        Assert.That(script.Errors, Is.Empty);
        Assert.That(_network.Log.Entries.Count(static entry => entry.Id == 93), Is.EqualTo(1));
    }

    [Test]
    public void FullBuffer_IsWaitedFor_AndToldOnce()
    {
        (DatagramSocket socket, DatagramScript script) = Bound();
        _network.Handle.SendResults.Enqueue(SocketError.WouldBlock);

        Assert.That(socket.TrySend([1], Peer), Is.EqualTo(DatagramSendResult.WouldBlock));
        Assert.That(_network.Interest, Is.EqualTo(Interest.Read), "nothing changes inside the call");
        Tick();
        Assert.That(_network.Interest, Is.EqualTo(Interest.Read | Interest.Write));
        Tick();
        Assert.That(script.Writables, Is.Zero);

        _network.Handle.HasRoom = true;
        Tick();
        Tick();
        Assert.That(script.Writables, Is.EqualTo(1));
        Assert.That(_network.Interest, Is.EqualTo(Interest.Read));
        Assert.That(socket.Statistics.SendErrors, Is.Zero);
    }

    // An interface without memory: the selector would say at once that there is room.
    [Test]
    public void BufferWhoseRoomNobodyTells_IsTriedAgainLater()
    {
        (DatagramSocket socket, DatagramScript script) = Bound();
        _network.Handle.HasRoom = true;
        for (int round = 1; round <= 2; round++)
        {
            _network.Handle.SendResults.Enqueue(SocketError.NoBufferSpaceAvailable);
            Assert.That(socket.TrySend([1], Peer), Is.EqualTo(DatagramSendResult.WouldBlock));
            Tick();
            Tick();
            Assert.That(_network.LastWait, Is.EqualTo(TimeSpan.Zero), "RunOnce asked for no wait");
            Assert.That((script.Writables, _network.Interest), Is.EqualTo((round - 1, Interest.Read)));
            _time.Advance(TimeSpan.FromMilliseconds(10));
            Tick();
            Assert.That(script.Writables, Is.EqualTo(round));
        }
    }

    [Test]
    public void SendsInTheMeantime_DoNotPutOffTheNextTry()
    {
        (DatagramSocket socket, DatagramScript script) = Bound();
        for (int i = 0; i < 5; i++)
        {
            _network.Handle.SendResults.Enqueue(SocketError.NoBufferSpaceAvailable);
            Assert.That(socket.TrySend([1], Peer), Is.EqualTo(DatagramSendResult.WouldBlock));
            Tick();
            _time.Advance(TimeSpan.FromMilliseconds(3));
            Tick();
        }

        Assert.That(script.Writables, Is.EqualTo(1));
    }

    [TestCase(SocketError.ConnectionRefused)]
    [TestCase(SocketError.MessageSize)]
    public void PendingError_ThatASendMeets_DoesNotCostTheDatagram(SocketError pending)
    {
        var script = new DatagramScript();
        DatagramSocket socket = _network.Reactor.ConnectDatagram(ScriptedNetwork.Peer, script);
        _network.Handle.SendResults.Enqueue(pending);

        Assert.That(socket.TrySend([1]), Is.EqualTo(DatagramSendResult.Sent));
        Assert.That(script.Errors, Is.Empty);
        Tick();

        Assert.That(script.Errors, Is.EqualTo(new[] { pending }));
        Assert.That(_network.Handle.Sent, Has.Count.EqualTo(1));
    }

    [Test]
    public void ErrorThatStays_IsOfThisDatagram()
    {
        var script = new DatagramScript();
        DatagramSocket socket = _network.Reactor.ConnectDatagram(ScriptedNetwork.Peer, script);
        _network.Handle.SendResults.Enqueue(SocketError.NetworkUnreachable);
        _network.Handle.SendResults.Enqueue(SocketError.NetworkUnreachable);

        Assert.That(socket.TrySend([1]), Is.EqualTo(DatagramSendResult.Unreachable));
        Tick();

        Assert.That(script.Errors, Is.Empty);
        Assert.That(socket.Statistics.SendErrors, Is.EqualTo(1));
    }

    [Test]
    public void ErrorsBetweenDatagrams_LoseNone()
    {
        (_, DatagramScript script) = Bound();
        for (byte i = 0; i < 20; i++)
        {
            Arrive(i);
            _network.Handle.Incoming.Enqueue((SocketError.HostUnreachable, []));
        }

        Tick();
        Assert.That(script.Contents.Select(static bytes => bytes[0]), Is.EqualTo(Enumerable.Range(0, 20)));
        Assert.That(script.Errors, Has.Count.EqualTo(20));
    }

    [Test]
    public void WordOfARouter_IsAnErrorOfTheNetwork_AndNoLongDatagram()
    {
        (DatagramSocket socket, DatagramScript script) = Bound();
        _network.Handle.Incoming.Enqueue((SocketError.MessageSize, []));
        _network.Handle.Incoming.Enqueue((SocketError.MessageSize, [1, 2]));
        Tick();

        Assert.That(script.Errors, Is.EqualTo(new[] { SocketError.MessageSize, SocketError.MessageSize }));
        Assert.That(
            (socket.Statistics.NetworkErrors, socket.Statistics.DroppedTooLong), Is.EqualTo((1L, 1L)));
    }

    [Test]
    public void ErrorThatNeverEnds_PausesTheSocket_WhichThenGoesOn()
    {
        (_, DatagramScript script) = Bound(new DatagramOptions { MaxDatagramsPerTick = 1000 });
        for (int i = 0; i < 64; i++)
        {
            _network.Handle.Incoming.Enqueue((SocketError.NoBufferSpaceAvailable, []));
        }

        Arrive(1);
        Tick();
        Assert.That(_network.Interest, Is.EqualTo(Interest.None));
        Tick();
        Assert.That(script.Datagrams, Is.Empty);
        Assert.That(
            _network.Log.Entries.Single(static entry => entry.Level == LogLevel.Warning).Message,
            Is.EqualTo(
                "Receiving datagrams on 127.0.0.1:7 pauses for 00:00:01: it fails again and again "
                    + "(NoBufferSpaceAvailable)."));

        _time.Advance(TimeSpan.FromSeconds(1));
        Tick();
        Tick();
        Assert.That(script.Datagrams, Has.Count.EqualTo(1));
    }

    [Test]
    public void SocketThatIsReadyAndEmpty_PausesForAShortTime()
    {
        (_, DatagramScript script) = Bound();
        for (int i = 0; i < 100; i++)
        {
            _network.Handle.Incoming.Enqueue((SocketError.WouldBlock, []));
        }

        for (int i = 0; i < 200; i++)
        {
            Tick();
        }

        Assert.That((_network.Interest, _network.Handle.Incoming.Count), Is.EqualTo((Interest.None, 36)));
        for (int left = 35; left >= 0; left--)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            Tick();
            Tick();
            Tick();
            Assert.That(_network.Handle.Incoming, Has.Count.EqualTo(left), "one look in 10 milliseconds");
        }

        Assert.That(_network.Log.Entries.Count(static entry => entry.Level == LogLevel.Warning), Is.EqualTo(1));
        Arrive(1);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Tick();
        Tick();
        Assert.That(script.Datagrams, Has.Count.EqualTo(1));
        Assert.That(_network.Interest, Is.EqualTo(Interest.Read));
    }

    // One sender must not end the service for the others, nor fill the log.
    [Test]
    public void HandlerThatThrows_LosesThatDatagram_AndIsLoggedAtMostEveryTenSeconds()
    {
        var script = new DatagramScript
        {
            Received = static (_, _, datagram) => throw new InvalidOperationException($"no {datagram[0]}"),
        };
        DatagramSocket socket = _network.Reactor.BindDatagram(ScriptedNetwork.Peer, script);
        for (byte i = 0; i < 30; i++)
        {
            Arrive(i);
        }

        Tick();
        _time.Advance(TimeSpan.FromSeconds(10));
        Arrive(30);
        Tick();

        Assert.That(script.Datagrams, Has.Count.EqualTo(31));
        Assert.That(socket.IsClosed, Is.False);
        Assert.That(socket.Statistics.HandlerFaults, Is.EqualTo(31));
        (LogLevel Level, int Id, string Message, Exception? Exception)[] errors =
            [.. _network.Log.Entries.Where(static entry => entry.Level == LogLevel.Error)];
        Assert.That(errors.Select(static entry => entry.Exception!.Message), Is.EqualTo(new[] { "no 0", "no 30" }));
        Assert.That(errors[0].Message, Does.Contain("OnReceived. The socket goes on."));
        Assert.That(errors[1].Message, Does.EndWith("left out since the last one: 29."));
    }

    [Test]
    public void OtherCallbacksThatThrow_LeaveTheSocketOpen()
    {
        var script = new DatagramScript
        {
            Error = static (_, _) => throw new InvalidOperationException(),
            Writable = static _ => throw new InvalidOperationException(),
        };
        DatagramSocket socket = _network.Reactor.BindDatagram(ScriptedNetwork.Peer, script);
        _network.Handle.Incoming.Enqueue((SocketError.HostUnreachable, []));
        _network.Handle.SendResults.Enqueue(SocketError.WouldBlock);
        _network.Handle.HasRoom = true;
        socket.TrySend([1], Peer);
        Tick();
        Tick();

        Assert.That((script.Errors.Count, script.Writables), Is.EqualTo((1, 1)));
        Assert.That(socket.Statistics.HandlerFaults, Is.EqualTo(2));
        Assert.That(socket.IsClosed, Is.False);
    }

    [Test]
    public void ClosedInACallback_ReceivesNoMore()
    {
        var script = new DatagramScript { Received = static (socket, _, _) => socket.Close() };
        DatagramSocket socket = _network.Reactor.BindDatagram(ScriptedNetwork.Peer, script);
        Arrive(1);
        Arrive(2);
        Tick();
        Tick();

        Assert.That(script.Datagrams, Has.Count.EqualTo(1));
        Assert.That(script.Reasons.Select(static reason => reason.Kind), Is.EqualTo(new[] { CloseKind.Local }));
        Assert.That(socket.TrySend([1], Peer), Is.EqualTo(DatagramSendResult.Closed));
    }

    [Test]
    public void HandleClosedByOthers_EndsTheSocket([Values] bool bySend)
    {
        (DatagramSocket socket, DatagramScript script) = Bound();
        if (bySend)
        {
            _network.Handle.SendResults.Enqueue(SocketError.OperationAborted);
            Assert.That(socket.TrySend([1], Peer), Is.EqualTo(DatagramSendResult.Closed));
        }
        else
        {
            _network.Handle.Incoming.Enqueue((SocketError.OperationAborted, []));
        }

        Tick();
        Tick();
        Assert.That(script.Reasons.Select(static reason => reason.Kind), Is.EqualTo(new[] { CloseKind.Aborted }));
        Assert.That(script.Reasons[0].Error, Is.InstanceOf<SocketException>());
    }

    [Test]
    public void SelectorThatRefusesTheInterest_EndsThisSocketOnly()
    {
        (DatagramSocket socket, DatagramScript script) = Bound();
        _network.Handle.SendResults.Enqueue(SocketError.WouldBlock);
        _network.Refusal = new IOException("full");
        socket.TrySend([1], Peer);
        Tick();
        Tick();

        Assert.That(script.Reasons.Single().Error, Is.InstanceOf<IOException>());
    }

    // Between bind(2) and connect(2) anybody's datagrams are queued.
    [Test]
    public void DatagramsOfStrangers_ThatCameBeforeTheConnect_AreDropped()
    {
        var script = new DatagramScript();
        _network.Handle.Bound = () =>
        {
            Arrive(6);
            Arrive();
            Arrive(6, 6, 6);
        };
        _network.Reactor.ConnectDatagram(
            ScriptedNetwork.Peer, script, new DatagramOptions { LocalEndPoint = new IPEndPoint(IPAddress.Any, 0) });
        Arrive(1);
        Tick();

        Assert.That(script.Contents, Is.EqualTo(new[] { new byte[] { 1 } }));
    }

    private (DatagramSocket Socket, DatagramScript Script) Bound(DatagramOptions? options = null)
    {
        var script = new DatagramScript();
        return (_network.Reactor.BindDatagram(ScriptedNetwork.Peer, script, options ?? new DatagramOptions()), script);
    }

    private void Arrive(params byte[] bytes) => _network.Handle.Incoming.Enqueue((SocketError.Success, bytes));

    private void Tick() => _network.Reactor.RunOnce(TimeSpan.Zero);
}

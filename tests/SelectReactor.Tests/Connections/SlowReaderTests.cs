using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Closes and time-outs beside a peer that reads steadily but slowly: nothing that was written may get lost,
/// and a loss is told. The clock is the test's, the sockets are real.</summary>
public sealed class SlowReaderTests(SelectorKind selector) : ReactorFixture(selector)
{
    private const int Gulp = 200_000;

    /// <summary>Fits into the system's send buffer, and not into the peer's receive buffer.</summary>
    private const int Little = 150_000;
    private static readonly TimeSpan _step = TimeSpan.FromSeconds(4);
    private FakeTimeProvider _time = null!;
    private Reactor _reactor = null!;
    private ScriptedHandler _handler = null!;
    private Peer _peer = null!;
    private byte[] _bytes = [];

    [SetUp]
    public void CreateClock()
    {
        _time = new FakeTimeProvider();
        _reactor = new Reactor(Options(_time));
        _handler = new ScriptedHandler();
        _bytes = new byte[3_000_000];
        new Random(1).NextBytes(_bytes);
    }

    [TearDown]
    public void CloseAll()
    {
        _peer.Dispose();
        _reactor.Dispose();
        Assert.That(_reactor.Buffers.Outstanding, Is.Zero);
    }

    [Test]
    public void Close_WaitsForAPeerThatReadsSteadily_HoweverLongThatTakes()
    {
        Connect(new ConnectionOptions { MaxLingerTime = Timeout.InfiniteTimeSpan });
        Write();
        _handler.Connection.Close();

        byte[] received = ReadSlowly();

        Assert.That(received.AsSpan().SequenceEqual(_bytes), $"{received.Length} bytes");
        _peer.Dispose();
        RunUntil(_reactor, () => _handler.IsClosed);
        Assert.That(_handler.CloseReason, Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
    }

    [Test]
    public void Close_AfterThePeersEnd_WaitsForAPeerThatReadsSteadily()
    {
        Connect(new ConnectionOptions { MaxLingerTime = Timeout.InfiniteTimeSpan });
        Write();
        _peer.EndOutput();
        RunUntil(_reactor, () => _handler.Events.Contains("OnInputEnded"));
        Assert.That(_handler.IsClosed, Is.False, "the peer has not taken everything");

        byte[] received = ReadSlowly();

        Assert.That(received.AsSpan().SequenceEqual(_bytes), $"{received.Length} bytes");
        RunUntilClosed();
        Assert.That(_handler.CloseReason, Is.EqualTo(new CloseReason { Kind = CloseKind.PeerClosed }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void ATimeOut_DoesNotFireWhileThePeerTakesBytes(bool readIdle)
    {
        var limit = TimeSpan.FromSeconds(5);
        Connect(
            readIdle
                ? new ConnectionOptions { ReadIdleTimeout = limit }
                : new ConnectionOptions { IdleTimeout = limit });
        Write();

        byte[] received = ReadSlowly();

        Assert.That(received.AsSpan().SequenceEqual(_bytes), $"{received.Length} bytes");
        Assert.That(_handler.IsClosed, Is.False);
        RunUntilClosed();
        Assert.That(_handler.CloseReason.Kind, Is.EqualTo(CloseKind.TimedOut));
        Assert.That(_handler.CloseReason.UnsentBytes, Is.Zero);
    }

    [Test]
    public void APeerThatTakesNothing_IsCut_WhileOutputIsQueued_AndTheLossIsTold()
    {
        Connect(new ConnectionOptions());
        Write();
        _handler.Connection.Close();
        RunUntilClosed();

        CloseReason reason = _handler.CloseReason;
        Assert.That((reason.Kind, reason.Error), Is.EqualTo((CloseKind.Local, reason.Error as TimeoutException)));
        Assert.That(reason.Error, Is.Not.Null);
        AssertTold(ReceiveUntilCut());
    }

    [Test]
    public void APeerThatReadsForTooLong_IsCut_AndTheLossIsTold()
    {
        Connect(new ConnectionOptions { MaxLingerTime = TimeSpan.FromSeconds(20) });
        Write();
        _handler.Connection.Close();
        long received = 0;
        for (int i = 0; i < 50 && !_handler.IsClosed; i++)
        {
            received += ReadSome().Length;
            Pass();
        }

        CloseReason reason = _handler.CloseReason;
        Assert.That((reason.Kind, reason.UnsentBytes > 0), Is.EqualTo((CloseKind.Local, true)));
        Assert.That(reason.Error, Is.InstanceOf<TimeoutException>());
        AssertTold(received + ReceiveUntilCut());
    }

    [TestCase(5, 300)]
    [TestCase(300, 5)]
    public void APeerThatPausesForTooLong_StillGetsWhatTheSystemHadTaken(int linger, int maxLinger)
    {
        Connect(new ConnectionOptions
        {
            SendBufferBytes = 2 * Little,
            LingerTimeout = TimeSpan.FromSeconds(linger),
            MaxLingerTime = TimeSpan.FromSeconds(maxLinger),
        });
        Write(Little);
        Assert.That(_handler.Connection.QueuedOutputBytes, Is.Zero);
        _handler.Connection.Close();
        _reactor.RunOnce(TimeSpan.Zero);

        // With unread input, the system's close would be a reset.
        Assert.That(_peer.Socket.Send(_bytes), Is.Positive);
        _time.Advance(TimeSpan.FromSeconds(6));
        RunUntil(_reactor, () => _handler.IsClosed);

        CloseReason reason = _handler.CloseReason;
        Assert.That((reason.Kind, reason.Error is TimeoutException), Is.EqualTo((CloseKind.Local, true)));
        Assert.That(reason.UnsentBytes, Is.InRange(1, Little));
        _peer.Socket.Blocking = true;
        Assert.That(_peer.ReceiveToEnd().AsSpan().SequenceEqual(_bytes));
    }

    [Test]
    public void APeerThatHadEndedAndPauses_StillGetsWhatTheSystemHadTaken()
    {
        Connect(new ConnectionOptions { SendBufferBytes = 2 * Little });
        Write(Little);
        _peer.EndOutput();
        RunUntilClosed();

        Assert.That(_handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerClosed));
        Assert.That(_handler.CloseReason.UnsentBytes, Is.InRange(1, Little));
        _peer.Socket.Blocking = true;
        Assert.That(_peer.ReceiveToEnd().AsSpan().SequenceEqual(_bytes));
    }

    [Test]
    public void AnAbort_TellsAlsoWhatTheSystemHadTaken()
    {
        Connect(new ConnectionOptions());
        Write();
        _handler.Connection.Abort();
        RunUntilClosed();

        AssertTold(ReceiveUntilCut());
    }

    // An acknowledgement may be on its way when the connection is cut: the peer may have more than is known here,
    // never less.
    private void AssertTold(long received)
    {
        Assert.That(received, Is.LessThan(_bytes.Length));
        Assert.That(_handler.CloseReason.UnsentBytes, Is.InRange(_bytes.Length - received, _bytes.Length));
    }

    private void Connect(ConnectionOptions options)
    {
        Listener listener = _reactor.Listen(AnyPort, _handler, new ListenerOptions { Connection = options });
        _peer = Peer.Connect(listener.LocalEndPoint);
        _peer.Socket.Blocking = false;
        _peer.Socket.ReceiveBufferSize = 16 * 1024;
        RunUntil(_reactor, () => _handler.IsConnected);
    }

    private void Write(int? count = null)
    {
        _bytes = _bytes[..(count ?? _bytes.Length)];
        Assert.That(_handler.Connection.TryWrite(_bytes));
        _reactor.RunOnce(TimeSpan.Zero);
    }

    private byte[] ReadSlowly()
    {
        using var all = new MemoryStream();
        while (all.Length < _bytes.Length && !_handler.IsClosed)
        {
            all.Write(ReadSome());
            Pass();
        }

        return all.ToArray();
    }

    // A gulp of the program's: so much has left the system's buffers at least when it is over.
    private byte[] ReadSome()
    {
        byte[] buffer = new byte[Gulp];
        int count = 0;
        RunUntil(_reactor, () =>
        {
            count += _peer.Socket.Receive(buffer.AsSpan(count), SocketFlags.None, out SocketError error);
            return count == Gulp || error is not (SocketError.WouldBlock or SocketError.Success) || _handler.IsClosed;
        });
        return buffer[..count];
    }

    private void Pass()
    {
        _time.Advance(_step);
        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.RunOnce(TimeSpan.Zero);
    }

    private void RunUntilClosed() => RunUntil(_reactor, () =>
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return _handler.IsClosed;
    });

    private long ReceiveUntilCut()
    {
        long count = 0;
        byte[] buffer = new byte[200_000];
        while (_peer.Socket.Receive(buffer, SocketFlags.None, out SocketError error) is var received and > 0
            && error == SocketError.Success)
        {
            count += received;
        }

        return count;
    }
}

using System.Buffers;
using System.Net.Sockets;
using SelectReactor.Buffers;
using SelectReactor.Connections;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Batches that leave before the tick ends, with a handle that takes exactly what a test says.</summary>
public sealed class LargeBatchTests
{
    private const int Batch = 64 * 1024;
    private readonly ScriptedHandler _handler = new();
    private Reactor _reactor = null!;
    private RoomyHandle _handle = null!;
    private Connection _connection = null!;

    [SetUp]
    public void Open()
    {
        _handle = new RoomyHandle();
        _handler.CloseReasons.Clear();
        _reactor = new Reactor(new ReactorOptions { SelectorFactory = Mock.Of<ISelector> });
        var connection = new StreamConnection(
            _reactor,
            new Opened(_handle),
            new ConnectionOptions(),
            pauseReadingWhenOutputIsFull: true,
            onFinished: null);
        connection.Register();
        connection.Open(_handler);
        _connection = connection;
    }

    [TearDown]
    public void Close()
    {
        _reactor.Dispose();
        _handle.Dispose();
        Assert.That(_reactor.Buffers.Outstanding, Is.Zero);
    }

    [Test]
    public void SmallBatch_WaitsForTheTick()
    {
        Write(Batch - 1);
        Assert.That(_handle.Sent, Is.Empty);
        Tick();

        Assert.That(_handle.Sent, Is.EqualTo(new[] { Batch - 1 }));
    }

    [Test]
    public void LargeBatch_LeavesAtOnce_ThenTheNext()
    {
        Write(Batch);
        Write(Batch);

        Assert.That(_handle.Sent, Is.EqualTo(new[] { Batch, Batch }));
        Tick();
        Assert.That(_handle.Sent, Has.Count.EqualTo(2), "nothing is left for the tick");
    }

    [Test]
    public void EndlessBatch_LeavesInPart_AndEachTickAnew([Values(1, 2, 3)] int ticks)
    {
        for (int tick = 0; tick < ticks; tick++)
        {
            _handle.Sent.Clear();
            for (int i = 0; i < 20; i++)
            {
                Write(Batch);
            }

            Assert.That(_handle.Sent, Has.Count.EqualTo(4), "256 KiB a tick");
            Assert.That(_connection.QueuedOutputBytes, Is.EqualTo(16 * Batch));
            Tick();
            Assert.That(_connection.QueuedOutputBytes, Is.Zero);
        }
    }

    [Test]
    public void ShortSend_EndsSendingAtOnce()
    {
        _handle.Room = Batch / 2;
        Write(Batch);
        Write(Batch);
        Tick();

        Assert.That(_handle.Sent, Is.EqualTo(new[] { Batch / 2 }));
        Assert.That(
            (_connection.IsWritable, _connection.QueuedOutputBytes), Is.EqualTo((false, Batch + (Batch / 2L))));
    }

    [TestCase(SocketError.ConnectionReset, CloseKind.PeerReset)]
    [TestCase(SocketError.HostUnreachable, CloseKind.Aborted)]
    public void FailedSend_InTheMiddleOfACallback_EndsTheConnection_AndTellsAllThatWasWrittenTillThen(
        SocketError error, CloseKind kind)
    {
        _handle.Error = error;
        _connection.PauseReading();
        bool written = _connection.TryWrite(new byte[1_000_000]);
        Write(100);
        Assert.That(_connection.TryWrite("more"u8), Is.False);
        _connection.Close();
        Tick();
        Tick();

        Assert.That(written);
        Assert.That(_handler.CloseReason.Kind, Is.EqualTo(kind));
        Assert.That(_handler.CloseReason.UnsentBytes, Is.EqualTo(1_000_000));
    }

    [TestCase(8, 1)]
    [TestCase(9, 2)]
    [TestCase(15, 2)]
    public void ManyPieces_LeaveInOneTick(int frames, int sends)
    {
        long bytes = WriteFrames(frames);
        Assert.That(_handle.Sent, Is.Empty);
        Tick();

        Assert.That(_handle.Sent.Sum(), Is.EqualTo(bytes));
        Assert.That(_handle.Sent, Has.Count.EqualTo(sends), "16 pieces each");
    }

    [Test]
    public void ManyPieces_LeaveInPartEachTick_AndAllWhenTheReactorEnds()
    {
        long bytes = WriteFrames(300);
        Tick();
        Assert.That(_connection.QueuedOutputBytes, Is.InRange(1, bytes - (256 * 1024)));

        _reactor.Dispose();

        Assert.That(_handle.Sent.Sum(), Is.EqualTo(bytes));
        Assert.That((_handler.CloseReason.UnsentBytes, _handle.IsReset), Is.EqualTo((0L, false)));
    }

    [TestCase(5)]
    [TestCase(9)]
    [TestCase(100)]
    public void WhateverTheSystemTakes_IsSentWhenTheReactorEnds(int frames)
    {
        long bytes = WriteFrames(frames);
        _reactor.Dispose();

        Assert.That(_handle.Sent.Sum(), Is.EqualTo(bytes));
        Assert.That((_handler.CloseReason.UnsentBytes, _handle.IsReset), Is.EqualTo((0L, false)));
    }

    [Test]
    public void ShortSendOfManyPieces_EndsSending([Values(0, 1, 32_800, 32_801)] int room)
    {
        long bytes = WriteFrames(9);
        _handle.Room = room;
        Tick();
        Tick();

        Assert.That(_handle.Sent.Sum(), Is.EqualTo(room));
        Assert.That(_connection.QueuedOutputBytes, Is.EqualTo(bytes - room));
        Assert.That(_handle.Offers, Is.EqualTo(room < 32_800 ? 1 : 2), "it waits for room then");
    }

    // Two pieces a frame: one that is copied and one that is shared.
    private long WriteFrames(int count)
    {
        using var payload = new SharedPayload(_reactor.Buffers);
        payload.Write(new byte[4096]);
        for (int i = 0; i < count; i++)
        {
            _connection.TryWrite("head"u8);
            _connection.Append(payload.Bytes);
        }

        return count * (4 + 4096L);
    }

    private void Write(int count)
    {
        Span<byte> room = _connection.Output.GetSpan(count);
        room[..count].Clear();
        _connection.Output.Advance(count);
    }

    private void Tick() => _reactor.RunOnce(TimeSpan.Zero);

    private sealed class RoomyHandle : Handle
    {
        public override bool IsClosed => false;

        public int Room { get; set; } = int.MaxValue;

        public SocketError Error { get; set; }

        public List<int> Sent { get; } = [];

        public int Offers { get; private set; }

        public bool IsReset { get; private set; }

        public override SocketError Receive(Span<byte> buffer, out int received)
        {
            received = 0;
            return SocketError.WouldBlock;
        }

        public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent) => Take(buffer.Length, out sent);

        public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent) =>
            Take(buffers.Sum(static buffer => buffer.Count), out sent);

        public override void Abort() => IsReset = true;

        public override void Close()
        {
        }

        private SocketError Take(int count, out int sent)
        {
            Offers++;
            sent = Error == SocketError.Success ? Math.Min(count, Room) : 0;
            if (sent > 0)
            {
                Sent.Add(sent);
                Room -= sent;
            }

            return Error;
        }
    }
}

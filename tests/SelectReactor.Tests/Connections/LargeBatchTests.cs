using System.Net.Sockets;
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
            _handle,
            new ConnectionOptions(),
            pauseReadingWhenOutputIsFull: true,
            localEndPoint: null,
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

        public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent) => Take(buffer.Length, out sent);

        public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent) =>
            Take(buffers.Sum(static buffer => buffer.Count), out sent);

        public override void Close()
        {
        }

        private SocketError Take(int count, out int sent)
        {
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

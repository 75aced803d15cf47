using System.Net.Sockets;
using System.Text;
using SelectReactor.Connections;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>A connection over a handle that is put around another one, and holds bytes that no selector tells
/// of.</summary>
public sealed class HeldBytesTests
{
    private readonly ScriptedHandler _handler = new();
    private Reactor _reactor = null!;
    private InnerHandle _inner = null!;
    private HoldingHandle _handle = null!;
    private SelectorEntry _entry = null!;

    /// <summary>What the selector reports once.</summary>
    private Interest _ready;

    [SetUp]
    public void Open()
    {
        _inner = new InnerHandle();
        _handle = new HoldingHandle(_inner);
        var selector = new Mock<ISelector>();
        selector.Setup(static s => s.Add(It.IsAny<SelectorEntry>()))
            .Callback<SelectorEntry>(added => _entry = added);
        selector.Setup(static s => s.Select(It.IsAny<TimeSpan>(), It.IsAny<List<SelectorEntry>>()))
            .Callback<TimeSpan, List<SelectorEntry>>((_, ready) =>
            {
                if (_ready != Interest.None)
                {
                    _entry.Ready = _ready;
                    _ready = Interest.None;
                    ready.Add(_entry);
                }
            });
        _reactor = new Reactor(new ReactorOptions { SelectorFactory = () => selector.Object });
        _handler.Received.Clear();
        _handler.CloseReasons.Clear();
        _handler.Events.Clear();
    }

    [TearDown]
    public void Close()
    {
        _reactor.Dispose();
        _handle.Dispose();
        _inner.Dispose();
    }

    [Test]
    public void HeldInput_IsReceivedOnceATick_WithoutTheSelector()
    {
        _handle.Input.AddRange("abc"u8.ToArray());
        Give();
        Assert.That(_entry.Handle, Is.SameAs(_inner));
        List<int> lengths = [];
        for (int i = 0; i < 5; i++)
        {
            _reactor.RunOnce(TimeSpan.Zero);
            lengths.Add(_handler.Received.Count);
        }

        Assert.That(lengths, Is.EqualTo(new[] { 1, 2, 3, 3, 3 }));
        Assert.That(Encoding.ASCII.GetString([.. _handler.Received]), Is.EqualTo("abc"));
    }

    [Test]
    public void HeldInput_WaitsWhileReadingIsPaused()
    {
        _handle.Input.AddRange("abc"u8.ToArray());
        Connection connection = Give();
        _reactor.RunOnce(TimeSpan.Zero);
        connection.PauseReading();
        Tick(3);
        Assert.That(_handler.Received, Has.Count.EqualTo(1));

        connection.ResumeReading();
        Tick(4);
        Assert.That(_handler.Received, Has.Count.EqualTo(3));
    }

    [Test]
    public void HeldOutput_IsWatchedFor_AndFlushed()
    {
        Give();
        _handle.HasOutput = true;
        _handle.Input.AddRange("a"u8.ToArray());
        _ready = Interest.Read;
        Tick(1);
        Assert.That(_entry.Interest, Is.EqualTo(Interest.Read | Interest.Write));

        _ready = Interest.Write;
        Tick(1);
        Assert.That(_handle.HasOutput, Is.False);
        Assert.That(_entry.Interest, Is.EqualTo(Interest.Read));
    }

    [Test]
    public void EndOfOutput_WaitsUntilTheHandleHasSaidItsLastWord()
    {
        _handle.RefusedShutdowns = 1;
        Connection connection = Give();
        connection.CloseOutput();
        Tick(1);
        Assert.That((_handle.IsShutDown, _entry.Interest), Is.EqualTo((false, Interest.Read | Interest.Write)));

        _ready = Interest.Write;
        Tick(1);
        Assert.That((_handle.IsShutDown, _entry.Interest), Is.EqualTo((true, Interest.Read)));
    }

    [Test]
    public void FailureOfTheHandle_IsAProtocolError_WithItsException()
    {
        Give();
        _handle.Failure = new FormatException("a bad record");
        _ready = Interest.Read;
        Tick(2);

        Assert.That(
            (_handler.CloseReason.Kind, _handler.CloseReason.Error),
            Is.EqualTo((CloseKind.ProtocolError, _handle.Failure)));
    }

    [Test]
    public void EndOfStreamThatIsNotInOrder_IsReportedWithTheClose()
    {
        Give();
        _handle.EndsWith = new EndOfStreamException("cut");
        _ready = Interest.Read;
        Tick(2);

        Assert.That(
            (_handler.CloseReason.Kind, _handler.CloseReason.Error),
            Is.EqualTo((CloseKind.PeerClosed, _handle.EndsWith)));
    }

    private StreamConnection Give()
    {
        var connection = new StreamConnection(
            _reactor,
            new Opened(_handle),
            new ConnectionOptions(),
            pauseReadingWhenOutputIsFull: true,
            onFinished: null);
        connection.Register();
        connection.Open(_handler);
        return connection;
    }

    private void Tick(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _reactor.RunOnce(TimeSpan.Zero);
        }
    }

    private sealed class InnerHandle : Handle
    {
        public override bool IsClosed => false;

        public override void Close()
        {
        }
    }

    /// <summary>Gives out one byte a call.</summary>
    private sealed class HoldingHandle(Handle inner) : Handle
    {
        public List<byte> Input { get; } = [];

        public bool HasOutput { get; set; }

        public int RefusedShutdowns { get; set; }

        public bool IsShutDown { get; private set; }

        public Exception? Failure { get; set; }

        public Exception? EndsWith { get; set; }

        public override bool IsClosed => false;

        internal override Handle Watched => inner;

        internal override HeldBytes Held =>
            (Input.Count > 0 ? HeldBytes.Input : 0) | (HasOutput ? HeldBytes.Output : 0);

        internal override Exception? EndOfStreamFault => EndsWith;

        public override SocketError Receive(Span<byte> buffer, out int received)
        {
            received = 0;
            if (Failure is not null)
            {
                return SocketError.SocketError;
            }

            if (Input.Count == 0)
            {
                return EndsWith is null ? SocketError.WouldBlock : SocketError.Success;
            }

            buffer[0] = Input[0];
            Input.RemoveAt(0);
            received = 1;
            return SocketError.Success;
        }

        public override SocketError Shutdown(SocketShutdown how)
        {
            IsShutDown = RefusedShutdowns-- <= 0;
            return IsShutDown ? SocketError.Success : SocketError.WouldBlock;
        }

        public override SocketError TakeError() => SocketError.Success;

        public override void Close()
        {
        }

        internal override void Flush() => HasOutput = false;

        internal override Exception Explain(SocketError error) => Failure!;
    }
}

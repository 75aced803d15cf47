using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Errors of accept(2) that a test can't make a kernel return on demand, from a listening handle of our
/// own.</summary>
public sealed class AcceptErrorTests
{
    private const int AcceptExhausted = 42;
    private const int AcceptPaused = 61;
    private const int DoubtfulErrors = 64;
    private readonly Queue<SocketError> _errors = new();
    private readonly FakeTimeProvider _time = new();
    private readonly ListLogger _logger = new();
    private readonly Mock<ISelector> _selector = new();
    private SelectorEntry _entry = null!;
    private Reactor _reactor = null!;
    private Listener _listener = null!;
    private Exception? _fault;
    private Handle? _spare;
    private int _accepts;
    private TimeSpan _acceptTime;

    [SetUp]
    public void Listen()
    {
        _errors.Clear();
        _logger.Entries.Clear();
        _accepts = 0;
        _acceptTime = TimeSpan.Zero;
        _selector.Reset();
        _selector.Setup(static selector => selector.Add(It.IsAny<SelectorEntry>()))
            .Callback<SelectorEntry>(entry => _entry = entry);
        _selector.Setup(static selector => selector.Select(It.IsAny<TimeSpan>(), It.IsAny<List<SelectorEntry>>()))
            .Callback<TimeSpan, List<SelectorEntry>>((_, ready) =>
            {
                if (_entry.Key!.IsValid && _entry.Interest == Interest.Read)
                {
                    _entry.Ready = Interest.Read;
                    ready.Add(_entry);
                }
            });
        var handle = new Mock<Handle> { CallBase = true };
        handle.Setup(static handle => handle.Bind(It.IsAny<EndPoint>())).Returns(SocketError.Success);
        handle.Setup(static handle => handle.Listen(It.IsAny<int>())).Returns(SocketError.Success);
        Handle? none = null;
        handle.Setup(handle => handle.Accept(out none)).Returns(() =>
        {
            _accepts++;
            _time.Advance(_acceptTime);
            if (_fault is { } fault)
            {
                _fault = null;
                throw fault;
            }

            return _errors.TryDequeue(out SocketError error) ? error : SocketError.WouldBlock;
        });
        var handles = new Mock<IHandleFactory>();
        handles.Setup(static factory => factory.CreateListener(It.IsAny<AddressFamily>())).Returns(handle.Object);
        _spare = null;
        handles.Setup(static factory => factory.CreateSpare(It.IsAny<AddressFamily>()))
            .Returns(() => _spare ?? throw new SocketException((int)SocketError.TooManyOpenSockets));
        _reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = () => _selector.Object,
            HandleFactory = handles.Object,
            TimeProvider = _time,
            Logger = _logger,
        });
        _listener = _reactor.Listen(new IPEndPoint(IPAddress.Loopback, 1), new ScriptedHandler());
    }

    [TearDown]
    public void Stop()
    {
        _listener.Dispose();
        _reactor.Dispose();
    }

    [Test]
    public void ClientThatHasGoneAlready_IsPassedOver()
    {
        _errors.Enqueue(SocketError.ConnectionAborted);
        _errors.Enqueue(SocketError.ConnectionAborted);

        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_accepts, Is.EqualTo(3), "tried on until nobody waited");
        Assert.That(_entry.Interest, Is.EqualTo(Interest.Read));
    }

    [TestCase(SocketError.TooManyOpenSockets)]
    [TestCase(SocketError.NoBufferSpaceAvailable)]
    [TestCase(SocketError.Fault)]
    public void Exhaustion_PausesForASecond_AndRecovers(SocketError error)
    {
        _errors.Enqueue(error);
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_entry.Interest, Is.EqualTo(Interest.None));

        _time.Advance(TimeSpan.FromSeconds(0.999));
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_accepts, Is.EqualTo(1));

        _time.Advance(TimeSpan.FromSeconds(0.001));
        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_accepts, Is.EqualTo(2));
        Assert.That(_entry.Interest, Is.EqualTo(Interest.Read));
    }

    [TestCase(SocketError.SocketError)] // EPROTO, ENONET and ENOMEM have no name of their own.
    [TestCase(SocketError.AccessDenied)] // EPERM, a rule of the firewall.
    [TestCase(SocketError.ProtocolOption)]
    [TestCase(SocketError.OperationNotSupported)]
    public void ErrorThatMayBeOfOneClient_IsPassedOver_AndInARowAFailure(SocketError error)
    {
        EnqueueErrors(error, DoubtfulErrors - 1);
        RunUntilAccepts(DoubtfulErrors);
        Assert.That(_entry.Interest, Is.EqualTo(Interest.Read));

        EnqueueErrors(error, DoubtfulErrors - 1);
        RunUntilAccepts(2 * DoubtfulErrors);
        Assert.That(_entry.Interest, Is.EqualTo(Interest.Read), "not in a row: in between, nobody waited");

        EnqueueErrors(error, 2 * DoubtfulErrors);
        RunUntilAccepts(3 * DoubtfulErrors);
        Assert.That(_entry.Interest, Is.EqualTo(Interest.None), "no spin");
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_accepts, Is.EqualTo(3 * DoubtfulErrors));
        Assert.That(Warnings(), Is.EqualTo(new[] { AcceptPaused }), "no advice about open files");

        _time.Advance(TimeSpan.FromSeconds(1));
        _reactor.RunOnce(TimeSpan.Zero);
        RunUntilAccepts((4 * DoubtfulErrors) - 1);
        Assert.That(_accepts, Is.GreaterThan(3 * DoubtfulErrors), "tries again");
    }

    [TestCase(SocketError.ConnectionAborted)]
    [TestCase(SocketError.HostUnreachable)]
    public void ErrorsOfClientsThatHaveGone_NeverPause(SocketError error)
    {
        EnqueueErrors(error, 10 * DoubtfulErrors);
        RunUntilAccepts((10 * DoubtfulErrors) + 1);

        Assert.That(_entry.Interest, Is.EqualTo(Interest.Read));
        Assert.That(Warnings(), Is.Empty);
    }

    [Test]
    public void Pause_EndsTheBacklog_SoThatTheNextBatchIsShort([Values] bool pauses)
    {
        _acceptTime = TimeSpan.FromMicroseconds(10);
        EnqueueErrors(SocketError.ConnectionAborted, 1000);
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_accepts, Is.EqualTo(100));
        _time.Advance(TimeSpan.FromMilliseconds(300));
        if (pauses)
        {
            _listener.Pause();
            _listener.Resume();
        }

        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_accepts, Is.EqualTo(pauses ? 200 : 500));
    }

    [Test]
    public void WithoutDescriptors_TheSpareOneServesToCutWhoWaits()
    {
        var order = new List<string>();
        Handle first = Spare("first");
        _listener.Dispose();
        var client = new Mock<Handle> { CallBase = true };
        client.Setup(static handle => handle.Abort()).Callback(() => order.Add("cut"));
        var listening = new ShortOfDescriptors(client.Object, order);
        using var reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = () => _selector.Object,
            HandleFactory = Mock.Of<IHandleFactory>(factory =>
                factory.CreateListener(It.IsAny<AddressFamily>()) == listening
                && factory.CreateSpare(It.IsAny<AddressFamily>()) == first),
            TimeProvider = _time,
        });
        using Listener listener = reactor.Listen(new IPEndPoint(IPAddress.Loopback, 1), new ScriptedHandler());

        reactor.RunOnce(TimeSpan.Zero);

        Assert.That(order, Is.EqualTo(new[] { "no descriptor", "first closed", "accepted", "cut", "no more" }));
        Assert.That(listener.Refused, Is.EqualTo(1));
        Assert.That(_entry.Interest, Is.EqualTo(Interest.None));

        Handle Spare(string name)
        {
            var spare = new Mock<Handle> { CallBase = true };
            spare.Setup(static handle => handle.Close()).Callback(() => order.Add($"{name} closed"));
            return spare.Object;
        }
    }

    [Test]
    public void SpareDescriptorThatIsMissing_IsOpened_OnceThereIsOne()
    {
        var spare = new Mock<Handle> { CallBase = true };
        for (int second = 0; second < 3; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _reactor.RunOnce(TimeSpan.Zero);
        }

        Assert.That(_entry.Interest, Is.EqualTo(Interest.Read), "to lack it is no reason to pause");
        _spare = spare.Object;
        _time.Advance(TimeSpan.FromSeconds(1));
        _reactor.RunOnce(TimeSpan.Zero);
        _errors.Enqueue(SocketError.TooManyOpenSockets);
        _reactor.RunOnce(TimeSpan.Zero);

        spare.Verify(static handle => handle.Close(), Times.Once, "closed to accept and reset those who wait");
    }

    [Test]
    public void AcceptThatThrows_PausesForASecond_AndTheListenerGoesOn()
    {
        _fault = new InsufficientMemoryException();
        Assert.That(() => _reactor.RunOnce(TimeSpan.Zero), Throws.Nothing);
        Assert.That((_entry.Key!.IsValid, _entry.Interest), Is.EqualTo((true, Interest.None)));

        _time.Advance(TimeSpan.FromSeconds(1));
        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_accepts, Is.EqualTo(2));
        Assert.That(_entry.Interest, Is.EqualTo(Interest.Read));
        Assert.That(_logger.Entries, Has.One.Matches<(LogLevel Level, int Id, string, Exception? Exception)>(
            static entry => entry is { Level: LogLevel.Error, Id: 47, Exception: InsufficientMemoryException }));
    }

    [Test]
    public void Exhaustion_WarnsOnceAMinute()
    {
        for (int second = 0; second < 90; second++)
        {
            _errors.Enqueue(SocketError.TooManyOpenSockets);
            _reactor.RunOnce(TimeSpan.Zero);
            _time.Advance(TimeSpan.FromSeconds(1));
            _reactor.RunOnce(TimeSpan.Zero);
        }

        Assert.That(_accepts, Is.EqualTo(90));
        Assert.That(Warnings(), Is.EqualTo(new[] { AcceptExhausted, AcceptExhausted }));
    }

    [Test]
    public void Resume_DoesNotEndThePauseOfExhaustion()
    {
        _errors.Enqueue(SocketError.TooManyOpenSockets);
        _reactor.RunOnce(TimeSpan.Zero);
        _listener.Pause();
        _listener.Resume();

        Assert.That(_entry.Interest, Is.EqualTo(Interest.None));
    }

    private void EnqueueErrors(SocketError error, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _errors.Enqueue(error);
        }
    }

    // A tick may end before, by its bound.
    private void RunUntilAccepts(int count)
    {
        for (int tick = 0; tick < 2000 && _accepts < count && _entry.Interest == Interest.Read; tick++)
        {
            _reactor.RunOnce(TimeSpan.Zero);
        }
    }

    private int[] Warnings() =>
        [.. _logger.Entries.Where(static entry => entry.Level == LogLevel.Warning).Select(static entry => entry.Id)];

    private sealed class ShortOfDescriptors(Handle client, List<string> order) : Handle
    {
        public override bool IsClosed => false;

        public override SocketError Bind(EndPoint localEndPoint) => SocketError.Success;

        public override SocketError Listen(int backlog) => SocketError.Success;

        public override SocketError Accept(out Handle? accepted)
        {
            int step = order.Count;
            order.Add(step == 0 ? "no descriptor" : step == 2 ? "accepted" : "no more");
            accepted = step == 2 ? client : null;
            return step == 0
                ? SocketError.TooManyOpenSockets
                : step == 2 ? SocketError.Success : SocketError.WouldBlock;
        }

        public override void Close()
        {
        }
    }
}

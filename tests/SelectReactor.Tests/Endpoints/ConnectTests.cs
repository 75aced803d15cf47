using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

public sealed class ConnectTests(SelectorKind selector) : ReactorFixture(selector)
{
    private ScriptedHandler _handler = null!;
    private Socket _listener = null!;

    private IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    [SetUp]
    public void Listen()
    {
        _handler = new ScriptedHandler();
        _listener = Peer.Listen(backlog: 256);
    }

    [TearDown]
    public void StopListening() => _listener.Dispose();

    [Test]
    public void Success_CallsOnConnected_BeforeTheTaskCompletes()
    {
        bool completedBefore = true;
        Task<Connection> attempt = null!;
        _handler.Connected = _ => completedBefore = attempt.IsCompleted;
        attempt = Reactor.ConnectAsync(Address, _handler);
        Connection connection = RunUntil(attempt);
        using var peer = Peer.Accept(_listener);

        Assert.Multiple(() =>
        {
            Assert.That(completedBefore, Is.False);
            Assert.That(_handler.Connection, Is.SameAs(connection));
            Assert.That(connection.State, Is.EqualTo(ConnectionState.Open));
            Assert.That(connection.RemoteEndPoint, Is.EqualTo(Address));
            Assert.That(connection.LocalEndPoint, Is.EqualTo(peer.Socket.RemoteEndPoint));
        });
    }

    [Test]
    public void OnConnectedThatThrows_FailsTheTask()
    {
        var fault = new InvalidDataException("no");
        _handler.Connected = _ => throw fault;
        Task<Connection> attempt = Reactor.ConnectAsync(Address, _handler);

        Assert.That(() => RunUntil(attempt), Throws.Exception.SameAs(fault));
        using var peer = Peer.Accept(_listener);
        RunUntil(() => _handler.IsClosed);
    }

    [Test]
    public void SocketOptions_AreSet()
    {
        SocketHandle? made = null;
        var handles = new Mock<IHandleFactory>();
        handles.Setup(static factory => factory.CreateStream(AddressFamily.InterNetwork)).Returns(
            () => made = (SocketHandle)SocketHandleFactory.Instance.CreateStream(AddressFamily.InterNetwork));
        using var reactor = new Reactor(Options(handles: handles.Object));
        var options = new ConnectOptions { Connection = new ConnectionOptions { SendBufferBytes = 20_000 } };
        Task<Connection> attempt = reactor.ConnectAsync(Address, _handler, options);
        RunUntil(reactor, () => attempt.IsCompleted);

        Assert.That(made!.Socket.NoDelay);
        Assert.That(made.Socket.SendBufferSize, Is.InRange(20_000, 40_000));
    }

    [Test]
    public void Refused_SaysSo_AndLeavesNothing()
    {
        IPEndPoint nobody = Address;
        _listener.Dispose();
        Descriptors.AssertNoneLeft(50, () =>
        {
            SocketException error =
                Assert.Throws<SocketException>(() => RunUntil(Reactor.ConnectAsync(nobody, _handler)))!;
            Assert.That(error.SocketErrorCode, Is.EqualTo(SocketError.ConnectionRefused));
            Assert.That(error.Message, Does.StartWith($"Can't connect to {nobody}: "));
        });
        Assert.That(_handler.Events, Is.Empty);
    }

    [Test]
    public void LocalAddressThatIsNotOurs_FailsInBind()
    {
        var options = new ConnectOptions { LocalEndPoint = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0) };

        SocketException error =
            Assert.Throws<SocketException>(() => RunUntil(Reactor.ConnectAsync(Address, _handler, options)))!;

        Assert.That(error.SocketErrorCode, Is.EqualTo(SocketError.AddressNotAvailable));
        Assert.That(error.Message, Does.Contain("can't bind 192.0.2.1:0"));
    }

    [Test]
    public void LocalAddress_IsBound([Values(true, false)] bool explicitPort)
    {
        int port = 0;
        if (explicitPort)
        {
            using Socket free = Peer.Listen();
            port = ((IPEndPoint)free.LocalEndPoint!).Port;
        }

        var options = new ConnectOptions { LocalEndPoint = new IPEndPoint(IPAddress.Parse("127.0.0.2"), port) };
        Connection connection = RunUntil(Reactor.ConnectAsync(Address, _handler, options));
        using var peer = Peer.Accept(_listener);

        var local = (IPEndPoint)peer.Socket.RemoteEndPoint!;
        Assert.That(local.Address, Is.EqualTo(IPAddress.Parse("127.0.0.2")));
        Assert.That(local.Port, explicitPort ? Is.EqualTo(port) : Is.Positive);
        Assert.That(connection.LocalEndPoint, Is.EqualTo(local));
    }

    [TestCase("::ffff:127.0.0.1", null)]
    [TestCase("::ffff:127.0.0.1", "::")]
    [TestCase("::ffff:127.0.0.1", "::ffff:127.0.0.2")]
    [TestCase("127.0.0.1", "::ffff:127.0.0.2")]
    public void MappedAddress_MeansTheIPv4Address(string remote, string? local)
    {
        var options = new ConnectOptions
        {
            LocalEndPoint = local is null ? null : new IPEndPoint(IPAddress.Parse(local), 0),
        };
        Connection connection = RunUntil(Reactor.ConnectAsync(
            new IPEndPoint(IPAddress.Parse(remote), Address.Port), _handler, options));

        Assert.That(connection.RemoteEndPoint, Is.EqualTo(Address));
        Assert.That(
            ((IPEndPoint)connection.LocalEndPoint!).Address.ToString(),
            Is.EqualTo(local is "::ffff:127.0.0.2" ? "127.0.0.2" : "127.0.0.1"));
    }

    [Test]
    public void NoAnswer_TimesOut()
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        using FullBacklog full = new();
        Task<Connection> attempt = reactor.ConnectAsync(
            full.Address, _handler, new ConnectOptions { Timeout = TimeSpan.FromSeconds(3) });
        reactor.RunOnce(TimeSpan.Zero);
        time.Advance(TimeSpan.FromSeconds(2.999));
        reactor.RunOnce(TimeSpan.Zero);
        Assert.That(attempt.IsCompleted, Is.False);

        time.Advance(TimeSpan.FromSeconds(0.001));
        RunUntil(reactor, () => attempt.IsCompleted);

        Assert.That(
            () => attempt.GetAwaiter().GetResult(),
            Throws.TypeOf<TimeoutException>().With.Message.Contains($"Can't connect to {full.Address}"));
    }

    [Test]
    public void Cancelled_BeforeItBegan_AndDuring()
    {
        using FullBacklog full = new();
        using var source = new CancellationTokenSource();
        Task<Connection> during = Reactor.ConnectAsync(full.Address, _handler, source.Token);
        Reactor.RunOnce(TimeSpan.Zero);
        Task.Run(source.Cancel).Wait();
        Task<Connection> before = Reactor.ConnectAsync(full.Address, _handler, source.Token);
        RunUntil(() => during.IsCompleted && before.IsCompleted);

        Assert.That(during.IsCanceled);
        Assert.That(before.IsCanceled);
        Assert.That(
            () => during.GetAwaiter().GetResult(),
            Throws.InstanceOf<OperationCanceledException>()
                .With.Property(nameof(OperationCanceledException.CancellationToken)).EqualTo(source.Token)
                .And.Message.Contains($"Can't connect to {full.Address}"));
        Assert.That(
            () => before.GetAwaiter().GetResult(),
            Throws.Exception.With.Message.Contains($"{full.Address}: cancelled"));
        Assert.That(_handler.Events, Is.Empty);
    }

    [Test]
    public void SelfConnect_IsRejected()
    {
        IPEndPoint address = Address;
        _listener.Dispose();
        var options = new ConnectOptions { LocalEndPoint = address };

        SocketException error =
            Assert.Throws<SocketException>(() => RunUntil(Reactor.ConnectAsync(address, _handler, options)))!;

        Assert.That(error.SocketErrorCode, Is.EqualTo(SocketError.ConnectionRefused));
        Assert.That(_handler.Events, Is.Empty);
    }

    [Test]
    public void DisposedReactor_FailsTheTask()
    {
        var reactor = new Reactor(Options());
        Task<Connection> pending = reactor.ConnectAsync(Address, _handler);
        reactor.Dispose();
        Task<Connection> late = reactor.ConnectAsync(Address, _handler);

        Assert.That(() => pending.GetAwaiter().GetResult(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => late.GetAwaiter().GetResult(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void AttemptUnderWay_IsCancelledByShutdown_AndLaterOnesAreRefused()
    {
        using FullBacklog full = new();
        Task<Connection> attempt = Reactor.ConnectAsync(full.Address, _handler);
        Reactor.RunOnce(TimeSpan.Zero);
        Task shutdown = Reactor.ShutdownAsync(TimeSpan.FromMinutes(1));
        RunUntil(shutdown);
        Task<Connection> late = Reactor.ConnectAsync(Address, _handler);
        RunUntil(() => late.IsCompleted);

        Assert.That(attempt.IsCanceled);
        Assert.That(
            () => attempt.GetAwaiter().GetResult(), Throws.Exception.With.Message.Contains("the reactor is stopping"));
        Assert.That(() => late.GetAwaiter().GetResult(), Throws.InvalidOperationException);
    }

    [Test]
    public void AwaitInACallback_ResumesOnTheReactorsThread()
    {
        bool? resumedHere = null;
        Reactor.Post(async () =>
        {
            await Reactor.ConnectAsync(Address, _handler);
            resumedHere = Reactor.IsReactorThread;
        });
        RunUntil(() => resumedHere is not null);

        Assert.That(resumedHere, Is.True);
    }

    [Test]
    public void ManyAtOnce_AllConnect()
    {
        List<Task<Connection>> attempts = [];
        for (int i = 0; i < 200; i++)
        {
            attempts.Add(Reactor.ConnectAsync(Address, _handler));
        }

        RunUntil(Task.WhenAll(attempts));

        Assert.That(_handler.Connections.Distinct().Count(), Is.EqualTo(200));
    }

    /// <summary>A listener whose backlog is full, so that the system answers no further attempt.</summary>
    private sealed class FullBacklog : IDisposable
    {
        private readonly Socket _listener = Peer.Listen(backlog: 0);
        private readonly List<Socket> _waiting = [];

        public FullBacklog()
        {
            for (int i = 0; i < 8; i++)
            {
                var socket =
                    new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                _waiting.Add(socket);
                try
                {
                    socket.Connect(Address);
                }
                catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
                {
                    continue;
                }
            }
        }

        public EndPoint Address => _listener.LocalEndPoint!;

        public void Dispose()
        {
            _waiting.ForEach(static socket => socket.Dispose());
            _listener.Dispose();
        }
    }
}

using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Connecting to a host by its name: the addresses come from the test, the sockets are real.</summary>
public sealed class HostTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly IPAddress _silent = IPAddress.Parse("127.0.0.2");
    private static readonly TimeSpan _never = TimeSpan.FromHours(1);
    private readonly ScriptedHandler _handler = new();
    private readonly Resolver _resolver = new();
    private RecordingHandles _handles = null!;
    private Reactor _reactor = null!;
    private readonly List<Socket> _fullBacklog = [];
    private Socket _server = null!;
    private int _port;

    [SetUp]
    public void Serve()
    {
        _handler.Connections.Clear();
        _resolver.Answers.Clear();
        _resolver.Asked.Clear();
        _server = Peer.Listen();
        _port = ((IPEndPoint)_server.LocalEndPoint!).Port;
        _handles = new RecordingHandles();
        _reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = Options().SelectorFactory,
            NameResolver = _resolver,
            HandleFactory = _handles,
        });
    }

    [TearDown]
    public void Close()
    {
        _reactor.Dispose();
        _server.Dispose();
        _fullBacklog.ForEach(static socket => socket.Dispose());
        _fullBacklog.Clear();
    }

    [Test]
    public void SystemsResolver_KnowsLocalhost()
    {
        Task<Connection> attempt = Reactor.ConnectAsync(new DnsEndPoint("localhost", _port), _handler);
        Assert.That(RunUntil(attempt).State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void BothFamilies_AreAskedFor_AndOneOnly_WhereOneIsWanted()
    {
        _resolver.Answer(AddressFamily.InterNetwork, IPAddress.Loopback);
        _resolver.Answer(AddressFamily.InterNetworkV6);
        Await(Connect());
        Assert.That(
            _resolver.Asked, Is.EquivalentTo(new[] { AddressFamily.InterNetworkV6, AddressFamily.InterNetwork }));

        _resolver.Asked.Clear();
        Await(_reactor.ConnectAsync(new DnsEndPoint("host", _port, AddressFamily.InterNetwork), _handler));
        Await(Connect(new ConnectOptions { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) }));
        Assert.That(_resolver.Asked, Is.EqualTo(new[] { AddressFamily.InterNetwork, AddressFamily.InterNetwork }));
    }

    [Test]
    public void LocalEndPointOfAnyIPv6Address_LeavesBothFamilies()
    {
        _resolver.Answer(AddressFamily.InterNetwork, IPAddress.Loopback);
        _resolver.Fail(AddressFamily.InterNetworkV6, SocketError.HostNotFound);
        Connection connection = Await(
            Connect(new ConnectOptions { LocalEndPoint = new IPEndPoint(IPAddress.IPv6Any, 0) }));

        Assert.That(connection.RemoteEndPoint, Is.EqualTo(new IPEndPoint(IPAddress.Loopback, _port)));
    }

    [Test]
    public void IPv6_IsTriedFirst()
    {
        using var six = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        six.Bind(new IPEndPoint(IPAddress.IPv6Loopback, _port));
        six.Listen();
        _resolver.Answer(AddressFamily.InterNetwork, IPAddress.Loopback);
        _resolver.Answer(AddressFamily.InterNetworkV6, IPAddress.IPv6Loopback);

        Connection connection = Await(Connect(new ConnectOptions { ResolutionDelay = _never, AttemptDelay = _never }));
        Assert.That(connection.RemoteEndPoint, Is.EqualTo(new IPEndPoint(IPAddress.IPv6Loopback, _port)));
    }

    [Test]
    public void RefusedAddress_IsFollowedByTheNextAtOnce()
    {
        _resolver.Answer(AddressFamily.InterNetworkV6, IPAddress.IPv6Loopback);
        _resolver.Answer(AddressFamily.InterNetwork, IPAddress.Parse("127.0.0.3"), IPAddress.Loopback);

        Connection connection = Await(Connect(new ConnectOptions { AttemptDelay = _never }));
        Assert.That(connection.RemoteEndPoint, Is.EqualTo(new IPEndPoint(IPAddress.Loopback, _port)));
    }

    [Test]
    public void SilentAddress_IsRacedByTheNext_AndGivenUp()
    {
        BeSilent();
        _resolver.Answer(AddressFamily.InterNetworkV6);
        _resolver.Answer(AddressFamily.InterNetwork, _silent, IPAddress.Loopback);

        Connection connection = Await(Connect(new ConnectOptions { AttemptDelay = TimeSpan.FromMilliseconds(20) }));
        Assert.That(connection.RemoteEndPoint, Is.EqualTo(new IPEndPoint(IPAddress.Loopback, _port)));
        Assert.That((_handles.Made.Count, _handles.Open), Is.EqualTo((2, 1)));
    }

    [Test]
    public void MappedAddressOfAResolver_MeansTheIPv4Address()
    {
        _resolver.Answer(AddressFamily.InterNetwork);
        _resolver.Answer(AddressFamily.InterNetworkV6, IPAddress.Loopback.MapToIPv6());

        Assert.That(Await(Connect()).RemoteEndPoint, Is.EqualTo(new IPEndPoint(IPAddress.Loopback, _port)));
    }

    [Test]
    public void AddressesThatComeLater_WaitForTheirTurn()
    {
        BeSilent();
        var later = new TaskCompletionSource<IPAddress[]>();
        _resolver.Answers[AddressFamily.InterNetwork] = later.Task;
        _resolver.Answer(AddressFamily.InterNetworkV6, _silent);
        Task<Connection> attempt = Connect(
            new ConnectOptions { AttemptDelay = _never, Timeout = TimeSpan.FromMilliseconds(300) });
        for (int i = 0; i < 5; i++)
        {
            _reactor.RunOnce(TimeSpan.FromMilliseconds(10));
        }

        later.SetResult([IPAddress.Loopback]);
        Assert.That(() => Await(attempt), Throws.InstanceOf<TimeoutException>());
    }

    [Test]
    public void IPv6AddressesThatDoNotCome_AreWaitedForAMomentOnly()
    {
        _resolver.NeverAnswer(AddressFamily.InterNetworkV6);
        _resolver.Answer(AddressFamily.InterNetwork, IPAddress.Loopback);

        Connection connection = Await(Connect(new ConnectOptions { ResolutionDelay = TimeSpan.FromMilliseconds(20) }));
        Assert.That(connection.RemoteEndPoint, Is.EqualTo(new IPEndPoint(IPAddress.Loopback, _port)));
    }

    [Test]
    public void AResolutionDelayAboveTheTimeout_LeavesTimeForTheIPv4Addresses()
    {
        _resolver.NeverAnswer(AddressFamily.InterNetworkV6);
        _resolver.Answer(AddressFamily.InterNetwork, IPAddress.Loopback);
        var time = new FakeTimeProvider();
        ReactorOptions options = Options(time);
        options.NameResolver = _resolver;
        using var reactor = new Reactor(options);
        Task<Connection> attempt = reactor.ConnectAsync(
            new DnsEndPoint("host", _port),
            _handler,
            new ConnectOptions { Timeout = TimeSpan.FromSeconds(2), ResolutionDelay = _never });
        reactor.RunOnce(TimeSpan.Zero);
        reactor.RunOnce(TimeSpan.Zero);
        time.Advance(TimeSpan.FromSeconds(1));
        RunUntil(reactor, () => attempt.IsCompleted);

        Assert.That(attempt.IsCompletedSuccessfully);
    }

    [Test]
    public void AllRefused_SaysSo_WithTheHostAndAnAddress()
    {
        _resolver.Answer(AddressFamily.InterNetworkV6);
        _resolver.Answer(AddressFamily.InterNetwork, IPAddress.Parse("127.0.0.3"), IPAddress.Parse("127.0.0.4"));

        SocketException error = Assert.Throws<SocketException>(() => Await(Connect()))!;
        Assert.That(error.SocketErrorCode, Is.EqualTo(SocketError.ConnectionRefused));
        Assert.That(error.Message, Does.StartWith($"Can't connect to host:{_port} (127.0.0.3)"));
    }

    [Test]
    public void UnknownHost_SaysSo()
    {
        _resolver.Fail(AddressFamily.InterNetworkV6, SocketError.HostNotFound);
        _resolver.Fail(AddressFamily.InterNetwork, SocketError.HostNotFound);
        Assert.That(
            Assert.Throws<SocketException>(() => Await(Connect()))!.SocketErrorCode,
            Is.EqualTo(SocketError.HostNotFound));

        _resolver.Answer(AddressFamily.InterNetworkV6);
        _resolver.Answer(AddressFamily.InterNetwork);
        SocketException error = Assert.Throws<SocketException>(() => Await(Connect()))!;
        Assert.That(error.Message, Does.StartWith($"Can't connect to host:{_port}"));
    }

    [Test]
    public void TheFamilies_TakeTurns()
    {
        var tried = new List<AddressFamily>();
        var handles = new Mock<IHandleFactory>();
        handles.Setup(static factory => factory.CreateStream(It.IsAny<AddressFamily>()))
            .Callback<AddressFamily>(tried.Add)
            .Returns<AddressFamily>(SocketHandleFactory.Instance.CreateStream);
        var sixes = new TaskCompletionSource<IPAddress[]>();
        _resolver.Answers[AddressFamily.InterNetworkV6] = sixes.Task;
        _resolver.Answer(AddressFamily.InterNetwork, IPAddress.Parse("127.0.0.3"), IPAddress.Loopback);
        using var reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = Options().SelectorFactory,
            NameResolver = _resolver,
            HandleFactory = handles.Object,
        });
        var options = new ConnectOptions { ResolutionDelay = _never, AttemptDelay = _never };
        Task<Connection> attempt = reactor.ConnectAsync(new DnsEndPoint("host", _port), _handler, options);
        reactor.RunOnce(TimeSpan.Zero);
        reactor.RunOnce(TimeSpan.Zero);
        sixes.SetResult([IPAddress.IPv6Loopback, IPAddress.IPv6Loopback]);
        RunUntil(reactor, () => attempt.IsCompleted);

        Assert.That(attempt.IsCompletedSuccessfully);
        AddressFamily[] turn = [AddressFamily.InterNetworkV6, AddressFamily.InterNetwork];
        Assert.That(tried, Is.EqualTo(turn.Concat(turn)));
    }

    [Test]
    public void AQuestionThatNobodyWaitsFor_IsCancelled()
    {
        _resolver.Answer(AddressFamily.InterNetwork, IPAddress.Loopback);
        _resolver.NeverAnswer(AddressFamily.InterNetworkV6);
        Await(Connect(new ConnectOptions { ResolutionDelay = TimeSpan.Zero }));

        RunUntil(_reactor, () => _resolver.Token.IsCancellationRequested);
    }

    [Test]
    public void WhatTheResolverSays_IsTold()
    {
        _resolver.Fail(AddressFamily.InterNetwork, SocketError.TryAgain);
        _resolver.Fail(AddressFamily.InterNetworkV6, SocketError.TryAgain);

        SocketException error = Assert.Throws<SocketException>(() => Await(Connect()))!;
        Assert.That(error.SocketErrorCode, Is.EqualTo(SocketError.TryAgain));
        Assert.That(error.Message, Does.Contain(new SocketException((int)SocketError.TryAgain).Message));
    }

    [Test]
    public void AResolverThatCancels_IsSaidTo()
    {
        _resolver.Answers[AddressFamily.InterNetworkV6] = Task.FromCanceled<IPAddress[]>(new(canceled: true));
        _resolver.Answers[AddressFamily.InterNetwork] = Task.FromCanceled<IPAddress[]>(new(canceled: true));

        SocketException error = Assert.Throws<SocketException>(() => Await(Connect()))!;
        Assert.That(error.Message, Does.EndWith("the resolver cancelled the question."));
    }

    [Test]
    public void ErrorsOfTheResolver_AreObserved([Values] bool afterTheEnd)
    {
        string mark = Guid.NewGuid().ToString();
        int unobserved = 0;
        void Count(object? sender, UnobservedTaskExceptionEventArgs args) =>
            unobserved += args.Exception.InnerExceptions.Count(error => error.Message == mark);
        TaskScheduler.UnobservedTaskException += Count;
        try
        {
            FailToResolve(mark, afterTheEnd);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Count;
        }

        Assert.That(unobserved, Is.Zero);
    }

    // A method of its own, so that no local variable keeps the tasks.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FailToResolve(string message, bool afterTheEnd)
    {
        var six = new TaskCompletionSource<IPAddress[]>();
        var four = new TaskCompletionSource<IPAddress[]>();
        _resolver.Answers[AddressFamily.InterNetworkV6] = six.Task;
        _resolver.Answers[AddressFamily.InterNetwork] = four.Task;
        using var cancellation = new CancellationTokenSource();
        Task<Connection> attempt = _reactor.ConnectAsync(new DnsEndPoint("host", _port), _handler, cancellation.Token);
        _reactor.RunOnce(TimeSpan.Zero);
        if (afterTheEnd)
        {
            cancellation.Cancel();
            Assert.That(() => Await(attempt), Throws.InstanceOf<OperationCanceledException>());
            _reactor.Dispose();
        }

        six.SetException(new IOException(message));
        four.SetException(new IOException(message));
        if (!afterTheEnd)
        {
            Assert.That(() => Await(attempt), Throws.InstanceOf<SocketException>());
        }

        _resolver.Answers.Clear();
    }

    [Test]
    public void Cancellation_TimeOutAndStop_EndAnUnansweredQuestion()
    {
        _resolver.NeverAnswer(AddressFamily.InterNetworkV6);
        _resolver.NeverAnswer(AddressFamily.InterNetwork);
        using var cancellation = new CancellationTokenSource();
        Task<Connection> attempt = _reactor.ConnectAsync(new DnsEndPoint("host", _port), _handler, cancellation.Token);
        _reactor.RunOnce(TimeSpan.Zero);
        cancellation.Cancel();
        Assert.That(() => Await(attempt), Throws.InstanceOf<OperationCanceledException>());

        Task<Connection> impatient = Connect(new ConnectOptions { Timeout = TimeSpan.FromMilliseconds(20) });
        Assert.That(() => Await(impatient), Throws.InstanceOf<TimeoutException>());

        Task<Connection> last = Connect();
        _reactor.RunOnce(TimeSpan.Zero);
        _reactor.Dispose();
        Assert.That(async () => await last, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_handler.IsConnected, Is.False);
    }

    // With its backlog full, a listener answers nobody.
    private void BeSilent()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _fullBacklog.AddRange([listener, filler]);
        listener.Bind(new IPEndPoint(_silent, _port));
        listener.Listen(0);
        filler.Connect(listener.LocalEndPoint!);
    }

    private Task<Connection> Connect() => Connect(new ConnectOptions());

    private Task<Connection> Connect(ConnectOptions options) =>
        _reactor.ConnectAsync(new DnsEndPoint("host", _port), _handler, options);

    private Connection Await(Task<Connection> attempt)
    {
        RunUntil(_reactor, () => attempt.IsCompleted);
        return attempt.GetAwaiter().GetResult();
    }

    private sealed class Resolver : INameResolver
    {
        public Dictionary<AddressFamily, Task<IPAddress[]>> Answers { get; } = [];

        public List<AddressFamily> Asked { get; } = [];

        public void Answer(AddressFamily family, params IPAddress[] addresses) =>
            Answers[family] = Task.FromResult(addresses);

        public CancellationToken Token { get; private set; }

        public void NeverAnswer(AddressFamily family) =>
            Answers[family] = new TaskCompletionSource<IPAddress[]>().Task;

        public void Fail(AddressFamily family, SocketError error) =>
            Answers[family] = Task.FromException<IPAddress[]>(new SocketException((int)error));

        public Task<IPAddress[]> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken)
        {
            Assert.That(host, Is.EqualTo("host"));
            Token = cancellationToken;
            lock (Asked)
            {
                Asked.Add(family);
                return Answers[family];
            }
        }
    }
}

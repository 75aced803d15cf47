using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using SelectReactor.Connections;
using SelectReactor.Tests.Support;
using SelectReactor.Tests.Timing;

namespace SelectReactor.Tests.Connections;

/// <summary>What is done with a connected handle before it is a connection.</summary>
public sealed class OpeningStepTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly bool _noticesClosedSockets = selector.ToString() == "Select";
    private readonly List<IDisposable> _owned = [];
    private ScriptedHandler _handler = null!;

    private static Func<OpeningStep>[] OneTag => [static () => new TagStep()];

    private static Func<OpeningStep>[] TwoTags => [static () => new TagStep(), static () => new TagStep()];

    [SetUp]
    public void Begin()
    {
        _handler = new ScriptedHandler();
        TagStep.Live = 0;
    }

    [TearDown]
    public void End()
    {
        _owned.ForEach(static owned => owned.Dispose());
        _owned.Clear();
        Reactor.Dispose();
        Assert.That(TagStep.Live, Is.Zero, "steps that did not end");
    }

    [Test]
    public void Connection_IsMadeAfterTheStep_WithWhatItFound()
    {
        Listener listener = Listen(OneTag);
        Peer peer = Connect(listener);
        peer.Send("ab"u8);
        RunUntil(() => listener.ConnectionCount == 1, "accepted");
        RunSome();
        Assert.That(_handler.IsConnected, Is.False);

        peer.Send("cd"u8);
        RunUntil(() => _handler.IsConnected, "OnConnected");
        Assert.That(_handler.Connection.GetFeature<string>(), Is.EqualTo("abcd"));
        Assert.That(_handler.Connection.RemoteEndPoint, Is.EqualTo(new DnsEndPoint("abcd", 1)));
        Assert.That((listener.Accepted, listener.ConnectionCount), Is.EqualTo((1L, 1)));
    }

    [Test]
    public void WhatAStepReadsTooMuch_IsTheFirstInput()
    {
        Peer peer = Connect(Listen(OneTag));
        peer.Send("abcdhello "u8);
        RunUntil(() => _handler.Received.Count == 6, "the rest");
        peer.Send("world"u8);
        RunUntil(() => _handler.Received.Count == 11, "what follows");

        Assert.That(Encoding.ASCII.GetString([.. _handler.Received]), Is.EqualTo("hello world"));
        Assert.That(_handler.Events[..2], Is.EqualTo(new[] { "OnConnected", "OnReadable" }));
        Assert.That(_handler.Connection.Statistics.BytesReceived, Is.EqualTo(11));
    }

    [Test]
    public void SecondStep_GetsWhatTheFirstReadTooMuch()
    {
        Peer peer = Connect(Listen(TwoTags));
        peer.Send("abcdefghrest"u8);
        RunUntil(() => _handler.Received.Count == 4, "the rest");

        Assert.That(_handler.Connection.RemoteEndPoint, Is.EqualTo(new DnsEndPoint("efghabcd", 1)));
    }

    [TestCase("FAIL", "the tag is bad.")]
    [TestCase("BOOM", "the step threw")]
    [TestCase("ab", "the tag ended after 2 bytes.")]
    public void FailedStep_IsOneDebugLine_AndNothingElse(string sent, string why)
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        Listener listener = Own(reactor.Listen(AnyPort, _handler, With(OneTag)));
        Peer peer = Connect(listener);
        peer.Send(Encoding.ASCII.GetBytes(sent));
        peer.EndOutput();
        RunUntil(reactor, () => logger.Entries.Exists(static entry => entry.Id == 62), "the failure");

        (LogLevel level, _, string message, _) = logger.Entries.Single(static entry => entry.Id == 62);
        string client = $"The client {peer.Socket.LocalEndPoint} on {listener.LocalEndPoint}";
        Assert.That((level, message), Is.EqualTo((LogLevel.Debug, $"{client} is dropped: {why}")));
        Assert.That(
            (listener.ConnectionCount, listener.Accepted, _handler.Events.Count), Is.EqualTo((0, 0L, 0)));
        Assert.That(() => peer.Receive(1), Throws.InstanceOf<SystemException>());

        Peer next = Connect(listener);
        next.Send("good"u8);
        RunUntil(reactor, () => _handler.IsConnected, "the next client");
    }

    [Test]
    public void ReactorThatIsDisposedInAStep_IsNoFault()
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        Listener listener = Own(reactor.Listen(AnyPort, _handler, With([static () => new DisposingStep()])));
        Peer peer = Connect(listener);
        RunUntil(reactor, () => listener.Refused == 1, "refused");

        Assert.That(
            logger.Entries.Select(static entry => entry.Level), Is.All.LessThanOrEqualTo(LogLevel.Information));
        Assert.That(() => peer.Receive(1), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void StepThatTakesTooLong_IsEnded()
    {
        var time = new ManualTime(1000);
        using var reactor = new Reactor(Options(time));
        Listener listener = Own(reactor.Listen(
            AnyPort, _handler, With([static () => new TagStep(TimeSpan.FromSeconds(3))])));
        Peer peer = Connect(listener);
        RunUntil(reactor, () => TagStep.Live == 1, "the step");
        time.Timestamp = 2999;
        reactor.RunOnce(TimeSpan.Zero);
        Assert.That(listener.ConnectionCount, Is.EqualTo(1));

        time.Timestamp = 3001;
        RunUntil(reactor, () => listener.ConnectionCount == 0, "the time-out");
        Assert.That(() => peer.Receive(1), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void StepsCount_ForTheLimits()
    {
        using var reactor = new Reactor(
            new ReactorOptions { MaxConnections = 2, SelectorFactory = Options().SelectorFactory });
        Listener listener = Own(reactor.Listen(AnyPort, _handler, With(OneTag)));
        Peer[] peers = [Connect(listener), Connect(listener), Connect(listener)];
        RunUntil(reactor, () => TagStep.Live == 2, "two steps");
        peers[2].Send("thrd"u8);
        for (int i = 0; i < 5; i++)
        {
            reactor.RunOnce(TimeSpan.FromMilliseconds(2));
        }

        Assert.That((TagStep.Live, _handler.IsConnected), Is.EqualTo((2, false)));
        peers[0].Reset();
        RunUntil(reactor, () => _handler.IsConnected, "room for the third");
        Assert.That(_handler.Connection.GetFeature<string>(), Is.EqualTo("thrd"));
    }

    [Test]
    public void Listener_IsDrained_WhenTheLastStepHasFailed()
    {
        Listener listener = Listen(OneTag);
        Peer peer = Connect(listener);
        RunUntil(() => TagStep.Live == 1, "the step");
        listener.Dispose();
        RunSome();
        Assert.That(listener.Drained.IsCompleted, Is.False);

        peer.Dispose();
        RunUntil(listener.Drained);
    }

    [Test]
    public void Shutdown_EndsSteps()
    {
        Listener listener = Listen(OneTag);
        Peer peer = Connect(listener);
        RunUntil(() => TagStep.Live == 1, "the step");

        RunUntil(Reactor.ShutdownAsync(Timeout.InfiniteTimeSpan));
        Assert.That((TagStep.Live, listener.ConnectionCount), Is.EqualTo((0, 0)));
        Assert.That(() => peer.Receive(1), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void Client_IsConnectedAfterItsSteps()
    {
        (Task<Connection> attempt, Peer server) = ConnectWith(TwoTags);
        server.Send("abcdefgh"u8);
        Connection connection = RunUntil(attempt);
        server.Send("!"u8);
        Task<int> read = connection.AsStream().ReadAsync(new byte[8]).AsTask();

        Assert.That(RunUntil(read), Is.EqualTo(1));
        Assert.That(connection.GetFeature<string>(), Is.EqualTo("abcd"));
    }

    [Test]
    public void FailureOfAClientsStep_IsTheExceptionOfConnect()
    {
        (Task<Connection> attempt, Peer server) = ConnectWith(OneTag);
        server.Send("FAIL"u8);

        Assert.That(
            () => RunUntil(attempt),
            Throws.InstanceOf<IOException>().With.Message.EqualTo(
                $"Can't connect to {server.Socket.LocalEndPoint}: the tag is bad."));
        Assert.That(() => server.Receive(1), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void TimeoutOfConnect_CoversTheSteps()
    {
        (Task<Connection> attempt, Peer server) = ConnectWith(OneTag, TimeSpan.FromMilliseconds(50));

        Assert.That(
            () => RunUntil(attempt),
            Throws.InstanceOf<TimeoutException>().With.Message.Contains("the tag did not end"));
        Assert.That(() => server.Receive(1), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void Cancellation_EndsTheStep()
    {
        using var cancellation = new CancellationTokenSource();
        (Task<Connection> attempt, Peer server) = ConnectWith(OneTag, token: cancellation.Token);
        RunUntil(() => TagStep.Live == 1, "the step");
        cancellation.Cancel();

        Assert.That(() => RunUntil(attempt), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => server.Receive(1), Throws.InstanceOf<SocketException>());
    }

    // epoll does not notice the close, and the step ends by its time limit.
    [Test]
    public void SocketThatIsClosedByOthersInAStep_IsSaid()
    {
        Assume.That(_noticesClosedSockets);
        (Task<Connection> attempt, Peer _) = ConnectWith([static () => new ClosingStep()]);

        Assert.That(() => RunUntil(attempt), Throws.InstanceOf<IOException>()
            .With.Message.EndsWith("the socket was closed during the closing, not by the library.")
            .And.InnerException.InstanceOf<SocketException>());
    }

    private static ListenerOptions With(IReadOnlyList<Func<OpeningStep>> steps) => new() { Steps = steps };

    private Listener Listen(IReadOnlyList<Func<OpeningStep>> steps) =>
        Own(Reactor.Listen(AnyPort, _handler, With(steps)));

    private Peer Connect(Listener listener) => Own(Peer.Connect(listener.LocalEndPoint));

    private (Task<Connection> Attempt, Peer Server) ConnectWith(
        IReadOnlyList<Func<OpeningStep>> steps, TimeSpan? timeout = null, CancellationToken token = default)
    {
        using Socket listener = Peer.Listen();
        var options = new ConnectOptions { Steps = steps, Timeout = timeout ?? TimeSpan.FromSeconds(15) };
        Task<Connection> attempt = Reactor.ConnectAsync(listener.LocalEndPoint!, options, token);
        Reactor.RunOnce(TimeSpan.Zero);
        return (attempt, Own(Peer.Accept(listener)));
    }

    private void RunSome()
    {
        for (int i = 0; i < 5; i++)
        {
            Reactor.RunOnce(TimeSpan.FromMilliseconds(2));
        }
    }

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    private sealed class ClosingStep : OpeningStep
    {
        public override string Name => "closing";

        public override TimeSpan TimeLimit => Timeout.InfiniteTimeSpan;

        public override void Begin()
        {
            Sequence.Interest = Interest.Read;
            Sequence.Opened.Handle.Socket!.Dispose();
        }

        public override void OnReady(Interest ready)
        {
        }
    }

    private sealed class DisposingStep : OpeningStep
    {
        public override string Name => "disposing";

        public override TimeSpan TimeLimit => Timeout.InfiniteTimeSpan;

        public override void Begin()
        {
            Sequence.Reactor.Dispose();
            Sequence.Complete(Sequence.Opened);
        }

        public override void OnReady(Interest ready)
        {
        }
    }
}

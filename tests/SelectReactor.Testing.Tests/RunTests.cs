using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

/// <summary>Who has a turn, when, and what becomes of failures.</summary>
public sealed class RunTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private SimulatedNetwork _network = null!;
    private SimulatedHost _server = null!;
    private SimulatedHost _client = null!;

    [SetUp]
    public void Open()
    {
        _network = new SimulatedNetwork(1, new SimulatedNetworkOptions());
        _server = _network.AddHost("server");
        _client = _network.AddHost("client");
    }

    [TearDown]
    public void Close() => _network.Dispose();

    [Test]
    public void PostFromAnotherHostsCallback_IsRunAtOnce()
    {
        TimeSpan? at = null;
        _client.Reactor.Schedule(_second, () => _server.Reactor.Post(() => at = _network.Clock.Elapsed));
        _network.RunUntil(() => at is not null);

        Assert.That(at, Is.LessThan(_second + TimeSpan.FromMilliseconds(1)));
    }

    [Test]
    public void ReactorInTheTestsHands_IsWokenByWhatOthersPost()
    {
        bool isDone = false;
        async Task WaitAsync()
        {
            await Task.Delay(_second, _network.Clock);
            isDone = true;
            _client.Reactor.Stop();
        }

        _client.Reactor.Post(() => _ = WaitAsync());
        _client.Reactor.Run();
        Assert.That(isDone);

        _server.Reactor.Schedule(_second, _client.Reactor.Stop);
        _client.Reactor.Run();
        Assert.That(_network.Clock.Elapsed, Is.LessThan(3 * _second));
    }

    [Test]
    public void WhatAHandlerThrows_LeavesTheRun()
    {
        _server.Reactor.Listen(_server.EndPoint(7), new Thrower());
        var sender = new Sender("hello"u8.ToArray());
        _client.Reactor.ConnectAsync(_server.EndPoint(7), sender);

        Assert.That(() => _network.RunFor(_second), Throws.TypeOf<NotSupportedException>().With.Message.EqualTo("no"));
        _network.RunFor(_second);
        Assert.That(sender.Reason!.Value.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void FailureWhileACallbackSpendsTime_IsNotTakenForTheCallbacks()
    {
        SimulatedHost quiet = _network.AddHost("quiet", new ReactorOptions());
        quiet.Reactor.Post(() => quiet.Spend(2 * _second));
        _network.Schedule(_second, static () => throw new NotSupportedException("elsewhere"));

        Assert.That(
            () => _network.RunFor(3 * _second), Throws.TypeOf<NotSupportedException>().With.Message.EqualTo("elsewhere"));
        _network.RunFor(_second);
    }

    [Test]
    public void FailureOfTheLastCallbacks_NamesItsSeedToo() => Assert.That(
        static () => SimulatedNetwork.Explore(3, static network =>
        {
            if (network.Seed == 2)
            {
                network.AddHost("host").Reactor.Post(static () => throw new NotSupportedException("last"));
            }
        }),
        Throws.TypeOf<SimulationException>().With.Message.Contains("Seed 2").And.Message.Contains("last"));

    [Test]
    public void ExploringNothing_IsRefused() => Assert.That(
        static () => SimulatedNetwork.Explore(0, static _ => { }), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void RunningInsideACallback_IsRefused()
    {
        Exception? refusal = null;
        _client.Reactor.Post(() => refusal = Assert.Catch(_network.RunUntilIdle));
        _network.RunUntilIdle();

        Assert.That(refusal, Is.InstanceOf<InvalidOperationException>());
    }

    [Test]
    public void SpendingTime_WorksWhereTheTestStepsTheReactor()
    {
        _client.Reactor.Post(() => _client.Spend(_second));
        _client.Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_network.Clock.Elapsed, Is.GreaterThanOrEqualTo(_second));
    }

    [Test]
    public void ShorterStall_DoesNotEndALongerOne()
    {
        int beats = 0;
        _client.Reactor.Schedule(TimeSpan.Zero, () => beats++);
        _client.Stall(10 * _second);
        _client.Stall(_second);
        _network.RunFor(9 * _second);

        Assert.That(beats, Is.Zero);
    }

    [Test]
    public void Idle_MeansThatWhatAClosePosted_HasRun()
    {
        _server.Reactor.Listen(_server.EndPoint(7), new Echo());
        bool isPosted = false;
        var handler = new ClosedHandler(connection => connection.Reactor.Post(() => isPosted = true));
        Task<Connection> connected = _client.Reactor.ConnectAsync(_server.EndPoint(7), handler);
        _network.RunUntil(() => connected.IsCompleted);
        connected.Result.Abort();
        _network.RunUntilIdle();

        Assert.That(isPosted);
    }

    private sealed class Thrower : IConnectionHandler
    {
        public void OnReadable(Connection connection) => throw new NotSupportedException("no");
    }

    private sealed class ClosedHandler(Action<Connection> closed) : IConnectionHandler
    {
        public void OnReadable(Connection connection)
        {
        }

        public void OnClosed(Connection connection, CloseReason reason) => closed(connection);
    }
}

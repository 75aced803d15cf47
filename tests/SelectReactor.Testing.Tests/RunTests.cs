using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

/// <summary>Who has a turn, when, and what becomes of failures.</summary>
public sealed class RunTests : TwoHosts
{
    [Test]
    public void PostFromAnotherHostsCallback_IsRunAtOnce()
    {
        TimeSpan? at = null;
        Client.Reactor.Schedule(Second, () => Server.Reactor.Post(() => at = Network.Clock.Elapsed));
        Network.RunUntil(() => at is not null);

        Assert.That(at, Is.LessThan(Second + TimeSpan.FromMilliseconds(1)));
    }

    [Test]
    public void ReactorInTheTestsHands_IsWokenByWhatOthersPost()
    {
        bool isDone = false;
        async Task WaitAsync()
        {
            await Task.Delay(Second, Network.Clock);
            isDone = true;
            Client.Reactor.Stop();
        }

        Client.Reactor.Post(() => _ = WaitAsync());
        Client.Reactor.Run();
        Assert.That(isDone);

        Server.Reactor.Schedule(Second, Client.Reactor.Stop);
        Client.Reactor.Run();
        Assert.That(Network.Clock.Elapsed, Is.LessThan(3 * Second));
    }

    [Test]
    public void WhatAHandlerThrows_LeavesTheRun()
    {
        Server.Reactor.Listen(Server.EndPoint(7), new Thrower());
        var sender = new Sender("hello"u8.ToArray());
        Client.Reactor.ConnectAsync(Server.EndPoint(7), sender);

        Assert.That(() => Network.RunFor(Second), Throws.TypeOf<NotSupportedException>().With.Message.EqualTo("no"));
        Network.RunFor(Second);
        Assert.That(sender.Reason!.Value.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void FailureWhileACallbackSpendsTime_IsNotTakenForTheCallbacks()
    {
        SimulatedHost quiet = Network.AddHost("quiet", new ReactorOptions { Logger = NullLogger.Instance });
        quiet.Reactor.Post(() => quiet.Spend(2 * Second));
        Network.Schedule(Second, static () => throw new NotSupportedException("elsewhere"));

        Assert.That(
            () =>
                Network.RunFor(3 * Second), Throws.TypeOf<NotSupportedException>().With.Message.EqualTo("elsewhere"));
        Network.RunFor(Second);
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
        Client.Reactor.Post(() => refusal = Assert.Catch(Network.RunUntilIdle));
        Network.RunUntilIdle();

        Assert.That(refusal, Is.InstanceOf<InvalidOperationException>());
    }

    [Test]
    public void SpendingTime_WorksWhereTheTestStepsTheReactor()
    {
        Client.Reactor.Post(() => Client.Spend(Second));
        Client.Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(Network.Clock.Elapsed, Is.GreaterThanOrEqualTo(Second));
    }

    [Test]
    public void ShorterStall_DoesNotEndALongerOne()
    {
        int beats = 0;
        Client.Reactor.Schedule(TimeSpan.Zero, () => beats++);
        Client.Stall(10 * Second);
        Client.Stall(Second);
        Network.RunFor(9 * Second);

        Assert.That(beats, Is.Zero);
    }

    [Test]
    public void Idle_MeansThatWhatAClosePosted_HasRun()
    {
        Server.Reactor.Listen(Server.EndPoint(7), new Echo());
        bool isPosted = false;
        var handler = new ClosedHandler(connection => connection.Reactor.Post(() => isPosted = true));
        Task<Connection> connected = Client.Reactor.ConnectAsync(Server.EndPoint(7), handler);
        Network.RunUntil(() => connected.IsCompleted);
        connected.Result.Abort();
        Network.RunUntilIdle();

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

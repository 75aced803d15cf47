using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Clients;

/// <summary>A client that comes back, on a simulated network in which nothing else happens.</summary>
public sealed class ReconnectingClientTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private readonly List<string> _events = [];
    private SimulatedNetwork _network = null!;
    private SimulatedHost _server = null!;
    private SimulatedHost _host = null!;
    private ScriptedHandler _served = null!;

    [SetUp]
    public void Open()
    {
        _events.Clear();
        _network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        _server = _network.AddHost("server");
        _host = _network.AddHost("client");
        _served = new ScriptedHandler();
    }

    [TearDown]
    public void Close() => _network.Dispose();

    [Test]
    public void LostConnection_ComesBack()
    {
        Listen();
        var handler = new ScriptedHandler();
        ReconnectingClient client = Client(handler);
        _network.RunUntil(() => client.State == ReconnectState.Connected);
        Connection first = client.Connection!;
        Assert.That(handler.Connection, Is.SameAs(first));

        _network.Reset(_host, _server);
        _network.RunUntil(() => client.State == ReconnectState.Waiting);
        Assert.That(client.Connection, Is.Null);
        _network.RunUntil(() => client.State == ReconnectState.Connected);
        _network.RunUntilIdle();

        Assert.That(client.Connection, Is.Not.SameAs(first));
        Assert.That(
            _events, Is.EqualTo(new[] { "attempt 7", "connected", "lost PeerReset", "attempt 7", "connected" }));
    }

    [Test]
    public void FailedAttempts_AreToldWithTheirDelays_WhichGrow()
    {
        List<FailedAttempt> failures = [];
        ReconnectingClient client = Client(new ScriptedHandler(), new ReconnectOptions
        {
            BaseDelay = _second,
            MaxDelay = 8 * _second,
            Random = new Highest(),
        });
        client.AttemptFailed += failures.Add;
        _network.RunUntil(() => failures.Count == 6);

        Assert.That(
            failures.Select(static failure => failure.NextAttemptIn!.Value.TotalSeconds),
            Is.EqualTo(new[] { 1, 2, 4, 8, 8, 8 }).Within(0.001));
        Assert.That(failures.Select(static failure => failure.Failures), Is.EqualTo(Enumerable.Range(1, 6)));
        Assert.That(failures[0].Error, Is.InstanceOf<SocketException>());
        Assert.That(failures[0].EndPoint, Is.EqualTo(_server.EndPoint(7)));
        Listen();
        _network.RunUntil(() => client.State == ReconnectState.Connected);
    }

    [Test]
    public void HealthyConnection_ResetsTheDelay_AndAShortOneDoesNot([Values] bool isHealthy)
    {
        List<TimeSpan?> delays = [];
        Listen();
        ReconnectingClient client = Client(new ScriptedHandler(), new ReconnectOptions
        {
            BaseDelay = _second,
            HealthyAfter = 5 * _second,
            Random = new Highest(),
        });
        client.Lost += lost => delays.Add(lost.NextAttemptIn);
        for (int i = 0; i < 3; i++)
        {
            _network.RunUntil(() => client.State == ReconnectState.Connected);
            _network.RunFor((isHealthy ? 6 : 4) * _second);
            _network.Reset(_host, _server);
            _network.RunUntil(() => client.State == ReconnectState.Waiting);
        }

        _network.RunUntilIdle();
        Assert.That(
            delays.Select(static delay => delay!.Value.TotalSeconds),
            Is.EqualTo(isHealthy ? [1, 1, 1] : new[] { 1, 2, 4 }).Within(0.001));
    }

    [Test]
    public void EndPoints_TakeTurns_UntilOneAnswers()
    {
        Listen(8);
        ReconnectingClient client = Client(
            [_server.EndPoint(7), new DnsEndPoint("nowhere", 1), _server.EndPoint(8), _server.EndPoint(9)]);
        _network.RunUntil(() => client.State == ReconnectState.Connected);
        _network.RunUntilIdle();

        Assert.That(_events, Is.EqualTo(new[]
        {
            "attempt 7", "failed ConnectionRefused", "attempt nowhere", "failed HostNotFound",
            "attempt 8", "connected",
        }));

        // After a success it goes back to the same one.
        _events.Clear();
        _network.RunFor(_second * 60);
        _network.Reset(_host, _server);
        _network.RunUntil(() => client.State == ReconnectState.Waiting);
        _network.RunUntil(() => client.State == ReconnectState.Connected);
        _network.RunUntilIdle();
        Assert.That(_events, Is.EqualTo(new[] { "lost PeerReset", "attempt 8", "connected" }));
    }

    [Test]
    public void ItGivesUp_AfterTooManyFailures()
    {
        ReconnectingClient client = Client(new ScriptedHandler(), new ReconnectOptions { MaxFailures = 3 });
        Task<Connection> wait = client.WaitForConnectionAsync();
        _network.RunUntil(() => client.Completion.IsCompleted);
        _network.RunUntilIdle();

        Assert.That(client.Completion.Result.Kind, Is.EqualTo(ReconnectEndKind.GaveUp));
        Assert.That(client.Completion.Result.Error, Is.InstanceOf<SocketException>());
        Assert.That(client.State, Is.EqualTo(ReconnectState.Stopped));
        Assert.That(_events.Count(static text => text.StartsWith("failed", StringComparison.Ordinal)), Is.EqualTo(3));
        Assert.That(
            wait.Failure<IOException>().InnerException, Is.InstanceOf<SocketException>());
    }

    [Test]
    public void ItGivesUp_WhenItWasDownForTooLong()
    {
        TimeSpan start = Now;
        ReconnectingClient client = Client(
            new ScriptedHandler(), new ReconnectOptions { MaxDowntime = 60 * _second, Random = new Highest() });
        _network.RunUntil(() => client.Completion.IsCompleted);

        Assert.That(client.Completion.Result.Kind, Is.EqualTo(ReconnectEndKind.GaveUp));
        Assert.That(Now - start, Is.InRange(30 * _second, 60 * _second));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void APredicate_DecidesWhetherAFailureIsForGood(bool throws)
    {
        ReconnectingClient client = Client(new ScriptedHandler(), new ReconnectOptions
        {
            RetryAfterFailure = error => throws
                ? throw new InvalidOperationException()
                : error is not SocketException { SocketErrorCode: SocketError.ConnectionRefused },
        }, throws ? Quiet() : _host);
        _network.RunUntil(() => client.Completion.IsCompleted);

        Assert.That(client.Completion.Result.Kind, Is.EqualTo(ReconnectEndKind.GaveUp));
    }

    [Test]
    public void APredicate_DecidesWhetherALossIsForGood()
    {
        Listen();
        ReconnectingClient client = Client(new ScriptedHandler(), new ReconnectOptions
        {
            RetryAfterLoss = static reason => reason.Kind != CloseKind.PeerClosed,
        });
        _network.RunUntil(() => _served.IsConnected);
        _served.Connection.Close();
        _network.RunUntil(() => client.Completion.IsCompleted);

        Assert.That(client.Completion.Result.Kind, Is.EqualTo(ReconnectEndKind.GaveUp));
    }

    [TestCase(ReconnectState.Idle)]
    [TestCase(ReconnectState.Connecting)]
    [TestCase(ReconnectState.Connected)]
    [TestCase(ReconnectState.Waiting)]
    [TestCase(ReconnectState.Stopped)]
    public void Stop_EndsIt_InEveryState(ReconnectState state)
    {
        ReconnectingClient client = In(state);

        Task stop = client.StopAsync();
        _network.RunUntil(() => stop.IsCompleted);
        client.Start();
        _network.RunFor(100 * _second);

        Assert.That(client.Completion.Result.Kind, Is.EqualTo(ReconnectEndKind.Stopped));
        Assert.That((client.State, client.Connection), Is.EqualTo((ReconnectState.Stopped, (Connection?)null)));
        Assert.That(_host.Reactor.Connections, Is.Empty);
        Assert.That(_host.OpenDescriptors, Is.Zero);
    }

    [Test]
    public void Shutdown_EndsIt_InEveryState(
        [Values(ReconnectState.Connecting, ReconnectState.Connected, ReconnectState.Waiting)] ReconnectState state,
        [Values] bool disposes)
    {
        ReconnectingClient client = In(state);

        Task shutdown = disposes ? Task.CompletedTask : _host.Reactor.ShutdownAsync(_second);
        if (disposes)
        {
            _host.Reactor.Dispose();
        }

        _network.RunUntil(() => shutdown.IsCompleted && client.Completion.IsCompleted);

        Assert.That(client.Completion.Result.Kind, Is.EqualTo(ReconnectEndKind.ReactorStopped));
        Assert.That(_host.OpenDescriptors, Is.Zero);
    }

    [Test]
    public void ClientOfADisposedReactor_EndsAtOnce()
    {
        _host.Reactor.Dispose();
        ReconnectingClient client = Client(new ScriptedHandler());

        Assert.That(client.Completion.Result.Kind, Is.EqualTo(ReconnectEndKind.ReactorStopped));
        client.WaitForConnectionAsync().Failure<ObjectDisposedException>();
        Assert.That(client.StopAsync().IsCompleted, Is.True);
    }

    [Test]
    public void Waiter_GetsTheConnection_NowOrLater_AndCanGiveUp()
    {
        ReconnectingClient client = Client(new ScriptedHandler());
        using var cancellation = new CancellationTokenSource();
        Task<Connection> first = client.WaitForConnectionAsync();
        Task<Connection> cancelled = client.WaitForConnectionAsync(cancellation.Token);
        _network.RunFor(_second);
        cancellation.Cancel();
        _network.RunFor(_second);
        Assert.That(cancelled.IsCanceled, Is.True);
        Assert.That(first.IsCompleted, Is.False);

        Listen();
        _network.RunUntil(() => first.IsCompleted);
        Assert.That(first.Result, Is.SameAs(client.Connection));
        Task<Connection> now = client.WaitForConnectionAsync();
        Assert.That(now.IsCompleted, Is.True, "it does not wait for the loop");
        Assert.That(now.Result, Is.SameAs(client.Connection));
    }

    [Test]
    public void SubscriberThatThrows_IsLogged_AndTheClientGoesOn()
    {
        Listen();
        ReconnectingClient client = Client(new ScriptedHandler(), new ReconnectOptions(), Quiet(), starts: false);
        client.Attempting += static _ => throw new InvalidOperationException();
        client.Connected += static _ => throw new InvalidOperationException();
        client.Start();
        _network.RunUntil(() => client.State == ReconnectState.Connected);
        _network.Reset(_network.Hosts[^1], _server);
        _network.RunUntil(() => client.State == ReconnectState.Waiting);
        _network.RunUntil(() => client.State == ReconnectState.Connected);
    }

    [Test]
    public void SubscriberThatThrows_DoesNotKeepTheNextOneFromBeingTold()
    {
        Listen();
        ReconnectingClient client = Client(new ScriptedHandler(), new ReconnectOptions(), Quiet(), starts: false);
        client.Connected += static _ => throw new InvalidOperationException();
        Connection? told = null;
        client.Connected += connection => told = connection;
        client.Start();
        _network.RunUntil(() => client.State == ReconnectState.Connected);
        _network.RunUntilIdle();

        Assert.That(told, Is.SameAs(client.Connection));
    }

    [Test]
    public void StopInsideAPredicate_Ends([Values] bool afterLoss, [Values] bool throws)
    {
        ReconnectingClient client = null!;
        bool Stop()
        {
            client.StopAsync();
            return throws ? throw new InvalidOperationException() : true;
        }

        if (afterLoss)
        {
            Listen();
        }

        client = Client(
            new ScriptedHandler(),
            new ReconnectOptions { RetryAfterFailure = _ => Stop(), RetryAfterLoss = _ => Stop() },
            Quiet());
        if (afterLoss)
        {
            _network.RunUntil(() => client.State == ReconnectState.Connected);
            _network.Reset(_network.Hosts[^1], _server);
        }

        _network.RunUntil(() => client.Completion.IsCompleted);
        _network.RunUntilIdle();
        Assert.That(client.Completion.Result.Kind, Is.EqualTo(ReconnectEndKind.Stopped));
        Assert.That(_events.Count(static e => e.StartsWith("attempt", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public void RandomThatThrows_DoesNotEndTheAttempts()
    {
        List<TimeSpan?> delays = [];
        ReconnectingClient client = Client(
            new ScriptedHandler(), new ReconnectOptions { BaseDelay = _second, Random = new Broken() }, Quiet());
        client.AttemptFailed += failed => delays.Add(failed.NextAttemptIn);
        _network.RunUntil(() => delays.Count == 3);

        Assert.That(delays, Is.EqualTo(new TimeSpan?[] { _second, 2 * _second, 4 * _second }));
    }

    [Test]
    public void WaiterInsideAPredicate_GetsTheNextConnection()
    {
        ReconnectingClient client = null!;
        Task<Connection>? wait = null;
        Listen();
        client = Client(new ScriptedHandler(), new ReconnectOptions
        {
            RetryAfterLoss = _ =>
            {
                wait = client.WaitForConnectionAsync();
                return true;
            },
        });
        _network.RunUntil(() => client.State == ReconnectState.Connected);
        _network.Reset(_host, _server);
        _network.RunUntil(() => wait is { IsCompleted: true });

        Assert.That(wait!.Result, Is.Not.Null.And.SameAs(client.Connection));
    }

    [Test]
    public void WaiterOfAClientThatIsNotStarted_IsToldOfTheReactorsEnd([Values] bool disposes)
    {
        ReconnectingClient client = Client(new ScriptedHandler(), starts: false);
        Task<Connection> wait = client.WaitForConnectionAsync();
        _network.RunUntilIdle();
        if (disposes)
        {
            _host.Reactor.Dispose();
        }
        else
        {
            _host.Reactor.ShutdownAsync(_second);
        }

        _network.RunFor(_second);
        wait.Failure<IOException>();
        client.Start();
        Assert.That(client.Completion.Result.Kind, Is.EqualTo(ReconnectEndKind.ReactorStopped));
    }

    [Test]
    public void WrongArguments_AreRefused()
    {
        Assert.That(
            () => new ReconnectingClient(_host.Reactor, [], static _ => null!, new ReconnectOptions()),
            Throws.ArgumentException);
        Assert.That(
            () => new ReconnectOptions { BaseDelay = TimeSpan.Zero },
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("ReconnectOptions.BaseDelay"));
    }

    private TimeSpan Now => _network.Clock.Elapsed;

    private void Listen(int port = 7) => _server.Reactor.Listen(_server.EndPoint(port), _served);

    // A host whose faults are no failures of the test.
    private SimulatedHost Quiet() => _network.AddHost("quiet", new ReactorOptions
    {
        Logger = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance,
    });

    private ReconnectingClient In(ReconnectState state)
    {
        if (state == ReconnectState.Connected)
        {
            Listen();
        }

        ReconnectingClient client = Client(
            new ScriptedHandler(), new ReconnectOptions(), starts: state != ReconnectState.Idle);
        if (state == ReconnectState.Stopped)
        {
            client.StopAsync();
        }

        _network.RunUntil(() => client.State == state);
        return client;
    }

    private ReconnectingClient Client(
        IConnectionHandler handler,
        ReconnectOptions? options = null,
        SimulatedHost? host = null,
        bool starts = true) =>
        Watch(
            new ReconnectingClient(
                (host ?? _host).Reactor, _server.EndPoint(7), handler, options ?? new ReconnectOptions()),
            starts);

    private ReconnectingClient Client(EndPoint[] endPoints) => Watch(
        new ReconnectingClient(
            _host.Reactor, endPoints, static _ => new ScriptedHandler(), new ReconnectOptions()),
        starts: true);

    private ReconnectingClient Watch(ReconnectingClient client, bool starts)
    {
        client.Attempting += endPoint => _events.Add(
            endPoint is DnsEndPoint name ? $"attempt {name.Host}" : $"attempt {((IPEndPoint)endPoint).Port}");
        client.AttemptFailed += failed => _events.Add($"failed {(failed.Error as SocketException)?.SocketErrorCode}");
        client.Connected += _ => _events.Add("connected");
        client.Lost += lost => _events.Add($"lost {lost.Reason.Kind}");
        if (starts)
        {
            client.Start();
        }

        return client;
    }

    private sealed class Broken : Random
    {
        public override long NextInt64(long maxValue) => throw new InvalidOperationException();
    }

    /// <summary>Draws the longest delay each time.</summary>
    private sealed class Highest : Random
    {
        public override long NextInt64(long maxValue) => maxValue - 1;
    }
}

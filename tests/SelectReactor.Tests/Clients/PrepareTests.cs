using SelectReactor.Testing;

namespace SelectReactor.Tests.Clients;

/// <summary>Preparations of a pool's connections that do not end.</summary>
public sealed class PrepareTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private SimulatedNetwork _network = null!;
    private SimulatedHost _server = null!;
    private SimulatedHost _host = null!;

    [SetUp]
    public void Open()
    {
        _network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        _server = _network.AddHost("server");
        _host = _network.AddHost("client");
        _server.Reactor.Listen(_server.EndPoint(7), new Replies());
    }

    [TearDown]
    public void Close() => _network.Dispose();

    /// <summary>Its places are free again, whether it heeds its token or not.</summary>
    [Test]
    public void PreparationThatNeverEnds_IsBounded([Values] bool heedsItsToken)
    {
        bool hangs = true;
        var forever = new TaskCompletionSource();
        int cancelled = 0;
        ConnectionPool pool = Pool(new ConnectionPoolOptions
        {
            MaxConnecting = 2,
            PrepareTimeout = 3 * _second,
            Prepare = (_, token) =>
            {
                token.Register(() => cancelled++);
                return !hangs ? Task.CompletedTask : heedsItsToken ? forever.Task.WaitAsync(token) : forever.Task;
            },
        });
        Task<ConnectionLease>[] rents = [pool.RentAsync(), pool.RentAsync()];
        _network.RunFor(4 * _second);
        foreach (Task<ConnectionLease> rent in rents)
        {
            Assert.That(rent.Failure<TimeoutException>().Message, Does.Contain("Prepare"));
        }

        Assert.That(cancelled, Is.EqualTo(2));
        Assert.That(pool.Statistics, Is.EqualTo(default(ConnectionPoolStatistics)));
        Assert.That(_host.OpenDescriptors, Is.Zero);
        hangs = false;
        Task<ConnectionLease> later = pool.RentAsync();
        _network.RunFor(_second);
        Assert.That(later.IsCompletedSuccessfully, Is.True);

        // It comes too late to change anything.
        forever.TrySetResult();
        _network.RunFor(_second);
        Assert.That(pool.Statistics, Is.EqualTo(new ConnectionPoolStatistics { Rented = 1, Connected = 1 }));
    }

    /// <summary>Code on the loop that awaits it goes on at once.</summary>
    [Test]
    public void OnTheLoop_ARentThatIsServedAtOnce_IsACompletedTask()
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions());
        bool? isCompleted = null;
        async Task RentTwiceAsync()
        {
            using (ConnectionLease lease = await pool.RentAsync())
            {
                lease.Return();
            }

            Task<ConnectionLease> second = pool.RentAsync();
            isCompleted = second.IsCompletedSuccessfully;
            (await second).Return();
        }

        _host.Reactor.Post(() => _ = RentTwiceAsync());
        _network.RunFor(_second);
        Assert.That(isCompleted, Is.True);
        Assert.That(pool.Statistics, Is.EqualTo(new ConnectionPoolStatistics { Idle = 1, Connected = 1 }));
    }

    [Test]
    public void ConnectionThatEndsDuringItsPreparation_FailsTheCaller_AtOnce()
    {
        var forever = new TaskCompletionSource();
        CancellationToken seen = default;
        ConnectionPool pool = Pool(new ConnectionPoolOptions
        {
            PrepareTimeout = Timeout.InfiniteTimeSpan,
            Prepare = (connection, token) =>
            {
                seen = token;
                connection.Abort();
                return forever.Task;
            },
        });
        Task<ConnectionLease> rent = pool.RentAsync();
        _network.RunFor(_second);

        Assert.That(rent.Failure<IOException>().Message, Does.Contain("Aborted"));
        Assert.That(seen.IsCancellationRequested, Is.True);
        Assert.That(pool.Statistics, Is.EqualTo(default(ConnectionPoolStatistics)));
    }

    private ConnectionPool Pool(ConnectionPoolOptions options) => new(_host.Reactor, _server.EndPoint(7), options);
}

using System.Net.Sockets;

namespace SelectReactor.Tests.Clients;

/// <summary>A pool on a simulated network in which nothing else happens.</summary>
public sealed class ConnectionPoolTests : RepliesFixture
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Test]
    public void ReturnedConnection_IsRentedAgain()
    {
        ConnectionPool pool = Pool();
        Assert.That(Ask(pool, "one"), Is.EqualTo("one"));
        Assert.That(Ask(pool, "two"), Is.EqualTo("two"));

        Assert.That(Replies.Connections, Has.Count.EqualTo(1));
        Assert.That(pool.Statistics, Is.EqualTo(new ConnectionPoolStatistics { Idle = 1, Connected = 1 }));
    }

    [Test]
    public void MoreThanTheMaximum_Wait_AndAreServedInOrder()
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions { MaxConnections = 2 });
        Task<ConnectionLease>[] rents = [.. Enumerable.Range(0, 5).Select(_ => pool.RentAsync())];
        Network.RunUntilIdle();
        Assert.That(Completed(rents), Is.EqualTo(new[] { 0, 1 }));
        Assert.That(
            pool.Statistics, Is.EqualTo(new ConnectionPoolStatistics { Rented = 2, Waiting = 3, Connected = 2 }));

        rents[1].Result.Return();
        Network.RunUntilIdle();
        Assert.That(Completed(rents), Is.EqualTo(new[] { 0, 1, 2 }));
        rents[0].Result.Dispose();
        Network.RunUntilIdle();
        Assert.That(Completed(rents), Is.EqualTo(new[] { 0, 1, 2, 3 }), "a new connection for one that was cut");
        rents[2].Result.Return();
        Network.RunUntilIdle();
        Assert.That(Completed(rents), Is.EqualTo(new[] { 0, 1, 2, 3, 4 }));
        Assert.That(pool.Statistics.Connected, Is.EqualTo(3));
    }

    [Test]
    public void AttemptsAtTheSameTime_AreBounded()
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions { MaxConnecting = 3 });
        Task<ConnectionLease>[] rents = [.. Enumerable.Range(0, 9).Select(_ => pool.RentAsync())];
        int most = 0;
        Network.RunUntil(() =>
        {
            most = Math.Max(most, pool.Statistics.Connecting);
            return rents.All(static rent => rent.IsCompleted);
        });

        Assert.That(most, Is.EqualTo(3));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Pool_GrowsToItsMaximum_WhileNobodyReturnsAConnection(bool prepares)
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions
        {
            MaxConnections = 16,
            MaxConnecting = 4,
            Prepare = prepares ? static (_, _) => Task.CompletedTask : null,
        });
        Task<ConnectionLease>[] rents = [.. Enumerable.Range(0, 17).Select(_ => pool.RentAsync())];
        Network.RunUntilIdle();

        Assert.That(rents.Count(static rent => rent.IsCompleted), Is.EqualTo(16));
        Assert.That(
            pool.Statistics, Is.EqualTo(new ConnectionPoolStatistics { Rented = 16, Waiting = 1, Connected = 16 }));
    }

    [TestCase("closed")]
    [TestCase("reset")]
    [TestCase("input")]
    public void IdleConnectionThatBreaks_IsNotHandedOut(string how)
    {
        ConnectionPool pool = Pool();
        Ask(pool, "one");
        Connection served = Replies.Connections[0];
        switch (how)
        {
            case "closed":
                served.Close();
                break;
            case "reset":
                served.Abort();
                break;
            default:
                served.TryWrite("nobody has asked\n"u8);
                break;
        }

        Network.RunUntilIdle();

        Assert.That(pool.Statistics.Idle, Is.Zero);
        Assert.That(Ask(pool, "two"), Is.EqualTo("two"));
        Assert.That(Replies.Connections, Has.Count.EqualTo(2));
        Assert.That(pool.Statistics.Discarded, Is.EqualTo(1));
    }

    [TestCase("unread")]
    [TestCase("half read")]
    [TestCase("ended")]
    [TestCase("closed")]
    [TestCase("output ended")]
    [TestCase("paused")]
    [TestCase("reads")]
    [TestCase("holds a result")]
    [TestCase("other handler")]
    [TestCase("not returned")]
    public void ConnectionReturnedInBadOrder_IsCut(string how)
    {
        ConnectionPool pool = Pool();
        ConnectionLease lease = Rent(pool);
        Connection connection = lease.Connection;
        Connection served = Replies.Connections[0];
        served.TryWrite(how.Contains("read", StringComparison.Ordinal) ? "answer\n"u8 : ""u8);
        Network.RunUntilIdle();
        switch (how)
        {
            case "half read":
                connection.Input.TryRead(out System.IO.Pipelines.ReadResult result);
                connection.Input.AdvanceTo(result.Buffer.GetPosition(3), result.Buffer.End);
                break;
            case "ended":
                served.Close();
                break;
            case "closed":
                connection.Close();
                break;
            case "output ended":
                connection.CloseOutput();
                break;
            case "paused":
                connection.PauseReading();
                break;
            case "reads":
                connection.Input.TryRead(out result);
                connection.Input.AdvanceTo(result.Buffer.End);
                _ = connection.Input.ReadAsync().AsTask();
                break;
            case "holds a result":
                served.TryWrite("answer\n"u8);
                Network.RunUntilIdle();
                connection.Input.TryRead(out _);
                break;
            case "other handler":
                connection.Handler = new Replies();
                break;
        }

        Network.RunUntilIdle();
        if (how == "not returned")
        {
            lease.Dispose();
        }
        else
        {
            lease.Return();
        }

        Network.RunUntilIdle();
        Assert.That(pool.Statistics.Idle, Is.Zero);
        Assert.That(pool.Statistics.Discarded, Is.EqualTo(1));
        Assert.That(connection.State, Is.EqualTo(ConnectionState.Closed));
        Assert.That(Ask(pool, "next"), Is.EqualTo("next"));
    }

    [Test]
    public void Lease_EndsOnce()
    {
        ConnectionPool pool = Pool();
        ConnectionLease lease = Rent(pool);
        lease.Return();
        lease.Return();
        lease.Dispose();
        Network.RunUntilIdle();

        Assert.That(pool.Statistics, Is.EqualTo(new ConnectionPoolStatistics { Idle = 1, Connected = 1 }));
        Assert.That(() => lease.Connection, Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void Wait_IsBounded_AndCanBeCancelled()
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions { MaxConnections = 1, RentTimeout = 5 * _second });
        using ConnectionLease lease = Rent(pool);
        using var cancellation = new CancellationTokenSource();
        Task<ConnectionLease> late = pool.RentAsync();
        Task<ConnectionLease> cancelled = pool.RentAsync(cancellation.Token);
        Task<ConnectionLease> cancelledBefore = pool.RentAsync(new CancellationToken(canceled: true));
        Network.RunFor(_second);
        cancellation.Cancel();
        Network.RunFor(5 * _second);

        Assert.That(cancelled.IsCanceled && cancelledBefore.IsCanceled, Is.True);
        Assert.That(
            late.Failure<TimeoutException>().Message, Does.Contain("1 of at most 1 are rented"));
        Assert.That(pool.Statistics.Waiting, Is.Zero);
        lease.Return();
        Assert.That(Ask(pool, "next"), Is.EqualTo("next"));
    }

    [Test]
    public void TooManyWho_Wait_FailAtOnce()
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions { MaxConnections = 1, MaxWaiting = 1 });
        using ConnectionLease lease = Rent(pool);
        Task<ConnectionLease> first = pool.RentAsync();
        Task<ConnectionLease> second = pool.RentAsync();
        Network.RunUntilIdle();

        Assert.That(first.IsCompleted, Is.False);
        Assert.That(
            second.Failure<InvalidOperationException>().Message, Does.Contain("MaxWaiting"));
    }

    [Test]
    public void FailedAttempt_FailsOneCaller_AndTheOthersHaveTheirOwn()
    {
        var pool = new ConnectionPool(Reactor, Server.EndPoint(8), new ConnectionPoolOptions { MaxConnecting = 1 });
        Task<ConnectionLease>[] rents = [.. Enumerable.Range(0, 3).Select(_ => pool.RentAsync())];
        Network.RunUntil(() => rents.All(static rent => rent.IsCompleted));

        Array.ForEach(rents, static rent => rent.Failure<SocketException>());
        Server.Reactor.Listen(Server.EndPoint(8), Replies);
        Assert.That(Ask(pool, "now"), Is.EqualTo("now"));
    }

    [Test]
    public void ServerThatClosesAtOnce_FailsTheCaller_AndIsNotAskedWithoutEnd()
    {
        Server.Reactor.Listen(Server.EndPoint(8), static connection =>
        {
            connection.Abort();
            return new Replies();
        });
        var pool = new ConnectionPool(Reactor, Server.EndPoint(8));
        Task<ConnectionLease> rent = pool.RentAsync();
        Network.RunUntilIdle();

        // Either the pool has noticed it, or whoever has rented it does.
        Assert.That(rent.IsCompleted, Is.True);
        Assert.That(pool.Statistics.Connecting, Is.Zero);
        Assert.That(Client.OpenDescriptors, Is.Zero);
    }

    [Test]
    public void IdleConnections_AreClosed_ButForAMinimum()
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions { IdleTimeout = 10 * _second, MinIdle = 1 });
        ConnectionLease[] leases = [.. Enumerable.Range(0, 3).Select(_ => Rent(pool))];
        foreach (ConnectionLease lease in leases)
        {
            lease.Return();
            Network.RunFor(3 * _second);
        }

        Assert.That(pool.Statistics.Idle, Is.EqualTo(3));
        Network.RunFor(2 * _second);
        Assert.That(pool.Statistics.Idle, Is.EqualTo(2));
        Ask(pool, "keeps the last one alive");
        Network.RunFor(60 * _second);
        Assert.That(pool.Statistics.Idle, Is.EqualTo(1));
        Assert.That(Replies.Closed.Select(static reason => reason.Kind), Is.All.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void NewConnection_IsPrepared_BeforeItIsRented([Values] bool fails)
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions
        {
            Prepare = async (connection, _) =>
            {
                connection.Send(Replies.Encoder, "login");
                string answer = await connection.ReadMessageAsync(Replies.Decoder);
                Assert.That(Reactor.IsReactorThread, Is.True);
                if (fails || answer != "login")
                {
                    throw new InvalidOperationException("wrong password");
                }
            },
        });
        Task<string> asked = AskAsync(pool, "question");
        Network.RunUntil(() => asked.IsCompleted);

        if (fails)
        {
            Assert.That(asked.Exception!.InnerException!.Message, Is.EqualTo("wrong password"));
            Network.RunUntilIdle();
            Assert.That(Client.OpenDescriptors, Is.Zero);
            Assert.That(pool.Statistics, Is.EqualTo(default(ConnectionPoolStatistics)));
        }
        else
        {
            Assert.That(Ask(pool, "another"), Is.EqualTo("another"));
            Assert.That(Replies.Requested, Is.EqualTo(new[] { "login", "question", "another" }));
        }
    }

    [Test]
    public void Disposed_ItClosesWhatIsIdle_AndWhatIsReturned()
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions { MaxConnections = 2 });
        ConnectionLease idle = Rent(pool);
        ConnectionLease rented = Rent(pool);
        Task<ConnectionLease> waiting = pool.RentAsync();
        idle.Return();
        Task<ConnectionLease> second = pool.RentAsync();
        Network.RunUntilIdle();
        waiting.Result.Return();
        Network.RunUntilIdle();
        second.Result.Return();

        Task end = pool.DisposeAsync().AsTask();
        Task<ConnectionLease> late = pool.RentAsync();
        Network.RunUntil(() => end.IsCompleted && late.IsCompleted);

        late.Failure<ObjectDisposedException>();
        Assert.That(Replies.Closed, Has.Count.EqualTo(1));
        rented.Return();
        Network.RunUntilIdle();
        Assert.That(Client.OpenDescriptors, Is.Zero);
        Assert.That(pool.DisposeAsync().AsTask().IsCompleted, Is.True);
    }

    [Test]
    public void Shutdown_FailsWhoWaits_AndDoesNotWaitForIdleConnections([Values] bool disposes)
    {
        ConnectionPool pool = Pool(new ConnectionPoolOptions { MaxConnections = 2 });
        ConnectionLease[] leases = [Rent(pool), Rent(pool)];
        Task<ConnectionLease> waiting = pool.RentAsync();
        leases[0].Connection.Reactor.Post(() => _ = pool.RentAsync());
        Network.RunUntilIdle();

        Task shutdown = disposes ? Task.CompletedTask : Reactor.ShutdownAsync(600 * _second);
        if (disposes)
        {
            Reactor.Dispose();
        }

        Network.RunFor(_second);
        Assert.That(waiting.IsCanceled, Is.True);
        leases[0].Return();
        leases[1].Dispose();
        Network.RunUntil(() => shutdown.IsCompleted, 60 * _second);

        Assert.That(Client.OpenDescriptors, Is.Zero);
        Task<ConnectionLease> late = pool.RentAsync();
        Network.RunFor(_second);
        Assert.That(late.IsCompleted && !late.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void RentDuringAShutdown_SaysSo()
    {
        ConnectionPool pool = Pool();
        ConnectionLease lease = Rent(pool);
        Reactor.ShutdownAsync(600 * _second);
        Network.RunFor(_second);
        Task<ConnectionLease> late = pool.RentAsync();
        Network.RunFor(_second);

        Assert.That(late.Failure<InvalidOperationException>().Message, Does.Contain("shutting down"));
        lease.Dispose();
    }

    private static int[] Completed(Task[] tasks) =>
        [.. Enumerable.Range(0, tasks.Length).Where(i => tasks[i].IsCompletedSuccessfully)];

    private ConnectionPool Pool(ConnectionPoolOptions? options = null) =>
        new(Reactor, Server.EndPoint(7), options ?? new ConnectionPoolOptions());

    private ConnectionLease Rent(ConnectionPool pool)
    {
        Task<ConnectionLease> rent = pool.RentAsync();
        Network.RunUntil(() => rent.IsCompleted);
        Network.RunUntilIdle();
        return rent.Result;
    }

    private string Ask(ConnectionPool pool, string question)
    {
        Task<string> answer = AskAsync(pool, question);
        Network.RunUntil(() => answer.IsCompleted);
        Network.RunUntilIdle();
        return answer.Result;
    }

    private Task<string> AskAsync(ConnectionPool pool, string question) => Reactor.InvokeAsync(async () =>
    {
        using ConnectionLease lease = await pool.RentAsync();
        lease.Connection.Send(Replies.Encoder, question);
        string answer = await lease.Connection.ReadMessageAsync(Replies.Decoder);
        lease.Return();
        return answer;
    });
}

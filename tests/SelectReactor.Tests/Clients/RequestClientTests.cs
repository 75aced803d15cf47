using System.Buffers;
using SelectReactor.Testing;

namespace SelectReactor.Tests.Clients;

/// <summary>Requests over a simulated network in which nothing else happens.</summary>
public sealed class RequestClientTests : RepliesFixture
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Test]
    public void Requests_ArePipelined_AndEachHasItsResponse()
    {
        RequestClient<string, string> client = Connect();
        Replies.Holds = true;
        Task<string>[] tasks = [.. Enumerable.Range(0, 50).Select(i => client.SendAsync($"{i}"))];
        Network.RunUntilIdle();
        Assert.That(Replies.Requested, Has.Count.EqualTo(50));
        Assert.That((client.InFlight, client.Waiting), Is.EqualTo((50, 0)));

        Replies.Answer();
        Network.RunUntilIdle();
        Assert.That(
            tasks.Select(static task => task.Result), Is.EqualTo(Enumerable.Range(0, 50).Select(static i => $"{i}")));
        Assert.That(client.InFlight, Is.Zero);
    }

    [Test]
    public void MoreThanMaxInFlight_Wait_InOrder()
    {
        RequestClient<string, string> client = Connect(new RequestClientOptions { MaxInFlight = 2, MaxWaiting = 3 });
        Replies.Holds = true;
        Task<string>[] tasks = [.. Enumerable.Range(0, 6).Select(i => client.SendAsync($"{i}"))];
        Network.RunUntilIdle();
        Assert.That(Replies.Requested, Is.EqualTo(new[] { "0", "1" }));
        Assert.That((client.InFlight, client.Waiting), Is.EqualTo((2, 3)));
        Assert.That(
            tasks[5].Failure<IOException>().Message, Does.Contain("MaxWaiting").And.Contain("not sent"));

        Replies.Holds = false;
        Replies.Answer();
        Network.RunUntilIdle();
        Assert.That(Replies.Requested, Is.EqualTo(new[] { "0", "1", "2", "3", "4" }));
        Assert.That(tasks[4].Result, Is.EqualTo("4"));
    }

    [Test]
    public void CancelledRequest_GivesItsResponseToNobodyElse()
    {
        RequestClient<string, string> client = Connect(new RequestClientOptions { MaxInFlight = 2 });
        Replies.Holds = true;
        using var sent = new CancellationTokenSource();
        using var waiting = new CancellationTokenSource();
        Task<string> first = client.SendAsync("first", sent.Token);
        Task<string> second = client.SendAsync("second");
        Task<string> third = client.SendAsync("third", waiting.Token);
        Task<string> fourth = client.SendAsync("fourth");
        Task<string> never = client.SendAsync("never", new CancellationToken(canceled: true));
        Network.RunUntilIdle();
        sent.Cancel();
        waiting.Cancel();
        Network.RunUntilIdle();
        Assert.That(first.IsCanceled && third.IsCanceled && never.IsCanceled, Is.True);

        Replies.Holds = false;
        Replies.Answer();
        Network.RunUntilIdle();
        Assert.That((second.Result, fourth.Result), Is.EqualTo(("second", "fourth")));
        Assert.That(Replies.Requested, Is.EqualTo(new[] { "first", "second", "fourth" }), "third was never sent");
    }

    [Test]
    public void LateResponse_CutsTheConnection_AndFailsTheRest()
    {
        RequestClient<string, string> client = Connect(new RequestClientOptions { RequestTimeout = 5 * _second });
        Replies.Holds = true;
        Task<string> late = client.SendAsync("late");
        Network.RunFor(_second);
        Task<string> next = client.SendAsync("next");
        Network.RunFor(3 * _second);
        Assert.That(late.IsCompleted, Is.False);
        Network.RunFor(2 * _second);

        Assert.That(late.Failure<TimeoutException>().Message, Does.Contain("was cut"));
        Assert.That(
            next.Failure<RequestLostException>().Reason.Kind, Is.EqualTo(CloseKind.TimedOut));
        Assert.That(Replies.Closed[0].Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    /// <summary>Also when nobody waits for it any more: the response would be taken for that of the next
    /// one.</summary>
    [Test]
    public void CancelledRequest_StillTimesOut()
    {
        RequestClient<string, string> client = Connect(new RequestClientOptions { RequestTimeout = 5 * _second });
        Replies.Holds = true;
        using var cancellation = new CancellationTokenSource();
        _ = client.SendAsync("one", cancellation.Token);
        Network.RunFor(_second);
        cancellation.Cancel();
        Network.RunFor(5 * _second);

        Assert.That(Replies.Closed, Has.Count.EqualTo(1));
    }

    [Test]
    public void ResponseThatLiesInTheSystem_IsReadBeforeTheTimeoutIsJudged()
    {
        RequestClient<string, string> client = Connect(new RequestClientOptions { RequestTimeout = 5 * _second });
        Task<string> request = client.SendAsync("one");
        Reactor.Post(() => Client.Spend(6 * _second));
        Network.RunUntil(() => request.IsCompleted);

        Assert.That(request.Result, Is.EqualTo("one"));
    }

    [TestCase("reset", CloseKind.PeerReset)]
    [TestCase("closed", CloseKind.PeerClosed)]
    [TestCase("own close", CloseKind.Local)]
    [TestCase("half an answer", CloseKind.ProtocolError)]
    [TestCase("too long an answer", CloseKind.LimitExceeded)]
    public void LostConnection_FailsWhatWasSent_WithOneException(string how, CloseKind expected)
    {
        RequestClient<string, string> client = Connect(new RequestClientOptions { MaxInFlight = 2 });
        Replies.Holds = true;
        Task<string>[] sent = [client.SendAsync("one"), client.SendAsync("two")];
        Task<string> waiting = client.SendAsync("three");
        Network.RunUntilIdle();
        Connection served = Replies.Connections[0];
        switch (how)
        {
            case "reset":
                served.Abort();
                break;
            case "closed":
                served.Close();
                break;
            case "own close":
                _connection!.Close();
                break;
            case "half an answer":
                served.TryWrite("on"u8);
                served.Close();
                break;
            default:
                served.TryWrite(new byte[2000]);
                break;
        }

        Network.RunUntilIdle();
        foreach (Task<string> task in sent)
        {
            Assert.That(task.Failure<RequestLostException>().Reason.Kind, Is.EqualTo(expected));
        }

        IOException notSent = waiting.Failure<IOException>();
        Assert.That(notSent, Is.Not.InstanceOf<RequestLostException>());
        Assert.That(notSent.Message, Does.Contain("not sent"));
        Task<string> later = client.SendAsync("later");
        Network.RunUntilIdle();
        later.Failure<IOException>();
    }

    [Test]
    public void UnsolicitedResponse_IsAProtocolError()
    {
        RequestClient<string, string> client = Connect();
        Task<string> answered = client.SendAsync("one");
        Network.RunUntilIdle();
        Replies.Connections[0].TryWrite("nobody has asked\n"u8);
        Network.RunUntilIdle();

        Assert.That(answered.Result, Is.EqualTo("one"));
        CloseReason reason = _connection!.Completion.Result;
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(reason.Error, Is.InstanceOf<InvalidDataException>());
    }

    [Test]
    public void RequestThatCannotBeEncoded_FailsAlone()
    {
        RequestClient<string, string> client = Connect();
        Task<string> wrong = client.SendAsync("two\nlines");
        Task<string> right = client.SendAsync("one line");
        Network.RunUntilIdle();

        wrong.Failure<ArgumentException>();
        Assert.That(right.Result, Is.EqualTo("one line"));
    }

    [Test]
    public void WithoutAConnection_ARequestFails_OrWaits([Values] WhenDisconnected policy)
    {
        var client = new RequestClient<string, string>(
            Reactor, Replies.Requests, Replies.Decoder, new RequestClientOptions { WhenDisconnected = policy });
        Task<string> request = client.SendAsync("early");
        Network.RunUntilIdle();
        Assert.That(request.IsCompleted, Is.EqualTo(policy == WhenDisconnected.Fail));
        Reactor.ConnectAsync(Server.EndPoint(7), client.Handler);
        Network.RunUntilIdle();

        if (policy == WhenDisconnected.Wait)
        {
            Assert.That(request.Result, Is.EqualTo("early"));
        }
        else
        {
            request.Failure<IOException>();
        }
    }

    [Test]
    public void WaitForAConnection_TimesOut()
    {
        var client = new RequestClient<string, string>(
            Reactor,
            Replies.Requests,
            Replies.Decoder,
            new RequestClientOptions { WhenDisconnected = WhenDisconnected.Wait, RequestTimeout = 3 * _second });
        Task<string> request = client.SendAsync("early");
        Network.RunFor(2 * _second);
        Assert.That(request.IsCompleted, Is.False);
        Network.RunFor(2 * _second);

        Assert.That(request.Failure<TimeoutException>().Message, Does.Contain("not sent"));
    }

    [Test]
    public void OverAReconnectingClient_RequestsGoOnAfterALoss()
    {
        var client = new RequestClient<string, string>(
            Reactor,
            Replies.Requests,
            Replies.Decoder,
            new RequestClientOptions { WhenDisconnected = WhenDisconnected.Wait });
        var reconnecting = new ReconnectingClient(Reactor, Server.EndPoint(7), client.Handler);
        reconnecting.Start();
        Task<string> first = client.SendAsync("one");
        Network.RunUntil(() => first.IsCompleted);
        Network.Reset(Client, Server);
        Network.RunUntil(() => reconnecting.State == ReconnectState.Waiting);

        Task<string> second = client.SendAsync("two");
        Network.RunUntil(() => second.IsCompleted);
        Assert.That((first.Result, second.Result), Is.EqualTo(("one", "two")));
    }

    [Test]
    public void Shutdown_LetsRequestsFinish_AndRefusesNewOnes()
    {
        RequestClient<string, string> client = Connect();
        Replies.Holds = true;
        Task<string> under = client.SendAsync("under way");
        Network.RunUntilIdle();
        Task shutdown = Reactor.ShutdownAsync(60 * _second);
        Network.RunFor(_second);
        Task<string> late = client.SendAsync("late");
        Network.RunFor(_second);
        Assert.That(shutdown.IsCompleted, Is.False);
        late.Failure<IOException>();

        Replies.Answer();
        Network.RunUntil(() => shutdown.IsCompleted);
        Assert.That(under.Result, Is.EqualTo("under way"));
    }

    [Test]
    public void EndOfTheReactor_FailsEverything([Values] bool isConnected)
    {
        var options = new RequestClientOptions { MaxInFlight = 1, WhenDisconnected = WhenDisconnected.Wait };
        RequestClient<string, string> client = isConnected
            ? Connect(options)
            : new RequestClient<string, string>(Reactor, Replies.Requests, Replies.Decoder, options);
        Replies.Holds = true;
        Task<string> first = client.SendAsync("first");
        Task<string> second = client.SendAsync("second");
        Network.RunUntilIdle();
        Reactor.Dispose();

        Assert.That(first.IsFaulted && second.IsFaulted, Is.True);
        client.SendAsync("late").Failure<ObjectDisposedException>();
    }

    [Test]
    public void CancelledRequest_GivesItsPlaceToAnother()
    {
        RequestClient<string, string> client = Connect(new RequestClientOptions { MaxInFlight = 1, MaxWaiting = 3 });
        Replies.Holds = true;
        Task<string> first = client.SendAsync("first");
        for (int round = 0; round < 10; round++)
        {
            using var cancellation = new CancellationTokenSource();
            Task<string>[] cancelled =
                [client.SendAsync("no", cancellation.Token), client.SendAsync("no", cancellation.Token)];
            Network.RunUntilIdle();
            Assert.That(client.Waiting, Is.EqualTo(round == 0 ? 2 : 3));
            cancellation.Cancel();
            Network.RunUntilIdle();
            Assert.That(cancelled, Has.All.Property(nameof(Task.IsCanceled)).True);
            if (round == 0)
            {
                _ = client.SendAsync("second");
            }
        }

        Replies.Holds = false;
        Replies.Answer();
        Network.RunUntilIdle();
        Assert.That(Replies.Requested, Is.EqualTo(new[] { "first", "second" }));
        Assert.That((first.Result, client.InFlight, client.Waiting), Is.EqualTo(("first", 0, 0)));
    }

    /// <summary>The server would take the first half for the beginning of the next request.</summary>
    [TestCase(0, true)]
    [TestCase(3, false)]
    [TestCase(100_000, false)]
    public void EncoderThatThrows_LeavesNothingBeforeTheNextRequest(int written, bool goesOn)
    {
        var client = new RequestClient<string, string>(Reactor, new Half(written), Replies.Decoder);
        Reactor.ConnectAsync(Server.EndPoint(7), client.Handler);
        Network.RunUntilIdle();
        Task<string> bad = client.SendAsync("!");
        Task<string> next = client.SendAsync("next");
        Network.RunUntilIdle();

        bad.Failure<FormatException>();
        if (goesOn)
        {
            Assert.That(next.Result, Is.EqualTo("next"));
        }
        else
        {
            Assert.That(next.Failure<IOException>().Message, Does.Contain("not sent"));
            Assert.That(Replies.Requested, Is.Empty);
        }
    }

    [Test]
    public void SecondConnection_IsCut()
    {
        SimulatedHost quiet = Network.AddHost("quiet", new ReactorOptions
        {
            Logger = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance,
        });
        var client = new RequestClient<string, string>(quiet.Reactor, Replies.Requests, Replies.Decoder);
        quiet.Reactor.ConnectAsync(Server.EndPoint(7), client.Handler);
        Network.RunUntilIdle();
        Task<Connection> second = quiet.Reactor.ConnectAsync(Server.EndPoint(7), client.Handler);
        Network.RunUntilIdle();
        Task<string> request = client.SendAsync("one");
        Network.RunUntilIdle();

        second.Failure<InvalidOperationException>();
        Assert.That(request.Result, Is.EqualTo("one"));
    }

    [Test]
    public void ResponsesThatReferToTheInput_AreRefused() =>
        Assert.That(
            () => new RequestClient<string, ReadOnlySequence<byte>>(
                Reactor, Replies.Requests, new LineDecoder(100)),
            Throws.ArgumentException.With.Message.Contains("ToArray"));

    private Connection? _connection;

    /// <summary>Fails at an exclamation mark, after so many bytes.</summary>
    private sealed class Half(int written) : MessageEncoder<string>
    {
        public override void Encode(string message, IBufferWriter<byte> output)
        {
            if (message == "!")
            {
                output.Write(new byte[written]);
                throw new FormatException();
            }

            Replies.Requests.Encode(message, output);
        }
    }

    private RequestClient<string, string> Connect(RequestClientOptions? options = null)
    {
        var client = new RequestClient<string, string>(
            Reactor, Replies.Requests, Replies.Decoder, options ?? new RequestClientOptions());
        Task<Connection> task = Reactor.ConnectAsync(Server.EndPoint(7), client.Handler);
        Network.RunUntilIdle();
        _connection = task.Result;
        return client;
    }
}

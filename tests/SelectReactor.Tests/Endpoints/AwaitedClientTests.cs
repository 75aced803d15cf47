using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Clients without a handler, which are read and written with await, and clients with a factory.</summary>
public sealed class AwaitedClientTests(SelectorKind selector) : ReactorFixture(selector)
{
    private Socket _server = null!;

    private IPEndPoint Address => (IPEndPoint)_server.LocalEndPoint!;

    [SetUp]
    public void Listen() => _server = Peer.Listen();

    [TearDown]
    public void StopListening() => _server.Dispose();

    [Test]
    public void WhatComesBeforeTheFirstRead_WaitsForIt([Values] bool ends)
    {
        Connection connection = RunUntil(Reactor.ConnectAsync(Address));
        using var peer = Peer.Accept(_server);
        peer.Send("early"u8);
        if (ends)
        {
            peer.EndOutput();
        }

        RunUntil(() => connection.Statistics.BytesReceived == 5, "the bytes are here");
        RunSome();
        Assert.That(connection.State, Is.EqualTo(ConnectionState.Open));
        ReadResult result = Run(async () => await connection.Input.ReadAsync());

        Assert.That(result.Buffer.ToArray(), Is.EqualTo("early"u8.ToArray()));
        Assert.That(result.IsCompleted, Is.EqualTo(ends));
        connection.Input.AdvanceTo(result.Buffer.End);
    }

    [Test]
    public void MoreThanTheThreshold_PausesThePeer_AndIsReadInOrder()
    {
        byte[] sent = [.. Enumerable.Range(0, 1_000_000).Select(static i => (byte)(i * 7))];
        Connection connection = RunUntil(Reactor.ConnectAsync(
            Address, new ConnectOptions { Connection = { InputPauseThreshold = 10_000, MaxInputBytes = 200_000 } }));
        using var peer = Peer.Accept(_server);
        var sending = Task.Run(() =>
        {
            peer.Send(sent);
            peer.EndOutput();
        });
        RunUntil(() => connection.Statistics.BytesReceived >= 10_000);
        RunSome();
        Assert.That(connection.Statistics.BytesReceived, Is.LessThanOrEqualTo(200_000), "reading pauses");

        byte[] got = Run(() => ReadToEnd(connection));
        Assert.That(got, Is.EqualTo(sent));
        Assert.That(sending.Wait(Bound));
    }

    [Test]
    public void AfterThePeersEnd_ItStillSends_UntilItCloses()
    {
        Connection connection = RunUntil(Reactor.ConnectAsync(Address));
        using var peer = Peer.Accept(_server);
        peer.EndOutput();
        Assert.That(Run(() => ReadToEnd(connection)), Is.Empty);
        connection.Output.Write("still here"u8);
        connection.Close();
        RunUntil(connection.Completion);

        Assert.That(peer.ReceiveToEnd(), Is.EqualTo("still here"u8.ToArray()));
        Assert.That(connection.Completion.Result.Kind, Is.EqualTo(CloseKind.PeerClosed), "what happened first");
    }

    [Test]
    public void AResetMeanwhile_EndsTheRead_AndTheConnection()
    {
        Connection connection = RunUntil(Reactor.ConnectAsync(Address));
        Peer.Accept(_server).Reset();
        CloseReason reason = RunUntil(connection.Completion);

        Assert.That(reason.Kind, Is.EqualTo(CloseKind.PeerReset));
        Assert.That(
            () => Run(async () => await connection.Input.ReadAsync()), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void AHandlerMayTakeOver()
    {
        Connection connection = RunUntil(Reactor.ConnectAsync(Address));
        using var peer = Peer.Accept(_server);
        peer.Send("early"u8);
        RunUntil(() => connection.Statistics.BytesReceived == 5);
        var handler = new ScriptedHandler();
        connection.Handler = handler;
        RunUntil(() => handler.Received.Count == 5);
        peer.Dispose();
        RunUntil(() => handler.IsClosed);
    }

    [Test]
    public void EachForm_Connects([Range(0, 11)] int form)
    {
        var handler = new ScriptedHandler();
        var options = new ConnectOptions();
        CancellationToken token = CancellationToken.None;
        Connection connection = RunUntil(form switch
        {
            0 => Reactor.ConnectAsync(Address, handler),
            1 => Reactor.ConnectAsync(Address, handler, token),
            2 => Reactor.ConnectAsync(Address, handler, options),
            3 => Reactor.ConnectAsync(Address, handler, options, token),
            4 => Reactor.ConnectAsync(Address, _ => handler),
            5 => Reactor.ConnectAsync(Address, _ => handler, token),
            6 => Reactor.ConnectAsync(Address, _ => handler, options),
            7 => Reactor.ConnectAsync(Address, _ => handler, options, token),
            8 => Reactor.ConnectAsync(Address),
            9 => Reactor.ConnectAsync(Address, token),
            10 => Reactor.ConnectAsync(Address, options),
            _ => Reactor.ConnectAsync(Address, options, token),
        });

        Assert.That(connection.State, Is.EqualTo(ConnectionState.Open));
        Assert.That(handler.Connections, form < 8 ? Is.EqualTo(new[] { connection }) : Is.Empty);
    }

    [Test]
    public void EachForm_TakesTheTokenAndTheOptions([Range(0, 5)] int form)
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var handler = new ScriptedHandler();
        var options = new ConnectOptions { LocalEndPoint = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0) };
        Task<Connection> attempt = form switch
        {
            0 => Reactor.ConnectAsync(Address, handler, source.Token),
            1 => Reactor.ConnectAsync(Address, _ => handler, source.Token),
            2 => Reactor.ConnectAsync(Address, source.Token),
            3 => Reactor.ConnectAsync(Address, handler, options),
            4 => Reactor.ConnectAsync(Address, _ => handler, options),
            _ => Reactor.ConnectAsync(Address, options),
        };

        Assert.That(
            () => RunUntil(attempt),
            form < 3 ? Throws.InstanceOf<OperationCanceledException>() : Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void TheFactory_IsCalledOnTheLoop_OnceConnected_AndBeforeOnConnected()
    {
        List<string> order = [];
        var handler = new ScriptedHandler { Connected = _ => order.Add("connected") };
        Connection? made = null;
        Connection connection = RunUntil(Reactor.ConnectAsync(Address, connection =>
        {
            made = connection;
            order.Add($"made {connection.State} {connection.RemoteEndPoint} {Reactor.IsReactorThread}");
            return handler;
        }));

        Assert.That(made, Is.SameAs(connection));
        Assert.That(order, Is.EqualTo(new[] { $"made Opening {Address} True", "connected" }));
    }

    [Test]
    public void AFactoryThatFails_FailsTheTask_AndClosesTheSocket([Values] bool throws)
    {
        var handles = new RecordingHandles();
        using var reactor = new Reactor(Options(handles: handles));
        Task<Connection> attempt = reactor.ConnectAsync(
            Address, _ => throws ? throw new InvalidDataException("no handler") : null!);
        RunUntil(reactor, () => attempt.IsCompleted && handles.Open == 0);

        Assert.That(
            () => attempt.GetAwaiter().GetResult(),
            throws
                ? Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("no handler")
                : Throws.InvalidOperationException.With.Message.Contains("returned null"));
        Assert.That(reactor.Connections, Is.Empty);
    }

    [Test]
    public void AFactoryIsNotCalled_WhenTheAttemptFails()
    {
        IPEndPoint nobody = Address;
        _server.Dispose();
        bool isCalled = false;
        Assert.That(
            () => RunUntil(Reactor.ConnectAsync(nobody, _ =>
            {
                isCalled = true;
                return new ScriptedHandler();
            })),
            Throws.InstanceOf<SocketException>());
        Assert.That(isCalled, Is.False);
    }

    private static async Task<byte[]> ReadToEnd(Connection connection)
    {
        List<byte> all = [];
        while (true)
        {
            ReadResult result = await connection.Input.ReadAsync();
            all.AddRange(result.Buffer.ToArray());
            connection.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return [.. all];
            }
        }
    }

    private T Run<T>(Func<Task<T>> onLoop)
    {
        Task<T>? task = null;
        Reactor.Post(() => task = onLoop());
        RunUntil(() => task is { IsCompleted: true });
        return task!.GetAwaiter().GetResult();
    }

    private void RunSome()
    {
        for (int i = 0; i < 10; i++)
        {
            Reactor.RunOnce(TimeSpan.FromMilliseconds(1));
        }
    }
}

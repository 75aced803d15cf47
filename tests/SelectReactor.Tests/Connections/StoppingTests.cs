using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>What a handler is told when a shutdown begins.</summary>
public sealed class StoppingTests(SelectorKind selector) : ConnectionFixture(selector)
{
    [Test]
    public void AHandler_IsToldOnce_OfSeveralShutdowns()
    {
        var handler = new Finishing(static _ => { });
        Adopted adopted = Adopt(handler);
        _ = Reactor.ShutdownAsync(Bound);
        _ = Reactor.ShutdownAsync(Bound);
        RunUntil(() => handler.Stopped > 0);
        RunSome();

        Assert.That(handler.Stopped, Is.EqualTo(1));
        Assert.That(adopted.Connection.State, Is.EqualTo(ConnectionState.Open), "the default goes on");
        adopted.Peer.Dispose();
    }

    [Test]
    public void AHandler_MayFinishAndClose_WhatItWroteArrives()
    {
        var handler = new Finishing(static connection =>
        {
            connection.TryWrite("bye"u8);
            connection.Close();
        });
        Adopted adopted = Adopt(handler);
        Task shutdown = Reactor.ShutdownAsync(Bound);

        Assert.That(RunBeside(adopted.Peer.ReceiveToEnd), Is.EqualTo("bye"u8.ToArray()));
        adopted.Peer.Dispose();
        RunUntil(shutdown);
        Assert.That(adopted.Connection.Completion.Result.Kind, Is.EqualTo(CloseKind.Local));
    }

    [Test]
    public void ResetWhenStopped_ResetsWhatTheHandlerHasNotEnded([Values] bool hasEnded)
    {
        Peer peer = Connect(new ConnectionOptions { ResetWhenStopped = true });
        Connection.TryWrite("answer"u8);
        if (hasEnded)
        {
            Connection.CloseOutput();
        }

        RunSome();
        Reactor.Dispose();

        Assert.That(peer.Receive(6), Is.EqualTo("answer"u8.ToArray()));
        if (hasEnded)
        {
            Assert.That(peer.ReceiveToEnd(), Is.Empty);
        }
        else
        {
            Assert.That(peer.ReceiveToEnd, Throws.InstanceOf<SocketException>());
        }
    }

    [Test]
    public void AHandlerThatThrows_HarmsItsConnectionAlone()
    {
        Peer other = Connect();
        Adopted adopted = Adopt(new Finishing(static _ => throw new InvalidOperationException("no")));
        _ = Reactor.ShutdownAsync(Bound);

        Assert.That(RunUntil(adopted.Connection.Completion).Kind, Is.EqualTo(CloseKind.HandlerFault));
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Open));
        other.Dispose();
    }

    [Test]
    public void AnAdoptedConnectionThatIsNotOpenYet_IsToldAfterOnConnected()
    {
        var handler = new Finishing(static _ => { });
        Task? shutdown = null;
        Reactor.Post(() =>
        {
            Adopt(handler, waits: false);
            shutdown = Reactor.ShutdownAsync(TimeSpan.FromMilliseconds(50));
        });
        RunUntil(() => shutdown is { IsCompleted: true });

        Assert.That(handler.Events, Is.EqualTo(new[] { "OnConnected", "OnStopping", "OnClosed" }));
    }

    [Test]
    public void AHandlerThatTakesOverDuringAShutdown_IsToldToo()
    {
        var next = new Finishing(static _ => { });
        Adopted adopted = Adopt(new Finishing(connection => connection.Handler = next));
        _ = Reactor.ShutdownAsync(Bound);
        RunUntil(() => next.Stopped > 0);

        Assert.That(next.Events, Is.EqualTo(new[] { "OnAttached", "OnStopping" }));
        adopted.Peer.Dispose();
    }

    [Test]
    public void AConnectionThatClosesAnyway_IsNotTold()
    {
        var handler = new Finishing(static _ => { });
        Adopted adopted = Adopt(handler);
        Reactor.Post(() =>
        {
            adopted.Connection.Close();
            _ = Reactor.ShutdownAsync(Bound);
        });
        adopted.Peer.EndOutput();
        RunUntil(adopted.Connection.Completion);

        Assert.That(handler.Stopped, Is.Zero);
        adopted.Peer.Dispose();
    }

    private Adopted Adopt(Finishing handler, bool waits = true)
    {
        using Socket listener = Peer.Listen();
        var ours = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        ours.Connect(listener.LocalEndPoint!);
        var peer = Peer.Accept(listener);
        Connection connection = Reactor.Adopt(ours, handler, new ConnectionOptions());
        if (waits)
        {
            RunUntil(() => connection.State == ConnectionState.Open);
        }

        return new Adopted(connection, peer);
    }

    private sealed record Adopted(Connection Connection, Peer Peer);

    private sealed class Finishing(Action<Connection> stopping) : ConnectionHandler
    {
        public List<string> Events { get; } = [];

        public int Stopped => Events.Count(static name => name == nameof(OnStopping));

        public override void OnConnected(Connection connection) => Events.Add(nameof(OnConnected));

        public override void OnAttached(Connection connection) => Events.Add(nameof(OnAttached));

        public override void OnReadable(Connection connection) => ScriptedHandler.ReadAll(connection);

        public override void OnStopping(Connection connection)
        {
            Events.Add(nameof(OnStopping));
            stopping(connection);
        }

        public override void OnClosed(Connection connection, CloseReason reason) => Events.Add(nameof(OnClosed));
    }
}

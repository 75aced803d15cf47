using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

public sealed class OutcomeTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private static readonly Action<Connection>[] _members =
    [
        static c => c.Input.TryRead(out _),
        static c => c.Output.GetMemory(),
        static c => c.Output.FlushAsync().AsTask().GetAwaiter().GetResult(),
        static c => _ = c.IsWritable,
        static c => _ = c.QueuedOutputBytes,
        static c => _ = c.Handler,
        static c => c.Handler = new ScriptedHandler(),
        static c => _ = c.UserState,
        static c => c.UserState = null,
        static c => c.TryWrite("x"u8),
        static c => c.TryWrite(System.Buffers.ReadOnlySequence<byte>.Empty),
        static c => c.Append(new System.Buffers.ReadOnlySequence<byte>(new byte[1])),
        static c => c.Schedule(TimeSpan.Zero, static () => { }),
        static c => c.PauseReading(),
        static c => c.ResumeReading(),
        static c => c.CloseOutput(),
        static c => c.Close(),
        static c => c.Close(CloseKind.TimedOut, null),
        static c => c.Abort(),
        static c => c.Abort(CloseKind.TimedOut, null),
    ];

    [Test]
    public void TheListOfConnections_IsForTheReactorsThread()
    {
        Connect();
        Assert.That(Reactor.Connections, Is.EqualTo(new[] { Connection }));

        Assert.That(CaughtBeside(() => _ = Reactor.Connections.Count), Is.InstanceOf<InvalidOperationException>());
        Assert.That(CaughtBeside(() => _ = Reactor.Connections.ToList()), Is.InstanceOf<InvalidOperationException>());

        Exception? CaughtBeside(Action action) => RunBeside(() => Assert.Catch(() => action()));
    }

    [Test]
    public void EveryOtherThread_IsRefused([Range(0, 19)] int member)
    {
        Connect();

        Assert.That(
            () => Task.Run(() => _members[member](Connection)).GetAwaiter().GetResult(),
            Throws.InvalidOperationException.With.Message.Contains("reactor's thread"));
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void AnyThread_MayLook()
    {
        Peer peer = Connect();

        (long, System.Net.EndPoint?, ConnectionState, ConnectionStatistics, bool, bool) seen = Task.Run(() => (
            Connection.Id,
            Connection.RemoteEndPoint,
            Connection.State,
            Connection.Statistics,
            Connection.Completion.IsCompleted,
            Connection.ConnectionClosed.IsCancellationRequested)).Result;

        Assert.That(seen, Is.EqualTo((
            Connection.Id,
            peer.Socket.LocalEndPoint,
            ConnectionState.Open,
            default(ConnectionStatistics),
            false,
            false)));
    }

    [Test]
    public void TextsForPeople_NameTheEndPoints()
    {
        Peer peer = Connect();

        Assert.That($"{Listener}", Is.EqualTo($"Listener on {Listener.LocalEndPoint}"));
        Assert.That($"{Connection}", Is.EqualTo(
            $"Connection {Connection.Id}: {Listener.LocalEndPoint} to {peer.Socket.LocalEndPoint}, Open"));
    }

    [Test]
    public void ATokenThatAnotherThreadAsksForInOnClosed_IsCancelled()
    {
        CancellationToken token = default;
        Handler.Closed = (connection, _) => token = Task.Run(() => connection.ConnectionClosed).Result;
        Connect();
        Connection.Abort();
        RunUntilClosed();

        Assert.That(token.IsCancellationRequested);
    }

    [Test]
    public void ClosedTask_HasTheReasonOfOnClosed_BeforeAndAfter()
    {
        Connect();
        Task<CloseReason> before = Connection.Completion;
        Connection.Abort(new InvalidDataException("x"));
        RunUntilClosed();

        Assert.That(RunUntil(before), Is.EqualTo(Handler.CloseReason));
        Assert.That(Connection.Completion.Result, Is.EqualTo(Handler.CloseReason));
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Closed));
    }

    [Test]
    public void ConnectionClosedToken_IsCancelledBeforeOnClosed()
    {
        bool? before = null;
        Handler.Closed = (connection, _) => before = connection.ConnectionClosed.IsCancellationRequested;
        Connect();
        CancellationToken token = Connection.ConnectionClosed;
        Connection.Close();
        Connection.Abort();
        RunUntilClosed();

        Assert.That(before, Is.True);
        Assert.That(token.IsCancellationRequested);
    }

    [Test]
    public void ThrowingTokenRegistration_IsLogged_AndTheCloseGoesOn()
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        using Listener listener = reactor.Listen(AnyPort, Handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => Handler.IsConnected);
        using CancellationTokenRegistration registration =
            Connection.ConnectionClosed.Register(static () => throw new InvalidDataException("registered"));
        Connection.Abort();
        RunUntil(reactor, () => Handler.IsClosed);

        Assert.That(logger.Entries.Count(static entry => entry is { Level: LogLevel.Error, Id: 25 }), Is.EqualTo(1));
    }

    [Test]
    public void DisposeAsync_OnAnotherThread_ClosesAndWaits()
    {
        Peer peer = Connect();
        Connection.TryWrite("bye"u8);
        var disposing = Task.Run(async () => await Connection.DisposeAsync());
        Assert.That(RunBeside(peer.ReceiveToEnd), Is.EqualTo("bye"u8.ToArray()));
        peer.Dispose();
        RunUntil(disposing);

        Assert.That(Handler.CloseReason.Kind, Is.EqualTo(CloseKind.Local));
    }

    [Test]
    public void Ids_AreUnique()
    {
        for (int i = 0; i < 20; i++)
        {
            Connect();
        }

        Assert.That(Handler.Connections.Select(static c => c.Id), Is.Unique);
    }

    [Test]
    public void AsyncHandler_ServesOnTheReactorsThread_AndClosesWhenItReturns()
    {
        var handler = new AsyncEcho();
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        byte[] bytes = new byte[1_000_000];
        new Random(3).NextBytes(bytes);

        Assert.That(Exchange(peer, bytes).AsSpan().SequenceEqual(bytes));
        RunUntil(() => Reactor.Connections.Count == 0);
        Assert.That(handler.AlwaysOnTheReactorsThread);
        Assert.That(handler.Error, Is.Null);
    }

    [Test]
    public void AsyncHandler_SeesACutConnectionAsAnError()
    {
        var handler = new AsyncEcho();
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => Reactor.Connections.Count == 1);
        Connection connection = Reactor.Connections.Single();
        peer.Reset();
        RunUntil(() => handler.Error is not null);

        Assert.That(handler.Error, Is.InstanceOf<IOException>());
        Assert.That(connection.Completion.Result.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void AsyncHandlerThatThrows_ClosesWithHandlerFault()
    {
        var error = new InvalidDataException("serve");
        var handler = new AsyncEcho { Fault = error };
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => Reactor.Connections.Count == 1);
        Connection connection = Reactor.Connections.Single();
        peer.Send("x"u8);
        RunUntil(connection.Completion);

        Assert.That((connection.Completion.Result.Kind, connection.Completion.Result.Error),
            Is.EqualTo((CloseKind.HandlerFault, (Exception)error)));
    }

    [Test]
    public void LooseMock_SkipsTheDefaultBodies_UnlessCallBaseIsSet([Values] bool callBase)
    {
        var handler = new Mock<IConnectionHandler> { CallBase = callBase };
        var connection = new Mock<Connection>();

        handler.Object.OnInputEnded(connection.Object);

        connection.Verify(static c => c.Close(), callBase ? Times.Once : Times.Never);
    }

    private sealed class AsyncEcho : AsyncConnectionHandler
    {
        public bool AlwaysOnTheReactorsThread { get; private set; } = true;

        public Exception? Fault { get; init; }

        public Exception? Error { get; private set; }

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            try
            {
                while (true)
                {
                    ReadResult result = await connection.Input.ReadAsync();
                    AlwaysOnTheReactorsThread &= connection.Reactor.IsReactorThread;
                    if (Fault is not null)
                    {
                        throw Fault;
                    }

                    connection.Output.Write(result.Buffer.ToArray());
                    connection.Input.AdvanceTo(result.Buffer.End);
                    await connection.Output.FlushAsync();
                    AlwaysOnTheReactorsThread &= connection.Reactor.IsReactorThread;
                    if (result.IsCompleted)
                    {
                        return;
                    }
                }
            }
            catch (IOException error)
            {
                Error = error;
                throw;
            }
        }
    }
}

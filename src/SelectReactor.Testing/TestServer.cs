using System.Net;
using SelectReactor.Testing.InMemory;

namespace SelectReactor.Testing;

/// <summary>
/// A server in memory, for unit tests of handlers that share state, such as those of a chat: each
/// <see cref="Connect()"/> is a client that the test drives. All connections are on one reactor, on a network without
/// delays and with a clock that the test moves. Each member that makes something happen returns when only timers are
/// left. Use it on one thread at a time, and not inside callbacks.
/// </summary>
/// <remarks>The member in which a handler, a timer or a posted callback throws an exception throws it too, as with
/// <see cref="TestConnection"/>.</remarks>
/// <example>
/// <code>
/// using var server = new TestServer(new ChatHandler());
/// TestConnection ann = server.Connect(), bob = server.Connect();
/// ann.ReceiveText("hello\n");
/// Assert.That(bob.TakeSentText(), Is.EqualTo("hello\n"));
/// </code>
/// </example>
public sealed class TestServer : IDisposable
{
    private readonly TestBench _bench = new();
    private readonly Dictionary<EndPoint, Connection> _accepted = [];
    private readonly List<TestPeer> _peers = [];

    /// <summary>A server that does not listen yet. The code under test listens on <see cref="Reactor"/>, at
    /// <see cref="EndPoint"/>.</summary>
    public TestServer()
    {
        SimulatedHost host = _bench.AddHost("server");
        Reactor = host.Reactor;
        EndPoint = TestBench.EndPointOf(host);
    }

    /// <summary>A server with one handler for all connections.</summary>
    /// <inheritdoc cref="TestServer(Func{Connection, IConnectionHandler}, ConnectionOptions)"/>
    public TestServer(IConnectionHandler handler)
        : this(handler, new ConnectionOptions())
    {
    }

    /// <summary>A server with one handler for all connections.</summary>
    /// <param name="handler">The handler.</param>
    /// <param name="options">Limits and time-outs of the connections.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public TestServer(IConnectionHandler handler, ConnectionOptions options)
        : this(Share(handler), options)
    {
    }

    /// <summary>A server with a handler for each connection.</summary>
    /// <inheritdoc cref="TestServer(Func{Connection, IConnectionHandler}, ConnectionOptions)"/>
    public TestServer(Func<Connection, IConnectionHandler> handlerFactory)
        : this(handlerFactory, new ConnectionOptions())
    {
    }

    /// <summary>A server with a handler for each connection.</summary>
    /// <param name="handlerFactory">Called for each connection that is accepted.</param>
    /// <param name="options">Limits and time-outs of the connections.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public TestServer(Func<Connection, IConnectionHandler> handlerFactory, ConnectionOptions options)
        : this()
    {
        ArgumentNullException.ThrowIfNull(handlerFactory);
        ArgumentNullException.ThrowIfNull(options);
        Reactor.Listen(EndPoint, Accept, new ListenerOptions { Connection = options });

        IConnectionHandler Accept(Connection connection)
        {
            _accepted[connection.RemoteEndPoint!] = connection;
            return handlerFactory(connection);
        }
    }

    /// <summary>A server that serves each connection with an asynchronous method, as a handler that derives from
    /// <see cref="AsyncConnectionHandler"/> does.</summary>
    /// <param name="serve">Serves one connection. The token is cancelled when the connection closes.</param>
    /// <exception cref="ArgumentNullException"><paramref name="serve"/> is null.</exception>
    public TestServer(Func<Connection, CancellationToken, Task> serve)
        : this(new LambdaHandler(serve ?? throw new ArgumentNullException(nameof(serve))))
    {
    }

    /// <summary>The reactor of all connections.</summary>
    public Reactor Reactor { get; }

    /// <summary>The address that clients connect to.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>The clock of the reactor. Only <see cref="Advance"/> moves it.</summary>
    public SimulatedClock Clock => _bench.Clock;

    /// <summary>Connects a client, from an address of its own. <c>OnConnected</c> has been called when it
    /// returns.</summary>
    /// <inheritdoc cref="Connect(bool)"/>
    public TestConnection Connect() => Connect(peerReads: true);

    /// <summary>Connects a client, from an address of its own. <c>OnConnected</c> has been called when it returns; if
    /// that throws, so does this.</summary>
    /// <param name="peerReads">Whether the client reads from the beginning
    /// (<see cref="TestConnection.PeerReads"/>).</param>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The server is disposed.</exception>
    /// <exception cref="SimulationException">No connection opened: nobody listens at <see cref="EndPoint"/>, or the
    /// connection was refused.</exception>
    public TestConnection Connect(bool peerReads)
    {
        _bench.VerifyAccess();
        Connection? connection = null;
        var peer = new TestPeer(
            _bench.AddHost($"client {_peers.Count + 1}"),
            EndPoint,
            peerReads,
            () => connection?.State == ConnectionState.Closing);
        EndPoint address = peer.LocalEndPoint!;
        _peers.Add(peer);

        // A listener of the code under test does not tell which connections it has accepted.
        _bench.RunUntil(() => (connection = Find(address)) is not null);
        Run();
        return new TestConnection(this, peer, connection ?? throw new SimulationException(
            $"The server at {EndPoint} did not accept the client: does anybody listen, or was it refused?"));
    }

    /// <summary>Lets time pass. Timers of the reactor and time-outs of the connections fire at their time.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The server is disposed.</exception>
    /// <exception cref="SimulationException">The handlers do not come to an end.</exception>
    public void Advance(TimeSpan time)
    {
        Run();
        _bench.Advance(time);
        Run();
    }

    /// <summary>Runs until only timers are left. Call it after the test has used the reactor or a connection, or has
    /// completed a task that a handler awaits.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The server is disposed.</exception>
    /// <exception cref="SimulationException">The handlers do not come to an end.</exception>
    public void Run()
    {
        _bench.Run();

        // Handlers may have ended their output first and closed later.
        _peers.ForEach(static peer => peer.AnswerClose());
        _bench.Run();
    }

    /// <summary>Stops the reactor: open connections close with <see cref="CloseKind.ReactorStopped"/>. Exceptions that
    /// handlers throw then are dropped, since they would hide why the test failed. Idempotent.</summary>
    public void Dispose() => _bench.Dispose();

    internal void VerifyAccess() => _bench.VerifyAccess();

    private static Func<Connection, IConnectionHandler> Share(IConnectionHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return _ => handler;
    }

    private Connection? Find(EndPoint client) => _accepted.GetValueOrDefault(client)
        ?? Reactor.Connections.FirstOrDefault(connection => client.Equals(connection.RemoteEndPoint));
}
